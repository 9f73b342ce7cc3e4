"""An init container waits until another process has applied everything: `migrate_all --check --wait`."""

from __future__ import annotations

import signal
import time

import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance
WAIT = ("migrate_all", "--check", "--wait")


def test_waits_for_another_process_and_ends_with_it(workshop: Workshop) -> None:
    """It says what it waits for, changes nothing itself, and ends with 0 once the other one is done."""
    workshop.mongo("0001_first", "notes")
    waiting = workshop.start(*WAIT, "100")
    assert waiting.stderr is not None
    assert "to apply" in waiting.stderr.readline()
    assert workshop.rows("SELECT 1 FROM django_migrations") == []

    workshop.answer("migrate_all", "--noinput")
    out, _ = waiting.communicate(timeout=60)

    assert (waiting.returncode, out.strip()) == (0, "Nothing to do.")


def test_time_that_is_over_ends_as_check_does(workshop: Workshop) -> None:
    """Pending steps: 1, with the plan; a store that stays away: 8, with its name."""
    workshop.mongo("0001_first", "notes")
    pending = workshop.run(*WAIT, "0.5")
    away = workshop.run(*WAIT, "0.5", DATABASE_URL="postgres://nobody:x@127.0.0.1:9/none")

    assert (pending.returncode, "mongodb:workshop.0001_first" in pending.stdout) == (1, True), pending.stderr
    assert (away.returncode, "[ACC-601]" in away.stderr) == (8, True), away.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_wait_at_once(workshop: Workshop, number: signal.Signals) -> None:
    """With 3 and a word, however long was still to wait."""
    waiting = workshop.start(*WAIT, "100")
    assert waiting.stderr is not None
    waiting.stderr.readline()
    sent = time.monotonic()
    waiting.send_signal(number)
    _, said = waiting.communicate(timeout=20)

    assert (waiting.returncode, "interrupted" in said) == (3, True), said
    assert time.monotonic() - sent < 5


@pytest.mark.parametrize("flags", [("--wait", "5"), ("--check", "--wait", "-1")])
def test_wait_without_meaning_is_refused_with_the_way(workshop: Workshop, flags: tuple[str, ...]) -> None:
    """A run doesn't wait so, and no time lies before now."""
    done = workshop.run("migrate_all", *flags)

    assert (done.returncode, "--wait" in done.stderr) == (2, True), done.stderr
