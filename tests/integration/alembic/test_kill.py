"""SIGKILL at random moments, then the run again: no half revision, nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from accord.embedded import postgres_binary
from accord.seam.types import Lease
from tests.chance import chance, moments, seed
from tests.conformance.harness_alembic import ENV, AlembicHarness

pytestmark = [pytest.mark.matrix, pytest.mark.integration, pytest.mark.slow, pytest.mark.by_turns(3)]

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "examples" / "streaming" / "royalties" / "alembic.ini"
LEASE = Lease(scope="kill", owner="rerun", run_id="rerun", fence=2)
MOMENTS = moments(10, 4)

REVERSIBLE = '''"""The last word."""

from __future__ import annotations

from alembic import op

revision = "0003_final"
down_revision = "0002_amounts"


def upgrade() -> None:
    op.execute("UPDATE earning SET amount = amount * 2")
    op.drop_index("earning_track")


def downgrade() -> None:
    op.create_index("earning_track", "earning", ["track"])
    op.execute("UPDATE earning SET amount = amount / 2")
'''

NewHarness = Callable[[str], AlembicHarness]


@pytest.fixture
def new_harness(tmp_path: Path, alembic_database: Callable[[], str]) -> NewHarness:
    """Make a database with one of two histories: the sample's, or one that commits each revision."""

    def make(history: str) -> AlembicHarness:
        harness = AlembicHarness(tmp_path / history, alembic_database())
        if history == "sample":
            harness.options["CONFIG"] = str(SAMPLE)
            return harness
        env = ENV.replace("connection=connection)", "connection=connection, transaction_per_migration=True)")
        (harness.folder / "env.py").write_text(env)
        harness.write_revision("0003_final", REVERSIBLE)
        return harness

    return make


@pytest.mark.parametrize("history", ["sample", "each"])
def test_killed_run_ends_like_an_unkilled_one(history: str, new_harness: NewHarness) -> None:
    """Whatever the moment, a rerun reaches the catalog, the heads, the ledger and the rows of a calm run."""
    dice = chance(f"alembic {history}")
    calm = new_harness(history)
    seconds = _run(calm, kill_after=None)
    expected = _everything(calm)
    cut: list[int] = []

    for moment in range(MOMENTS):
        harness = new_harness(history)
        # One in each part of a run: a few that fell together would prove nothing.
        delay = (moment + dice.random()) / MOMENTS * seconds
        _run(harness, kill_after=delay)
        cut.append(len(harness.store().applied()))
        _finish(harness)
        found = _everything(harness)
        assert found == expected, f"ACCORD_SEED={seed()}, moment {moment}: killed after {delay:.3f} s"

    # A kill that always falls before the first or after the last step would prove nothing.
    assert len(set(cut)) > 1, f"ACCORD_SEED={seed()}: every kill found {cut[0]} steps"


def _run(harness: AlembicHarness, kill_after: float | None) -> float:
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.alembic.worker", json.dumps(harness.to_json())],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        started = time.monotonic()
        if kill_after is not None:
            time.sleep(kill_after)  # the moment itself, not a condition to wait for
            worker.kill()
        worker.wait()
    assert kill_after is not None or worker.returncode == 0
    return time.monotonic() - started


def _finish(harness: AlembicHarness) -> None:
    store = harness.store()
    applied = store.applied()
    for step in store.steps():
        if step.key not in applied:
            store.apply(step, LEASE)


def _everything(harness: AlembicHarness) -> Mapping[str, object]:
    return {
        "catalog": _dump(harness.url),
        "heads": harness.heads(),
        "ledger": {
            name: (entry["state"], entry["checksum"]) for name, entry in harness.ledger_entries().items()
        },
        "rows": {
            table: sorted(
                str({name: row[name] for name in row if name != "id"})
                for row in harness.rows(f"TABLE {table}")
            )
            for table in ("royalties_rate", "earning")
            if harness.has_table(table)
        },
    }


def _dump(url: str) -> list[str]:
    done = subprocess.run(
        [postgres_binary("pg_dump"), "--schema-only", "--no-owner", url],
        capture_output=True,
        text=True,
        check=True,
    )
    # Newer versions of pg_dump fence their output with a random word.
    return [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]
