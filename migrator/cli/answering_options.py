"""The flags of a run that somebody has to answer for: it forgets a step, goes unapproved, or locks tables."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from accord.errors import UsageError


def add_answering(parser: ArgumentParser) -> None:
    """Add the flags of a run that somebody has to answer for."""
    parser.add_argument(
        "--break-glass",
        action="store_true",
        help="In an emergency: run without the approval that the policy asks for. Takes a permission and "
        "--reason; stands on record before the first step, and nothing else runs until another person has "
        "reviewed it.",
    )
    parser.add_argument(
        "--reason",
        default="",
        metavar="TEXT",
        help="With --forget, --break-glass or --unsafe-ddl: why, in a sentence.",
    )
    parser.add_argument(
        "--as",
        dest="person",
        default="",
        metavar="USERNAME",
        help="With --forget or --break-glass: the account that acts (default: whoever is signed in).",
    )
    parser.add_argument(
        "--token-file",
        default="",
        metavar="FILE",
        help="With these: prove it by the token in a file that only this user can read.",
    )


def add_unsafe_ddl(parser: ArgumentParser) -> None:
    """Add the flag that has a step sent as its migration says."""
    parser.add_argument(
        "--unsafe-ddl",
        action="append",
        default=[],
        metavar="STEP",
        help="Send this step (store:app.name) as its migration says, whatever it locks, and not in parts. "
        "Needs --reason; an approval binds it. May be given several times.",
    )


def reason_of(options: Mapping[str, Any]) -> str:
    """Return why, where what is asked for needs a reason."""
    needs = options.get("break_glass") or options.get("unsafe_ddl")
    return str(options.get("reason") or "") if needs else ""


def refuse_unreasoned(options: Mapping[str, Any], looks: Sequence[str]) -> None:
    """
    Check that a step is sent as it stands with a reason alone, by a run that sends anything.

    Args:
        options: What was given.
        looks: Flags with which nothing is sent.

    Raises:
        UsageError: There is no reason, or nothing is sent.
    """
    if not options.get("unsafe_ddl"):
        return
    if beside := [name for name in ("baseline", "fake", "forget") if options[name]]:
        raise UsageError(f"--unsafe-ddl and --{beside[0]} exclude each other.", hint="Choose one of them.")
    if not (options.get("reason") or "").strip() and not any(options.get(look) for look in looks):
        raise UsageError("A reason is missing.", hint="Say why in a sentence: --reason TEXT.")
