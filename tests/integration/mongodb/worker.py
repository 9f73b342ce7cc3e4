"""
A process that applies or reverts every step of a harness, to be killed by tests.

Arguments: the harness as JSON, `apply` or `revert`, the fence, and optionally the number of
the line of the store or its machine at which the process kills itself.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from types import FrameType
from typing import Any

import django
from django.conf import settings

from accord.seam.types import Lease

PACKAGES = ("/mongo_migrations/", "/accord/revisions/")


def counts(frame: FrameType) -> bool:
    """Check whether a line belongs to what writes: the store, or the machine that it runs on."""
    return any(package in frame.f_code.co_filename for package in PACKAGES)


def die_at_line(number: int) -> None:
    """Kill this process when that many lines of the packages have run."""
    left = number

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not counts(frame):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def count_lines() -> None:
    """Write to stdout how many lines of the packages ran."""
    seen = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal seen
        if not counts(frame):
            return None
        seen += event == "line"
        return trace

    sys.settrace(trace)
    import atexit

    atexit.register(lambda: os.write(1, str(seen).encode()))


def main(harness_json: str, action: str, fence: str, line: str = "") -> None:
    """Do what the arguments say."""
    settings.configure(INSTALLED_APPS=[])
    django.setup()
    from tests.conformance.harness_mongo import MongoHarness

    harness = MongoHarness.from_json(json.loads(harness_json))
    store = harness.store()
    steps = list(store.steps())
    lease = Lease(scope="test", owner="test", run_id=f"run-{fence}", fence=int(fence))
    if line == "count":
        count_lines()
    elif line:
        die_at_line(int(line))
    if action == "apply":
        for step in steps:
            store.apply(step, lease)
    else:
        for step in reversed(steps):
            store.revert(step, lease)
    harness.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
