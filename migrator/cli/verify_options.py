"""The flag `--verify`: asking applied steps again what they promise."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError

_OTHERS = ("revert", "fake", "forget", "rebuild", "migration_name", "phase", "to", "step", "run")


def add_verify(parser: ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument(
        "--verify",
        action="store_true",
        help="Ask again what applied steps promise (checks_after); exit with 1 if something doesn't hold. "
        "With --baseline: compare what the ledgers hold already with what stands, and write nothing.",
    )


def refuse_beside_verify(options: dict[str, Any]) -> None:
    """
    Check that asking again isn't mixed with acting.

    Raises:
        UsageError: It is.
    """
    looks = ("plan", "dry_run", "check_unapplied")
    given = [name for name in (*_OTHERS, *looks) if options.get(name)] if _asks(options) else []
    if given:
        raise UsageError(
            f"--verify only asks what stands, and goes with none of: {', '.join(given)}.",
            hint="Leave them out; --store ALIAS or an app narrows what is asked.",
        )


def _asks(options: dict[str, Any]) -> bool:
    return bool(options.get("verify")) and not options["baseline"]
