"""
Processes of this machine that work on a job: started anew when one ends, and gone with who started them.

Each is a fresh interpreter. It takes its slices like any other worker; nothing is handed to it, so that
nothing is lost with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from accord import isolation
from accord.batch_models import BatchJob
from accord.batches import jobs
from accord.batches.errors import BatchesFailed
from accord.batches.here import Telling
from accord.errors import ConfigurationError

_MOST_ENDS = 20
"""Processes that may end before their time, in a whole job: then it isn't the slices that end them."""
_PATIENCE = 30.0
"""Seconds that a batch may still take when its process was asked to end."""


class Children:
    """
    The processes of one job.

    Args:
        job: The job.
        count: How many are to work at a time.
        ttl: Seconds of a lease.
        telling: Hears what they say.
    """

    def __init__(self, job: BatchJob, count: int, ttl: float, telling: Telling) -> None:
        self._job, self._count, self._ttl, self._telling = job, count, ttl, telling
        self._working: list[subprocess.Popen[str]] = []
        self._ends = 0

    def look(self) -> None:
        """
        See that as many work as should.

        Raises:
            BatchesFailed: They end again and again.
        """
        for child in [one for one in self._working if one.poll() is not None]:
            self._working.remove(child)
            if child.returncode != 0:
                self._note_end(child.returncode)
        while len(self._working) < min(self._count, jobs.progress(self._job).open):
            self._working.append(self._start())

    def _note_end(self, code: int) -> None:
        self._ends += 1
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        if self._ends > _MOST_ENDS:
            raise BatchesFailed(
                f"The processes of the job “{self._job.name}” end again and again, the last one {how}.",
                hint="What is done is kept. Mend what ends them, then go on with batch_jobs run NAME.",
            )
        self._telling.note(f"a process ended {how}; another one takes its place.")

    def _start(self) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "accord.batches.child", self._job.reference, str(self._ttl)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            # Its end tells the process that nobody waits for it any more, however we ended.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is ours to hear; they end after their batches.
            start_new_session=True,
        )
        threading.Thread(target=self._pass_on, args=(child,), daemon=True).start()
        return child

    def _pass_on(self, child: subprocess.Popen[str]) -> None:
        for line in child.stdout or ():
            self._telling.note(line.strip())

    def end(self) -> None:
        """Ask all to end after their batches, and wait; who doesn't is killed, and loses its batch."""
        for child in self._working:
            if child.stdin is not None:
                child.stdin.close()
        for child in self._working:
            with suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE)
            child.kill()
            child.wait()


@contextmanager
def started(job: BatchJob, count: int, ttl: float, telling: Telling) -> Iterator[Children]:
    """
    Let processes work on a job for as long as the body lasts.

    Args:
        job: The job.
        count: How many.
        ttl: Seconds of a lease.
        telling: Hears what they say.

    Raises:
        ConfigurationError: Tests run, and other processes would work in the real database.
    """
    if isolation.is_testing():
        raise ConfigurationError(
            "Tests run, and other processes would work on the job in the real database.",
            hint="Let it run in the test's own process.",
        )
    children = Children(job, count, ttl, telling)
    try:
        yield children
    finally:
        children.end()
