"""The flags of a run that somebody has to answer for: one that forgets a step, or goes without approval."""

from __future__ import annotations

from argparse import ArgumentParser


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
        "--reason", default="", metavar="TEXT", help="With --forget or --break-glass: why, in a sentence."
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
