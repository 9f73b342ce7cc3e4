"""
Chance that can be repeated, and how much of an exhaustive matrix a run takes.

A test run takes a seeded sample that changes with each commit; `./run soak` takes everything,
again and again under other seeds. `ACCORD_SEED` repeats a run, `ACCORD_SOAK=1` takes everything.
`ACCORD_SAMPLE=1`, which `./run tests` sets, takes tests that are marked `by_turns(n)` one commit in n.
"""

from __future__ import annotations

import os
import random
import subprocess
import zlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOAK = os.environ.get("ACCORD_SOAK", "") == "1"
SAMPLING = os.environ.get("ACCORD_SAMPLE", "") == "1" and not SOAK
WITHOUT_GIT = 20261126
SAMPLE = 2


@cache
def seed() -> int:
    """Return the seed of this run: the one asked for, or one made of the commit that is tested."""
    asked = os.environ.get("ACCORD_SEED", "")
    return int(asked) if asked else int(_commit()[:8] or str(WITHOUT_GIT), 16)


def chance(name: str) -> random.Random:
    """
    Return a source of chance for one test.

    Args:
        name: Tells the test's draws from those of others under the same seed.
    """
    print(f"ACCORD_SEED={seed()}")  # noqa: T201 - a failing test must show how to repeat it
    return random.Random(f"{seed()} {name}")


def moments(every: int, sample: int = SAMPLE) -> int:
    """
    Return how many members of a matrix to try.

    Args:
        every: Number of them in a soak.
        sample: Number of them in a test run.
    """
    return every if SOAK else min(sample, every)


def is_its_turn(name: str, of: int) -> bool:
    """
    Return whether a test is in this run's sample: of all its kind about one in `of`, others with each commit.

    Args:
        name: The test, with its parameters.
        of: How many commits share it.
    """
    return not SAMPLING or zlib.crc32(f"{seed()} {name}".encode()) % of == 0


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
