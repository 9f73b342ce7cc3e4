"""
A process that works on a job: `python -m tests.projects.batched.worker JOB TTL [LINE]`.

With LINE it kills itself when that many lines of the engine have run; LINE 0 counts them, and writes how many
there were.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any

import django

FOLDER = f"{os.sep}accord{os.sep}batches{os.sep}"


class Mortality:
    """Counts lines of the engine, and ends the process at one of them."""

    def __init__(self, line: int) -> None:
        self.line, self.seen = line, 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if FOLDER not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.line:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def main(name: str, ttl: str, line: str = "") -> None:
    """Work on the job until it is done."""
    django.setup()
    from accord.batches import here, jobs

    mortality = Mortality(int(line or 0))
    job = jobs.find(name)
    if line:
        sys.settrace(mortality)
    here.run(job, ttl=float(ttl))
    sys.settrace(None)
    sys.stdout.write(f"{mortality.seen}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
