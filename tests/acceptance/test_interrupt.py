"""Ctrl-C and SIGTERM: every command ends without a traceback, and what it was doing can be gone on with."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.fix_project import Project
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """Give a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


@pytest.mark.parametrize(
    "arguments",
    [
        ("showmigrations_all", "--store", "mongodb"),
        ("showmigrations_all", "--store", "mongodb", "--format", "json"),
        ("migrate_mongo", "--plan"),
        ("streaming_seed", "--noinput"),
    ],
    ids=" ".join,
)
def test_interrupted_command_says_so_in_a_sentence(
    migrated: Project, mute: socket.socket, arguments: tuple[str, ...]
) -> None:
    """Whatever it waits for at that moment: exit code 3, the error's code, and no traceback."""
    url = f"mongodb://127.0.0.1:{mute.getsockname()[1]}/away?serverSelectionTimeoutMS=60000"
    process = Project(
        database_url=migrated.database_url,
        mongodb_url=url,
        search_url=migrated.search_url,
        prefix=migrated.prefix,
    ).start(*arguments)
    connection, _ = mute.accept()
    with connection:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)

    assert process.returncode == 3, out + err
    assert "ACC-403" in out + err
    assert "Traceback" not in err


def test_interrupted_erasure_goes_on_when_started_again(erasing: Erasing) -> None:
    """SIGINT in the middle of gdpr_erase: it stops after a step, says how it stands, and is gone on with."""
    reference = erasing.reference("approved(3)")
    process = erasing.start("gdpr_erase", "--request", reference, "--noinput")
    await_steps(erasing, 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert "Traceback" not in err
    assert process.returncode in (0, 3), out + err
    again = erasing.erase("--request", reference, "--resume")
    assert again.returncode == 0, again.stdout + again.stderr
    erasing.assert_gone(3)


def test_interrupted_cron_leaves_every_request_to_the_next(erasing: Erasing) -> None:
    """SIGTERM in the middle of gdpr_process: no traceback, and the next one completes everybody."""
    references = erasing.call("say([approved(key).reference for key in (4, 5, 6)])")
    process = erasing.start("gdpr_process")
    await_steps(erasing, 1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert "Traceback" not in err
    assert process.returncode in (0, 3), out + err
    done = erasing.command("gdpr_process")
    assert done.returncode == 0, done.stdout + done.stderr
    for key, reference in zip((4, 5, 6), references, strict=True):
        erasing.assert_gone(key)
        assert erasing.state(reference).startswith("completed")


def test_interrupted_twice_it_stops_at_once(erasing: Erasing) -> None:
    """Two SIGINTs don't wait for the step; the record is that of a kill, and the next one goes on."""
    erasing.call("say([approved(key).reference for key in (7, 8)])")
    process = erasing.start("gdpr_process")
    await_steps(erasing, 1)
    for _ in range(2):
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, err = process.communicate(timeout=60)

    assert "Traceback" not in err
    assert process.returncode in (0, 3), out + err
    erasing.execute("UPDATE gdpr_erasurerequest SET next_attempt_at = NULL")
    done = erasing.command("gdpr_process")
    assert done.returncode == 0, done.stdout + done.stderr


def await_steps(erasing: Erasing, number: int) -> None:
    """Wait until so many steps of erasures are done."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        [(done,)] = erasing.rows("SELECT count(*) FROM gdpr_erasurestep WHERE state <> 'pending'")
        if done >= number:
            return
        time.sleep(0.01)
    raise AssertionError("no step was done within a minute")
