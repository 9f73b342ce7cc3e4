"""Which tables and columns statements would drop, by the names that they have now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from accord.seam.types import Statement, Step, StepKey
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.ddl import read
from migrator.foretelling.tokens import plain


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """
    A table or a column that would go.

    Attributes:
        key: The step.
        table: The table as it is called now.
        column: The column as it is called now; empty for the table itself.
    """

    key: StepKey
    table: str
    column: str = ""


def dropped(rendered: Iterable[tuple[Step, Sequence[Statement]]]) -> Iterator[Dropped]:
    """
    Read what steps would drop from what they would send.

    Args:
        rendered: The steps in their order, each with its statements.

    Yields:
        Tables and columns that stand now; what the same steps make is left out.
    """
    names = _Names()
    for step, statements in rendered:
        for statement in statements:
            if statement.opaque:
                continue
            for act in read(statement.text):
                yield from names.follow(step.key, act)


class _Names:
    """Knows what is called how now that will have another name by then."""

    def __init__(self) -> None:
        self._tables: dict[str, str] = {}
        self._columns: dict[tuple[str, str], str] = {}
        self._made: set[str | tuple[str, str]] = set()

    def follow(self, key: StepKey, act: Act) -> Iterator[Dropped]:
        table = plain(act.table) if act.table else ""
        if act.kind is Kind.CREATE_TABLE:
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
            yield Dropped(key=key, table=self._tables.get(table, table))

    def _column(self, key: StepKey, act: Act, table: str) -> Iterator[Dropped]:
        for column in map(plain, act.columns):
            if table not in self._made and (table, column) not in self._made:
                now = self._columns.get((table, column), column)
                yield Dropped(key=key, table=self._tables.get(table, table), column=now)

    def _rename(self, act: Act, table: str) -> None:
        if act.target:
            self._move(table, plain(act.target))
        else:
            old, new = map(plain, act.columns)
            self._columns[table, new] = self._columns.pop((table, old), old)

    def _move(self, old: str, new: str) -> None:
        self._tables[new] = self._tables.pop(old, old)
        columns = {place: name for place, name in self._columns.items() if place[0] == old}
        for (_, column), name in columns.items():
            self._columns[new, column] = name
        self._made |= {new} if old in self._made else set()
        self._made |= {(new, made[1]) for made in self._made if isinstance(made, tuple) and made[0] == old}
