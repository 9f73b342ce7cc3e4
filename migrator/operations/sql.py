"""Pieces of SQL with their values, and putting them together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sql:
    """
    A piece of a statement.

    Attributes:
        text: With `%s` for each value, and `%%` for a sign of per cent.
        params: The values.
    """

    text: str
    params: tuple[Any, ...] = ()

    @classmethod
    def written(cls, text: str) -> Sql:
        """Return SQL that an author wrote, or a quoted name: its signs of per cent mean themselves."""
        return cls(text.replace("%", "%%"))


EVERY = Sql("TRUE")
"""Condition of every row."""


def put(template: str, *parts: Sql) -> Sql:
    """
    Put pieces where a template has `{}`.

    Args:
        template: Text of our own.
        parts: In the order of their places.
    """
    params = tuple(value for part in parts for value in part.params)
    return Sql(template.format(*(part.text for part in parts)), params)


def joined(between: str, parts: Iterable[Sql]) -> Sql:
    """Put pieces behind each other."""
    listed = list(parts)
    return put(between.join("{}" for _ in listed), *listed)


def both(*conditions: Sql) -> Sql:
    """Return the condition that all of some hold; :data:`EVERY` where none narrows anything."""
    narrowing = [put("({})", each) for each in conditions if each != EVERY]
    return joined(" AND ", narrowing) if narrowing else EVERY


def names(quoted: Sequence[str]) -> Sql:
    """Return quoted names as a list."""
    return Sql.written(", ".join(quoted))


def ask(connection: Any, query: Sql) -> Sequence[Sequence[Any]]:
    """Send a query, and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(query.text, list(query.params))
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
        return rows


def send(connection: Any, statement: Sql) -> int:
    """Send a statement, and return how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(statement.text, list(statement.params))
        return int(cursor.rowcount)
