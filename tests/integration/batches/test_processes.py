"""Jobs in several processes of one machine: they share the work, are replaced, and end with their starter."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from accord import isolation
from accord.batches import here, jobs, processes
from accord.errors import ConfigurationError
from tests.fix_batches import Counted

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

COMMAND = ("-m", "django", "batch_jobs")


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't come"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_process_that_is_killed_is_replaced_and_no_row_is_done_twice(counted: Counted) -> None:
    """Three processes share the slices; one killed in the middle is told, and another one takes its place."""
    counted.begin(rows=180, parts=9, size=5, wait=0.05)
    command = counted.start("run", "count", "--jobs", 3, program=COMMAND)
    owners = "SELECT count(DISTINCT owner) FROM accord_batchslice WHERE owner <> ''"
    until(lambda: counted.trail.rows(owners) >= [(2,)])

    os.kill(children_of(command)[0], signal.SIGKILL)

    out, told = command.communicate(timeout=60)
    assert command.returncode == 0, out + told
    assert "a process ended by signal 9; another one takes its place" in told
    assert counted.counts() == [(1, 180)]
    assert counted.state() == "done"


def test_processes_end_with_who_started_them(counted: Counted) -> None:
    """Also when that is killed; what they were at goes on elsewhere, each row once."""
    counted.begin(rows=400, parts=4, size=5, wait=0.1)
    command = counted.start("run", "count", "--jobs", 2, program=COMMAND)
    until(lambda: counted.counts() != [(0, 400)])
    children = children_of(command)
    command.kill()
    command.wait()

    until(lambda: all(gone(pid) for pid in children))

    assert len(children) == 2
    assert counted.state() == "running"
    assert {state for (state,) in counted.slices()} == {"waiting"}
    counted.trail.sql('UPDATE accord_batchjob SET arguments = arguments || \'{"wait": 0, "size": 100}\'')
    counted.trail.sql("UPDATE accord_batchslice SET size = 100")
    here.run(jobs.find("count"), stop=lambda: False)
    assert counted.counts() == [(1, 400)]


def test_tests_never_send_processes_to_the_real_database(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh interpreter knows nothing of a test database: while tests run, none is started."""
    job = counted.begin()
    monkeypatch.setattr(isolation, "is_testing", lambda: True)

    with pytest.raises(ConfigurationError, match="real database"):
        processes.run(job, count=2)
