"""SIGKILL at seeded random moments of a process that applies or reverts revisions, then a rerun."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chance import chance, moments
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness
from tests.forks import run_python
from tests.integration.search.catalog import CATALOG

pytestmark = [pytest.mark.matrix, pytest.mark.integration, pytest.mark.slow, pytest.mark.by_turns(3)]

ROOT = Path(__file__).parents[3]
MOMENTS = moments(16)
_EACH_RUN = frozenset({"applied_at", "run_id", "fence", "fingerprint", "checksum", "changed"})


def worker(harness: SearchHarness, action: str, fence: int, last_line: int = 0) -> list[str]:
    """Say to Python what to do."""
    what = [json.dumps(harness.to_json()), action, str(fence), str(last_line)]
    return ["-m", "tests.integration.search.worker", *what]


def start(harness: SearchHarness, action: str, fence: int) -> subprocess.Popen[str]:
    """Start the work in a process of its own and wait until it begins."""
    process = subprocess.Popen(
        [sys.executable, *worker(harness, action, fence)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def run(harness: SearchHarness, action: str, fence: int) -> tuple[float, int]:
    """Let the work end; give the seconds and the lines that it took."""
    process = start(harness, action, fence)
    begun = time.monotonic()
    answer, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return time.monotonic() - begun, int(answer)


def kill_at_time(harness: SearchHarness, action: str, fence: int, after: float) -> None:
    """Kill the work after some seconds, whatever it does then."""
    process = start(harness, action, fence)
    try:
        process.wait(timeout=after)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate()


def kill_at_line(harness: SearchHarness, action: str, fence: int, line: int) -> None:
    """Kill the work before a line of the package runs."""
    done = run_python(worker(harness, action, fence, line), env=os.environ, cwd=ROOT, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr


def state(harness: SearchHarness) -> str:
    """Give everything that stands, ledger included, without what each run has of its own."""
    seen: Any = harness.observe()
    entries = harness.ledger_entries()
    seen["ledger"] = {
        key: {name: value for name, value in entry.items() if name not in _EACH_RUN}
        for key, entry in entries.items()
    }
    documents = seen.pop("documents")
    seen["counts"] = {name: len(found) for name, found in documents.items()}
    seen["hashes"] = [hashlib.sha256(json.dumps(found).encode()).hexdigest() for found in documents.values()]
    text = json.dumps(seen, sort_keys=True, indent=1)
    return text.replace(harness.prefix, "P-").replace(harness.app, "APP")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["opensearch", "elasticsearch"])
def test_killed_apply_ends_where_the_unkilled_one_ends(
    engine: str, request: pytest.FixtureRequest, make_search_harness: MakeHarness
) -> None:
    """Whenever the process dies, running again brings every index, alias, template, document and entry."""
    url = request.getfixturevalue(f"{engine}_url")
    dice = chance(f"search apply {engine}")
    whole = make_search_harness(url, CATALOG)
    _, lines = run(whole, "apply", 1)
    wanted = state(whole)
    run(whole, "revert", 2)
    seconds, _ = run(whole, "apply", 3)
    whole.close()

    for number in range(MOMENTS):
        harness = make_search_harness(url, CATALOG)
        line, after = dice.randint(1, lines * 9 // 10), dice.uniform(0, seconds)
        if number % 2:
            kill_at_line(harness, "apply", 1, line)
        if number % 2 == 0 or number % 5 == 0:
            kill_at_time(harness, "apply", 2, after)
        run(harness, "apply", 3)

        assert state(harness) == wanted, f"moment {number}: line {line}, {after:.3f} s"
        harness.close()


@pytest.mark.timeout(900)
def test_killed_revert_ends_with_nothing(opensearch_url: str, make_search_harness: MakeHarness) -> None:
    """Whenever a revert to zero dies, running it again leaves no index, alias, template or entry."""
    dice = chance("search revert")
    harness = make_search_harness(opensearch_url, CATALOG)
    run(harness, "apply", 1)
    seconds, lines = run(harness, "revert", 2)

    for _ in range(max(1, MOMENTS // 4)):
        run(harness, "apply", 3)
        kill_at_line(harness, "revert", 3, dice.randint(1, lines * 9 // 10))
        kill_at_time(harness, "revert", 3, dice.uniform(0, seconds / 2))
        run(harness, "revert", 3)

        left = json.loads(state(harness))
        assert [left[part] for part in ("indexes", "templates", "ledger")] == [{}, {}, {}]
