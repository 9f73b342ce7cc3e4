"""The flags that several commands take."""

from __future__ import annotations

from argparse import ArgumentParser


def add_format(parser: ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="How to write the answer (default: text)."
    )


def add_noinput(parser: ArgumentParser, words: str = "Never ask a question.") -> None:
    """Add `--noinput`, with the name that Django's own commands give it."""
    parser.add_argument("--noinput", "--no-input", action="store_false", dest="interactive", help=words)


def add_acting(parser: ArgumentParser, unless: str = "whoever is signed in to this machine") -> None:
    """Add `--as`: the account that acts, and that the audit trail names."""
    parser.add_argument(
        "--as",
        default="",
        dest="as_user",
        metavar="USERNAME",
        help=f"Account that acts, with its password; {unless} unless given.",
    )
    parser.add_argument(
        "--token-file",
        default="",
        metavar="FILE",
        help="Prove it by the token in a file that only this user can read.",
    )
