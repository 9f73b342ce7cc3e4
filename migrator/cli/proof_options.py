"""The flags of migrate_all that say what is done with what a look in the stores can't prove."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError


def add_proof_arguments(parser: ArgumentParser) -> None:
    """Add the flags that go with `--baseline`."""
    parser.add_argument(
        "--trust-unproved",
        action="store_true",
        help="With --baseline: record also what can't be looked at (documents, Python), on your word.",
    )


def refuse_odd_proof(options: dict[str, Any]) -> None:
    """
    Check that these flags go with the others.

    Raises:
        UsageError: They don't.
    """
    if options.get("trust_unproved") and not options["baseline"]:
        raise UsageError(
            "--trust-unproved goes with --baseline.", hint="Write it as --baseline --trust-unproved."
        )
    if not options["baseline"]:
        return
    if options.get("verify") and options["trust_unproved"]:
        raise UsageError(
            "--verify records nothing that could be trusted.", hint="Leave --trust-unproved out."
        )
    looks = [name for name in ("plan", "dry_run", "check_unapplied") if options.get(name)]
    if options.get("verify") and looks:
        raise UsageError("--verify only looks anyway.", hint="Leave --plan, --dry-run and --check out.")
    named = [name for name in ("step", "to", "migration_name") if options[name]]
    if "step" in named and len(named) > 1:
        raise UsageError("--step and --to name the same thing here.", hint="Leave one of them out.")
