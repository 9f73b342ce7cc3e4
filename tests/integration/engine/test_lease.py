from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections

from accord import lease
from accord.errors import ExitCode, LeaseHeld, LeaseLost, StoreUnavailable
from accord.events import LeaseAwaited
from accord.seam.types import Lease
from accord.testing import RecordingReporter
from tests.children import die_with_parent
from tests.fix_engine import Coordinator

pytestmark = pytest.mark.integration
NOBODY = "mongodb://127.0.0.1:1"

Holder = subprocess.Popen[str]
StartHolder = Callable[..., Holder]


@pytest.fixture
def start_holder(coordinator: Coordinator) -> Iterator[StartHolder]:
    """Start processes that hold, or wait for, the lease of this test."""
    started: list[Holder] = []
    environment = {
        **os.environ,
        "DATABASE_URL": coordinator.url,
        "MONGODB_URL": NOBODY,
        "ELASTICSEARCH_URL": "http://127.0.0.1:1",
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "PYTHONPATH": str(Path.cwd()),
    }

    def start(ttl: float, wait: float = 0) -> Holder:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.engine.holder", str(ttl), str(wait)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no frozen process
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def read_line(process: Holder) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def ask(process: Holder) -> str:
    assert process.stdin is not None
    process.stdin.write("?\n")
    process.stdin.flush()
    return read_line(process)


def take(coordinator: Coordinator, *, ttl: float = 30, wait: float = 0) -> Lease:
    """Take the lease and let it go at once."""
    with lease.hold("test", alias=coordinator.alias, run_id="mine", ttl=ttl, wait=wait) as held:
        held.check()
    return held


def test_fencing_token_rises_with_each_grant(coordinator: Coordinator) -> None:
    """A later holder always has a higher token."""
    tokens = [take(coordinator).fence for _ in range(5)]

    assert tokens == sorted(set(tokens))


def test_fencing_token_rises_after_the_table_is_lost(coordinator: Coordinator) -> None:
    """A coordinating database that was made anew doesn't hand out old tokens again."""
    before = take(coordinator).fence
    with connections[coordinator.alias].cursor() as cursor:
        cursor.execute(f"DROP TABLE {lease.TABLE}")

    assert take(coordinator).fence > before


def test_held_lease_is_refused_with_the_holder_named(
    coordinator: Coordinator, start_holder: StartHolder
) -> None:
    """Who does not wait is told who holds it."""
    holder = start_holder(30)
    read_line(holder)

    with pytest.raises(LeaseHeld) as caught:
        take(coordinator)

    assert f"process {holder.pid}" in caught.value.message
    assert caught.value.exit_code is ExitCode.LEASE_HELD


def test_waiting_run_gets_the_lease_when_it_is_let_go(
    coordinator: Coordinator, start_holder: StartHolder
) -> None:
    """A waiter says whom it waits for, and goes on once the holder is done."""
    holder = start_holder(30)
    first = int(read_line(holder))
    report = RecordingReporter()

    def let_go_when_awaited(event: object) -> None:
        report(event)  # type: ignore[arg-type]  # a reporter hears events only
        if holder.stdin is not None and not holder.stdin.closed:
            holder.stdin.close()

    with lease.hold(
        "test", alias=coordinator.alias, run_id="mine", ttl=30, wait=30, report=let_go_when_awaited
    ) as held:
        assert held.fence > first
    assert report.of(LeaseAwaited)[0].run_id == "other"


def test_heartbeat_keeps_a_lease_beyond_its_life(coordinator: Coordinator, start_holder: StartHolder) -> None:
    """A holder that works longer than the lease's life keeps it."""
    holder = start_holder(1)
    read_line(holder)
    deadline = time.monotonic() + 2.5

    while time.monotonic() < deadline:
        with pytest.raises(LeaseHeld):
            take(coordinator)

    assert ask(holder) == "held"


def test_holder_that_was_killed_is_followed_at_once(
    coordinator: Coordinator, start_holder: StartHolder
) -> None:
    """On the same machine nobody waits for the lease of a dead process to run out."""
    holder = start_holder(600)
    first = int(read_line(holder))
    holder.kill()
    holder.wait()

    assert take(coordinator, wait=5).fence > first


def test_paused_holder_is_overtaken_and_notices_before_it_writes(
    coordinator: Coordinator, start_holder: StartHolder
) -> None:
    """A process that slept past its lease's life is stopped by its own check."""
    holder = start_holder(1)
    read_line(holder)
    os.kill(holder.pid, signal.SIGSTOP)

    take(coordinator, wait=20)
    os.kill(holder.pid, signal.SIGCONT)

    assert ask(holder) == LeaseLost.code
    assert holder.wait(timeout=10) == ExitCode.PARTIAL


def test_paused_holder_that_nobody_overtook_goes_on(
    coordinator: Coordinator, start_holder: StartHolder
) -> None:
    """Running out alone harms nobody: the token is still the newest."""
    holder = start_holder(0.5)
    read_line(holder)
    os.kill(holder.pid, signal.SIGSTOP)
    wait_until(lambda: not row(coordinator).held)

    os.kill(holder.pid, signal.SIGCONT)

    assert ask(holder) == "held"


def test_ten_first_starts_at_once_hold_it_one_after_the_other(start_holder: StartHolder) -> None:
    """The table is made once, and every process gets its turn and a token of its own."""
    holders = [start_holder(30, 60) for _ in range(10)]
    for holder in holders:
        assert holder.stdin is not None
        holder.stdin.close()

    tokens = [int(read_line(holder)) for holder in holders]

    assert len(set(tokens)) == len(tokens)
    assert [holder.wait(timeout=60) for holder in holders] == [0] * 10


def test_unreachable_coordinator_is_said(coordinator: Coordinator) -> None:
    """No address with a password, but the fact and the next move."""
    connections[coordinator.alias].settings_dict["PORT"] = "1"
    connections.settings[coordinator.alias]["PORT"] = "1"

    with pytest.raises(StoreUnavailable) as caught:
        take(coordinator)

    assert caught.value.hint


def row(coordinator: Coordinator) -> lease.LeaseRow:
    found = lease.read(coordinator.alias, "test")
    assert found is not None
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.05)
