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
    parser.add_argument(
        "--verify",
        action="store_true",
        help="With --baseline: compare what the ledgers hold already with what stands, and write nothing.",
    )


def refuse_odd_proof(options: dict[str, Any]) -> None:
    """
    Check that these flags go with the others.

    Raises:
        UsageError: They don't.
    """
    for flag in ("trust_unproved", "verify"):
        if options.get(flag) and not options["baseline"]:
            name = flag.replace("_", "-")
            raise UsageError(f"--{name} goes with --baseline.", hint=f"Write it as --baseline --{name}.")
    if options.get("verify") and options["trust_unproved"]:
        raise UsageError(
            "--verify records nothing that could be trusted.", hint="Leave --trust-unproved out."
        )
    looks = [name for name in ("plan", "dry_run", "check_unapplied") if options.get(name)]
    if options.get("verify") and looks:
        raise UsageError("--verify only looks anyway.", hint="Leave --plan, --dry-run and --check out.")
    named = [name for name in ("step", "to", "migration_name") if options[name]]
    if options["baseline"] and "step" in named and len(named) > 1:
        raise UsageError("--step and --to name the same thing here.", hint="Leave one of them out.")
