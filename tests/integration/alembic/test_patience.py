"""A revision whose table is in use steps out of the queue, tries again, and names who is in its way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from pytest_django.fixtures import Settings

from accord.errors import InvalidRevision, LockNotFree
from accord.events import Event, StepWaited
from accord.locks import occupants
from accord.testing import RecordingReporter, make_lease
from migrator.lint.touched import touched
from tests.conformance.harness_alembic import ENV, AlembicHarness

pytestmark = pytest.mark.integration
HEAD = 'from alembic import op\nrevision, down_revision = "0002_more", "0001_earnings"\n'
ADD = 'op.execute("ALTER TABLE earning ADD COLUMN more int")'
SEEN = "op.execute(\"INSERT INTO seen SELECT current_setting('lock_timeout')\")"
BESIDE = 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS earning_more ON earning (id)")'
BLOCK = "with op.get_context().autocommit_block():"
LEASE = make_lease()
LIMIT = 0.3
ENVS = {
    "one transaction": ENV,
    "one each": ENV.replace(
        "connection=connection)", "connection=connection, transaction_per_migration=True)"
    ),
    "its own": ENV.replace("engine.connect()", "engine.begin()"),
}
AUTOCOMMIT = ENV.replace("prefix=", 'isolation_level="AUTOCOMMIT", prefix=')


@pytest.fixture
def harness(alembic_harness: AlembicHarness, settings: Settings) -> AlembicHarness:
    """Give a database with one table, and a policy of short tries."""
    patient(settings, 30.0)
    for name in alembic_harness.step_names[1:]:
        alembic_harness.remove(name)
    alembic_harness.store().apply(alembic_harness.step("0001_earnings"), LEASE)
    alembic_harness.rows("CREATE TABLE seen (lock_timeout text)")
    return alembic_harness


def patient(settings: Settings, budget: float) -> None:
    """Set how long steps wait."""
    policy = {"development": {"locks": {"lock_timeout": LIMIT, "budget": budget}}}
    settings.ACCORD = {**settings.ACCORD, "ENVIRONMENT": "development", "POLICY": policy}


def write(harness: AlembicHarness, *lines: str, env: str = ENV, head: str = "") -> None:
    """Write the second revision."""
    body = "\n    ".join(lines)
    harness.write_revision("0002_more", f"{HEAD}{head}def upgrade():\n    {body}\n")
    (harness.folder / "env.py").write_text(env)


@contextmanager
def open_reader(harness: AlembicHarness) -> Iterator[psycopg2.extensions.connection]:
    """Keep a transaction open that has read the table."""
    with closing(psycopg2.connect(harness.url, application_name="night report")) as reader:
        reader.cursor().execute("SELECT count(*) FROM earning")
        yield reader


def tell_env_alone(harness: AlembicHarness) -> None:
    """Let env.py know the database, and nobody else."""
    url = "postgresql+psycopg2://" + harness.url.partition("://")[2]
    ini = (harness.folder / "alembic.ini").read_text()
    lines = [f"sqlalchemy.url = {url}" if "sqlalchemy.url" in line else line for line in ini.splitlines()]
    (harness.folder / "alembic.ini").write_text("\n".join(lines))
    harness.options["URL"] = ""


class Ending(RecordingReporter):
    """A reporter that ends a transaction once it was named as being in the way."""

    def __init__(self, holder: psycopg2.extensions.connection) -> None:
        super().__init__()
        self._holder = holder

    def __call__(self, event: Event) -> None:
        """Keep the event; let the holder go."""
        super().__call__(event)
        if isinstance(event, StepWaited) and event.tries >= 2:
            self._holder.rollback()


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("env", ENVS)
@pytest.mark.parametrize("knows_url", [True, False])
def test_a_revision_is_tried_again_and_done_once(harness: AlembicHarness, env: str, knows_url: bool) -> None:
    """In whatever transaction env.py puts it; also where env.py alone knows the database."""
    write(harness, ADD, env=ENVS[env])
    if not knows_url:
        tell_env_alone(harness)

    with open_reader(harness) as reader:
        heard = Ending(reader)
        harness.store().apply(harness.step("0002_more"), LEASE, heard)

    told = heard.of(StepWaited)
    assert len(told) >= 2
    assert told[-1].what == "AccessExclusiveLock on earning"
    assert "night report" in told[-1].who
    assert harness.heads() == {"0002_more"}


@pytest.mark.parametrize("knows_url", [True, False])
@pytest.mark.parametrize("line", [ADD, 'op.drop_column("earning", "id")', "op.execute(str(1))"])
def test_who_has_a_table_open_is_named_before(
    harness: AlembicHarness, monkeypatch: pytest.MonkeyPatch, line: str, knows_url: bool
) -> None:
    """By what the revision calls and sends; what is computed is said to be unknown."""
    monkeypatch.setattr(occupants, "LONG", 0.0)
    write(harness, line)
    if not knows_url:
        tell_env_alone(harness)
    store = harness.store()

    with open_reader(harness):
        found = touched(store, [harness.step("0002_more")])
        told = store.occupants(found.tables)

    is_known = "str(1)" not in line
    assert [sentence.startswith("earning: held open by") for sentence in told] == ([True] if is_known else [])
    assert [words for words in found.unknown if "0002_more" in words] == (
        [] if is_known else list(found.unknown)
    )
    assert bool(found.unknown) is not is_known


def test_who_never_leaves_is_named_and_nothing_is_half_done(
    harness: AlembicHarness, settings: Settings
) -> None:
    """The budget ends the step; the same command goes on once the table is free."""
    patient(settings, 0.6)
    write(harness, SEEN, ADD)

    with open_reader(harness), pytest.raises(LockNotFree, match="night report") as caught:
        harness.store().apply(harness.step("0002_more"), LEASE)

    assert "Nothing of it stands" in caught.value.hint
    assert harness.rows("SELECT * FROM seen") == []
    assert harness.heads() == {"0001_earnings"}
    harness.store().apply(harness.step("0002_more"), LEASE)
    assert harness.rows("SELECT * FROM seen") == [{"lock_timeout": "100ms"}]
    assert harness.heads() == {"0002_more"}


@pytest.mark.parametrize("leaves", ["by env.py", "by a block"])
def test_what_stands_in_part_is_not_done_twice(harness: AlembicHarness, leaves: str) -> None:
    """What ran outside of a transaction stands; a person runs it again."""
    if leaves == "by env.py":
        write(harness, SEEN, ADD, env=AUTOCOMMIT)
    else:
        write(harness, BLOCK, f"    {SEEN}", f"    {ADD}")

    with open_reader(harness), pytest.raises(LockNotFree) as caught:
        harness.store().apply(harness.step("0002_more"), LEASE)

    assert "wasn't tried again" in caught.value.hint
    assert len(harness.rows("SELECT * FROM seen")) == 1
    assert harness.heads() == {"0001_earnings"}


def test_an_index_beside_writers_has_no_limit_and_what_follows_has(harness: AlembicHarness) -> None:
    """Nobody waits behind it; the transaction that begins after the block is limited like the one before."""
    write(harness, SEEN, BLOCK, f"    {SEEN}", f"    {BESIDE}", SEEN)

    harness.store().apply(harness.step("0002_more"), LEASE)

    seen = [row["lock_timeout"] for row in harness.rows("SELECT lock_timeout FROM seen")]
    assert seen == ["300ms", "0", "300ms"]


def test_a_revision_may_ask_for_more_and_gives_its_reason(harness: AlembicHarness) -> None:
    """`locks` in the module goes over the policy's; without a reason it is refused before anything runs."""
    write(harness, ADD, head='locks = {"budget": 0.3, "reason": "the night report"}\n')
    assert harness.step("0002_more").waits == "tries for 0.3 s: the night report"
    began = time.monotonic()

    with open_reader(harness), pytest.raises(LockNotFree):
        harness.store().apply(harness.step("0002_more"), LEASE)

    assert time.monotonic() - began < 8
    write(harness, ADD, head='locks = {"budget": 5}\n')
    with pytest.raises(InvalidRevision, match="reason"):
        harness.store().steps()
