"""The one place that calls the parser, which is loaded when there is SQL to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accord import extras
from accord.errors import ConfigurationError

_LONGEST = 63


class Unread(Exception):
    """SQL that could not be read, and why, as a part of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """
    One statement.

    Attributes:
        node: What the parser made of it.
        text: As it is written.
    """

    node: Any
    text: str


def statements(text: str) -> Sequence[Statement]:
    """
    Read a text of SQL.

    Raises:
        Unread: The parser isn't installed, or doesn't take the text.
    """
    pglast = _parser()
    try:
        found = pglast.parse_sql(text)
    except pglast.Error as exc:
        raise Unread(f"PostgreSQL's parser says: {exc.args[0]}") from exc
    return [
        Statement(node=one.stmt, text=_slice(text, one.stmt_location or 0, one.stmt_len or 0))
        for one in found
    ]


def _slice(text: str, start: int, length: int) -> str:
    return text[start : start + length if length else None].strip()


def cut_names(text: str) -> Sequence[str]:
    """
    Return the names in a text of SQL of which PostgreSQL keeps a part alone.

    Raises:
        Unread: As above.
    """
    pglast = _parser()
    try:
        tokens = pglast.parser.scan(text)
    except pglast.Error as exc:
        raise Unread(f"PostgreSQL's parser says: {exc.args[0]}") from exc
    names = (text[token.start : token.end + 1].strip('"') for token in tokens if token.name == "IDENT")
    return [name for name in names if len(name.encode()) > _LONGEST]


def _parser() -> Any:
    try:
        extras.require(__name__, "Reading SQL")
    except ConfigurationError as exc:
        raise Unread(f"{exc.message} {exc.hint}".rstrip(".")) from exc
    import pglast
    import pglast.parser

    return pglast
