"""A step that takes long is on record; a signal is answered at once, and a second one ends the statement."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue

import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

SLOW_IN_POSTGRESQL = """
    class Migration(migrations.Migration):
        operations = [
            migrations.CreateModel("Made", [("id", models.BigAutoField(primary_key=True))]),
            migrations.RunSQL("SELECT pg_sleep(120)", migrations.RunSQL.noop),
        ]
"""
SLOW_IN_MONGODB = """
    import pathlib, time

    def wait(db, session):
        pathlib.Path(__file__).with_name("entered").touch()
        time.sleep(120)

    class Migration(base.Migration):
        # Outside a transaction, which the server would keep for a minute after the kill.
        operations = [base.CreateCollection("made"), base.RunPython(wait, transactional=False)]
"""
ASLEEP = """
    SELECT 1 FROM pg_stat_activity
    WHERE query LIKE '%pg_sleep(120)%' AND pid <> pg_backend_pid() AND state = 'active'
"""
STEPS = "SELECT store, outcome FROM migrator_steprun WHERE app = 'workshop'"
RUNS = """
    SELECT outcome, error_code, finished_at < now(),
           extract(epoch FROM finished_at - started_at)::float FROM migrator_run ORDER BY started_at LIMIT 1
"""


@pytest.fixture(params=["default", "mongodb"])
def slow_step(workshop: Workshop, request: pytest.FixtureRequest) -> tuple[Workshop, str]:
    """Give a project whose one step takes two minutes, and the step's store."""
    if request.param == "default":
        workshop.write("migrations/0001_slow.py", SLOW_IN_POSTGRESQL)
    else:
        workshop.write("mongo_migrations/0001_slow.py", SLOW_IN_MONGODB)
    return workshop, request.param


@pytest.fixture
def started(slow_step: tuple[Workshop, str]) -> Iterator[subprocess.Popen[str]]:
    """Give a run that is inside of the step."""
    workshop, store = slow_step
    process = workshop.start("migrate_all", "--noinput")
    try:
        wait_until(lambda: is_asleep(workshop, store))
        assert workshop.rows(STEPS) == [(store, "running")]
        yield process
    finally:
        process.kill()
        process.communicate()


def is_asleep(workshop: Workshop, store: str) -> bool:
    """Return whether the step has come to its long operation: it was on record before."""
    if store == "default":
        return bool(workshop.rows(ASLEEP))
    return (workshop.folder / "workshop" / "mongo_migrations" / "entered").exists()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.05)


def said(process: subprocess.Popen[str]) -> Queue[str]:
    """Collect what a process says, line by line as it says it."""
    assert process.stderr is not None
    stream, lines = process.stderr, Queue[str]()

    def read() -> None:
        for line in stream:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    return lines


def hear(lines: Queue[str], words: str) -> str:
    """Wait until something is said, and return all that was said until then."""
    heard = ""
    while words not in heard:
        try:
            heard += lines.get(timeout=20)
        except Empty:
            raise AssertionError(f"“{words}” was not said: {heard}") from None
    return heard


def test_first_signal_is_answered_at_once_and_the_second_ends_the_statement(
    slow_step: tuple[Workshop, str], started: subprocess.Popen[str]
) -> None:
    """Exit code 3, the run and its step are on record as interrupted, and nothing of the step stands."""
    workshop, store = slow_step
    lines = said(started)

    started.send_signal(signal.SIGINT)
    hear(lines, "once more stops at once")
    started.send_signal(signal.SIGTERM)
    heard = hear(lines, "ACC-403")

    assert started.wait(timeout=20) == 3
    assert "Traceback" not in heard
    assert workshop.rows(STEPS) == [(store, "interrupted")]
    assert workshop.rows("SELECT 1 FROM django_migrations WHERE app = 'workshop'") == []
    assert workshop.rows("SELECT to_regclass('workshop_made') IS NULL") == [(True,)]
    assert workshop.rows(ASLEEP) == []


def test_killed_run_ends_when_it_was_last_alive(
    slow_step: tuple[Workshop, str], started: subprocess.Popen[str]
) -> None:
    """The step that was worked on is known; the time of noticing is not the time of the end."""
    workshop, store = slow_step
    started.kill()
    started.wait(timeout=20)
    time.sleep(3)

    assert workshop.run("showmigrations_all").returncode == 0
    assert workshop.run("health_check").returncode in (0, 1, 2)

    assert workshop.rows(STEPS) == [(store, "interrupted")]
    [(outcome, code, is_past, seconds)] = workshop.rows(RUNS)
    assert (outcome, code, is_past) == ("interrupted", "ACC-403", True)
    assert seconds < 3
