"""Takes a history up, down and up again in a process of its own, to be killed at any moment."""

from __future__ import annotations

import json
import sys

import django
from django.conf import settings


def main(namespace: str) -> None:
    """Run; the word `ready` on stdout says that imports are over."""
    settings.configure(BASE_DIR="/")
    django.setup()

    from accord.seam.types import Lease
    from migrator.alembic import runner  # noqa: F401 - imported before the clock of the killer starts
    from tests.conformance.harness_alembic import AlembicHarness

    harness = AlembicHarness.from_json(json.loads(namespace))
    store = harness.store()
    steps = store.steps()
    lease = Lease(scope="kill", owner="worker", run_id="killed", fence=1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for step in steps:
        store.apply(step, lease)
    for step in reversed(steps):
        store.revert(step, lease)
    for step in steps:
        store.apply(step, lease)


if __name__ == "__main__":
    main(sys.argv[1])
