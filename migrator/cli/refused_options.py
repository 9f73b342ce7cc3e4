"""Flags of Django's `migrate` that migrate_all has not got, each with what to use instead."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError

_REFUSED = {
    "fake_initial": (
        "--fake-initial looks at the names of tables alone.",
        "Use --baseline, which compares what stands with what the migrations describe.",
    ),
    "prune": (
        "--prune is left to Django's command.",
        "manage.py migrate APP --prune; both commands read the same table.",
    ),
    "run_syncdb": (
        "Apps without migrations have no steps.",
        "manage.py migrate --run-syncdb makes their tables; makemigrations APP gives them steps.",
    ),
}
"""Flags of Django's command: why they aren't ours, and what to use instead."""


def add_refused(parser: ArgumentParser) -> None:
    """Add them, so that whoever types one is told what to use."""
    for name, (why, instead) in _REFUSED.items():
        flag = f"--{name.replace('_', '-')}"
        parser.add_argument(flag, action="store_true", dest=name, help=f"Refused. {why} {instead}")


def refuse_djangos(options: dict[str, Any]) -> None:
    """
    Check that none of them was given.

    Raises:
        UsageError: One was; the hint says what to use.
    """
    for name, (why, instead) in _REFUSED.items():
        if options.get(name):
            raise UsageError(why, hint=instead)
