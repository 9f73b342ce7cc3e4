"""Whom a command is about: a key as an argument, or by standard input, which no list of processes shows."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from getpass import getpass

from accord.errors import UsageError
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys

STDIN = "-"
"""As a key: read it from standard input."""
LONGEST = 4_096


def add_whom(parser: ArgumentParser, kind: str = "--kind") -> None:
    """Add the flags that say what kind of person it is, which key, and which person of several."""
    add_kind(parser, kind)
    parser.add_argument(
        "--by", default="", metavar="KEY", help="Which key it is; every one is tried unless given."
    )
    parser.add_argument(
        "--choose", default="", metavar="ID", help="Which one of several people who have this key."
    )


def add_kind(parser: ArgumentParser, flag: str = "--kind") -> None:
    """Add the flag that says which kind of person it is."""
    parser.add_argument(
        flag,
        default="",
        metavar="NAME",
        help="What kind of person, where the data map declares several.",
    )


def key(typed: str) -> str:
    """
    Return the key that is meant: what was typed, or for “-” one line of standard input.

    At a terminal it is asked for, and not shown while it is typed.

    Raises:
        UsageError: There is no line.
    """
    if typed != STDIN:
        return typed
    line = getpass("Key of the person: ") if sys.stdin.isatty() else sys.stdin.readline(LONGEST)
    if not line.strip():
        raise UsageError(
            "Standard input has no key of a person.", hint="Write one line to it: printf '%s' KEY | ..."
        )
    return line.strip()


def resolve(typed: str, by: str, choose: str, kind: str = "") -> SubjectKeys:
    """
    Find the person whom a call names. See :meth:`gdpr.datamap.map.DataMap.resolve`.

    Args:
        typed: A key.
        by: Which key it is; empty to try every one.
        choose: The primary key of one of several who have it; empty where there is one.
        kind: What kind of person; empty where there is one.
    """
    return load_data_map().resolve(typed, by, choose, kind)
