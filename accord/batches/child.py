"""`python -m accord.batches.child`: work on a job until it has ended, or whoever started the process."""

from __future__ import annotations

import sys
import threading

import django


def main(reference: str, ttl: str) -> None:
    """
    Work on a job.

    Args:
        reference: Of the job.
        ttl: Seconds of a lease.
    """
    django.setup()
    from accord.batches import here, jobs
    from accord.batches.errors import BatchesFailed, BatchesStopped
    from accord.errors import Interrupted

    left = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(left,), daemon=True).start()
    try:
        here.run(jobs.find(reference), report=_say, stop=left.is_set, ttl=float(ttl))
    except (BatchesFailed, BatchesStopped, Interrupted):
        # Whoever started us sees that, too, and tells it once.
        sys.exit(0)


def _wait_for_the_end(left: threading.Event) -> None:
    """Set when the other end of our input is closed, also by the death of who holds it."""
    sys.stdin.read()
    left.set()


def _say(event: object) -> None:
    from accord.events import StepNoted

    if isinstance(event, StepNoted):
        sys.stdout.write(f"{event.note}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
