"""
A process that takes a lease and does as its standard input says.

    python -m tests.integration.engine.holder TTL WAIT

It prints its fencing token once it holds the lease. Each line that it reads makes it check the
lease and print `held`; at the end of its input it lets go.
"""

from __future__ import annotations

import sys

import django

from accord import lease
from accord.errors import AccordError


def main(ttl: str, wait: str) -> int:
    """Hold, check on request, and let go."""
    django.setup()
    with lease.hold("test", alias="default", run_id="other", ttl=float(ttl), wait=float(wait)) as held:
        say(str(held.fence))
        for _ in sys.stdin:
            held.check()
            say("held")
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except AccordError as exc:
        say(exc.code)
        sys.exit(int(exc.exit_code))
