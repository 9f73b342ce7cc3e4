"""The flag `--snapshot`: the schema of each store in a file, written, or compared with what stands."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError

_OTHERS = (
    *("revert", "baseline", "verify", "check_live", "fake", "forget", "rebuild", "app_label"),
    *("migration_name", "phase", "to", "step", "run", "to_tag", "tag", "plan", "dry_run", "wait"),
    *("break_glass", "unsafe_ddl"),
)
_SPELLED = {"app_label": "an app", "migration_name": "a step"}


def add_snapshot(parser: ArgumentParser) -> None:
    """Add the flag."""
    parser.add_argument(
        "--snapshot",
        metavar="DIR",
        help="Write what stands in each store into a file of this folder, and apply nothing. With --check: "
        "write nothing, compare the files with what stands, and exit with 6 if they differ.",
    )


def refuse_beside_snapshot(options: dict[str, Any]) -> None:
    """
    Check that describing isn't mixed with acting.

    Raises:
        UsageError: It is, or the folder has no name.
    """
    if options.get("snapshot") is None:
        return
    if not options["snapshot"]:
        raise UsageError(
            "--snapshot names no folder.", hint="Is the variable empty that should hold it? Nothing was done."
        )
    given = [name for name in _OTHERS if _is_given(options.get(name))]
    if given:
        named = ", ".join(_SPELLED.get(name, f"--{name.replace('_', '-')}") for name in given)
        raise UsageError(
            f"--snapshot describes whole stores, and goes with none of: {named}.",
            hint="Leave them out; --check compares, --store ALIAS narrows what is described.",
        )


def _is_given(value: object) -> bool:
    # `--wait 0` waits, and 0 equals False.
    return value is not None and value is not False and value not in ("", [])
