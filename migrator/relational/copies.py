"""What tables are called that hold rows of another one: its parts, and its copy while it is being divided."""

from __future__ import annotations

from django.db.backends.utils import truncate_name

LONGEST = 63
"""Bytes of a name of PostgreSQL."""
DETACHED = "accord detached from "
"""What the comment of a table begins with that was a part; the quoted name of the whole follows."""
_NEW, _OLD = "_accord_new", "_accord_old"


def named(table: str, ending: str) -> str:
    """
    Return a table's name with an ending, short enough for PostgreSQL.

    Args:
        table: Name of the table, without schema.
        ending: What comes behind it.
    """
    return truncate_name(table, LONGEST - len(ending)) + ending


def new_name(name: str) -> str:
    """Return what a table or index in the making is called, which is to be called `name`."""
    return named(name, _NEW)


def old_name(name: str) -> str:
    """Return what one is called whose place another has taken."""
    return named(name, _OLD)
