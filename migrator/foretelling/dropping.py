"""Which tables and columns statements would drop, by the names that they have now. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from accord.seam.types import Statement, Step, StepKey
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.ddl import read
from migrator.foretelling.tokens import plain

_NOT_FOLLOWED = frozenset({Kind.UNREAD, Kind.DEFINES})
_MAY_DROP = re.compile(
    r"\b(TRUNCATE|DROP\s+(TABLE|SCHEMA|OWNED|DATABASE|MATERIALIZED\s+VIEW|FOREIGN\s+TABLE)"
    r"|DROP\s+(TYPE|DOMAIN)\b.*\bCASCADE)\b",
    re.IGNORECASE | re.DOTALL,
)
"""Words with which a statement that isn't understood may take rows away."""


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """
    A table or a column that would go.

    Attributes:
        key: The step.
        table: The table as it is called now.
        column: The column as it is called now; empty for the table itself.
        is_unread: What a statement drops that isn't understood: a schema, a block of code.
        is_traced: False when a statement that isn't understood comes before: it may have another name now.
    """

    key: StepKey
    table: str = ""
    column: str = ""
    is_unread: bool = False
    is_traced: bool = True


def dropped(
    rendered: Iterable[tuple[Step, Sequence[Statement]]], placed: Callable[[str], str] = str
) -> Iterator[Dropped]:
    """
    Read what steps would drop from what they would send.

    Args:
        rendered: The steps in their order, each with its statements.
        placed: Gives a name its schema, so that a table is known again that is written in two ways.

    Yields:
        Tables and columns that stand now; what the same steps make is left out.
    """
    names = _Names(placed)
    for step, statements in rendered:
        for statement in statements:
            if statement.opaque:
                continue
            acts = read(statement.text)
            if _MAY_DROP.search(statement.text) and any(_is_not_followed(act) for act in acts):
                yield Dropped(key=step.key, is_unread=True)
            for act in acts:
                yield from names.follow(step.key, act)


def _is_not_followed(act: Act) -> bool:
    return act.kind in _NOT_FOLLOWED and not act.target


class _Names:
    """Knows what is called how now that will have another name by then."""

    def __init__(self, placed: Callable[[str], str]) -> None:
        self._placed = placed
        self._is_traced = True
        self._tables: dict[str, str] = {}
        self._columns: dict[tuple[str, str], str] = {}
        self._made: set[str | tuple[str, str]] = set()

    def follow(self, key: StepKey, act: Act) -> Iterator[Dropped]:
        table = self._placed(plain(act.table)) if act.table else ""
        if act.kind is Kind.UNREAD and act.target:
            self._move(table, f"{plain(act.target)}.{table.rpartition('.')[2]}")
        elif act.kind is Kind.UNREAD:
            self._is_traced = False
        elif act.kind is Kind.CREATE_TABLE:
            self._made.add(table)
        elif act.kind is Kind.ADD_COLUMN:
            self._made.update((table, plain(column)) for column in act.columns)
        elif act.kind is Kind.RENAME:
            self._rename(act, table)
        elif act.kind is Kind.DROP_TABLE:
            yield from self._table(key, table)
        elif act.kind is Kind.DROP_COLUMN:
            yield from self._column(key, act, table)

    def _table(self, key: StepKey, table: str) -> Iterator[Dropped]:
        if table in self._made:
            self._made.discard(table)
        else:
            yield Dropped(key=key, table=self._tables.get(table, table), is_traced=self._is_traced)

    def _column(self, key: StepKey, act: Act, table: str) -> Iterator[Dropped]:
        for column in map(plain, act.columns):
            if table not in self._made and (table, column) not in self._made:
                now = self._columns.get((table, column), column)
                where = self._tables.get(table, table)
                yield Dropped(key=key, table=where, column=now, is_traced=self._is_traced)

    def _rename(self, act: Act, table: str) -> None:
        if act.target:
            schema, dot, _ = table.rpartition(".")
            self._move(table, f"{schema}{dot}{plain(act.target)}")
        else:
            old, new = map(plain, act.columns)
            self._columns[table, new] = self._columns.pop((table, old), old)
            self._hand_on((table, old), (table, new))

    def _move(self, old: str, new: str) -> None:
        self._tables[new] = self._tables.pop(old, old)
        columns = {place: name for place, name in self._columns.items() if place[0] == old}
        for (_, column), name in columns.items():
            self._columns[new, column] = name
        self._hand_on(old, new)
        for made in [one for one in self._made if isinstance(one, tuple) and one[0] == old]:
            self._hand_on(made, (new, made[1]))

    def _hand_on(self, old: str | tuple[str, str], new: str | tuple[str, str]) -> None:
        """Let a new name mean what the old one meant; the old one names nothing that was made any more."""
        was_made = old in self._made
        self._made -= {old, new}
        if was_made:
            self._made.add(new)
