"""The flag `--check-live`: holding the live stores against what the applied steps describe."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError

_OTHERS = (
    *("revert", "baseline", "verify", "fake", "forget", "rebuild", "migration_name", "phase", "to", "step"),
    *("run", "plan", "dry_run", "check_unapplied"),
)


def add_check_live(parser: ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument(
        "--check-live",
        action="store_true",
        help="Compare the live stores with what the applied steps describe, and exit with 6 if they differ.",
    )


def refuse_beside_check_live(options: dict[str, Any]) -> None:
    """
    Check that looking isn't mixed with acting.

    Raises:
        UsageError: It is.
    """
    given = [name for name in _OTHERS if options.get(name)] if options.get("check_live") else []
    if given:
        raise UsageError(
            f"--check-live only looks, and goes with none of: {', '.join(given)}.",
            hint="Leave them out; --store ALIAS or an app narrows what is looked at.",
        )
