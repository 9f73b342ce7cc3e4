"""
A process that applies or reverts every revision of a namespace, for tests that kill it.

Called with the namespace as JSON, `apply` or `revert`, a fencing token, and the number of the line
of the store or its machine at which it kills itself (0: never). Says `ready` once it begins with the first
step, and at its end how many lines ran.
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

PACKAGES = ("/searchindex/", "/accord/revisions/")


class Lines:
    """
    Counts the lines of the packages that run.

    Args:
        last: The line at which this process dies; 0 for none.
    """

    def __init__(self, last: int) -> None:
        self.last, self.ran = last, 0

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Take part in every call, as `sys.settrace` wants it."""
        if not any(package in frame.f_code.co_filename for package in PACKAGES):
            return None
        if event == "line":
            self.ran += 1
            if self.ran == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def main(namespace: str, action: str, fence: str, last_line: str) -> None:
    """Do what the arguments say."""
    settings.configure(INSTALLED_APPS=["searchindex"], DATABASES={}, USE_TZ=True)
    django.setup()
    from tests.conformance.harness_search import SearchHarness
    from tests.fix_search import lease

    harness = SearchHarness.from_json(json.loads(namespace))
    store, steps = harness.store(), harness.steps()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    lines = Lines(int(last_line))
    sys.settrace(lines.trace)
    for step in steps if action == "apply" else reversed(steps):
        getattr(store, action)(step, lease(int(fence)))
    sys.settrace(None)
    sys.stdout.write(f"{lines.ran}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
