"""
A process that applies or reverts steps and kills itself at a statement that it is told.

    python -m tests.integration.postgres.doomed HARNESS NAMESPACE ACTION KILL_AT STEP...

It prints how many statements it sent. With KILL_AT below 0 it lives.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any


class Counter:
    """Counts what is sent to the server, and ends the process before a statement of a given number."""

    def __init__(self, kill_at: int) -> None:
        self.sent = 0
        self._kill_at = kill_at

    def tick(self) -> None:
        """Another statement is about to be sent."""
        if self.sent == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.sent += 1

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Stand between Django and its driver."""
        self.tick()
        return execute(sql, params, many, context)


def _count(connection: Any, counter: Counter) -> None:
    if connection.vendor == "mongodb":
        from pymongo import monitoring

        class Listener(monitoring.CommandListener):
            def started(self, event: Any) -> None:
                counter.tick()

            def succeeded(self, event: Any) -> None: ...

            def failed(self, event: Any) -> None: ...

        connection.settings_dict["OPTIONS"]["event_listeners"] = [Listener()]
    else:
        connection.execute_wrappers.append(counter)


def main(name: str, namespace: str, action: str, kill_at: str, *steps: str) -> None:
    """Do as told."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.projects.bare.settings"
    import django

    django.setup()
    from django.db import connections

    from accord.seam.types import Lease
    from tests.conformance.harness_relational import HARNESSES

    harness = HARNESSES[name].from_json(json.loads(namespace))
    counter = Counter(int(kill_at))
    _count(connections[harness.alias], counter)
    store = harness.store()
    lease = Lease(scope="test", owner="doomed", run_id="doomed", fence=int(time.time() * 1_000_000))
    known = {step.key.name: step for step in store.steps()}
    notes: list[str] = []
    for step in steps:
        getattr(store, action)(known[step], lease, lambda event: notes.append(event.note))
    sys.stdout.write(json.dumps({"sent": counter.sent, "notes": notes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
