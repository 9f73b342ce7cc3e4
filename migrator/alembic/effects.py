"""
What revisions would leave behind, heard from their operations while they run offline.

Tables, columns, indexes and named constraints can be looked up in a catalog later. Anything
else (rows, functions, raw SQL) counts as untold: whether it ran can't be seen from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any

from alembic.ddl import base as ddl
from alembic.ddl import postgresql as pg_ddl
from sqlalchemy import Column, Constraint, Dialect, Index, Table
from sqlalchemy import schema as sa
from sqlalchemy.dialects.postgresql import dialect as pg_dialect
from sqlalchemy.exc import SQLAlchemyError

Name = tuple[str, str]
"""Schema, empty for the default one, and name."""


@dataclass(kw_only=True)
class ColumnEffect:
    """
    A column that should be there.

    Attributes:
        step: Step that adds it; empty for one that was there before the steps.
        defined_by: Step that said the last word about type and NULL.
        type: Its type in words; None where untold.
        nullable: Whether it takes NULL; None where untold.
    """

    step: str
    defined_by: str
    type: str | None = None
    nullable: bool | None = None


@dataclass(kw_only=True)
class TableEffect:
    """A table that should be there; `step` is empty for one that an earlier step made."""

    step: str
    columns: dict[str, ColumnEffect] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """
    An index or a named constraint that should be there, as long as what it is attached to is.

    Attributes:
        step: Step that makes it.
        table: Table that it belongs to.
        columns: Columns that it covers; empty where it is made of expressions.
    """

    step: str
    table: Name
    columns: frozenset[str] = frozenset()

    def falls_with(self, column: str) -> bool:
        """Return whether it may go when a column of its table goes."""
        return column in self.columns or not self.columns


@dataclass(kw_only=True)
class Effects:
    """
    What should stand after all the steps.

    Attributes:
        tables: Tables by name; one that no step here created has no step.
        indexes: Indexes by name.
        constraints: Constraints by schema, table and name.
        untold: Steps that did something which can't be looked up, with how often.
        unreadable: Steps that couldn't be run offline, with the reason.
        gone: Steps by the table, or the table and column, that they removed.
    """

    tables: dict[Name, TableEffect] = field(default_factory=dict)
    indexes: dict[Name, Attachment] = field(default_factory=dict)
    constraints: dict[tuple[str, str, str], Attachment] = field(default_factory=dict)
    untold: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    gone: dict[tuple[str, ...], str] = field(default_factory=dict)


class Recorder:
    """
    Hears operations and keeps their effects.

    Args:
        effects: Where they are kept.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._dialect: Dialect = pg_dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        self.step = ""

    def hear(self, construct: object, *_: object, **__: object) -> None:
        """Stand in for the method of Alembic's implementation that every operation ends in."""
        if self.step:
            self._take(construct)

    @singledispatchmethod
    def _take(self, construct: object) -> None:
        self._effects.untold[self.step] = self._effects.untold.get(self.step, 0) + 1

    @_take.register
    def _(self, construct: sa.CreateTable) -> None:
        table: Table = construct.element
        name = (table.schema or "", table.name)
        self._effects.gone.pop(name, None)
        columns = {column.name: self._column(column) for column in table.columns}
        self._effects.tables[name] = TableEffect(step=self.step, columns=columns)

    @_take.register
    def _(self, construct: sa.DropTable) -> None:
        table: Table = construct.element
        name = (table.schema or "", table.name)
        self._effects.tables.pop(name, None)
        self._effects.gone[name] = self.step
        self._detach(lambda attachment: attachment.table == name)

    @_take.register
    def _(self, construct: sa.CreateIndex) -> None:
        index: Index = construct.element
        self._effects.indexes[_index_name(index)] = self._attachment(index, index.columns)

    @_take.register
    def _(self, construct: sa.DropIndex) -> None:
        self._effects.indexes.pop(_index_name(construct.element), None)

    @_take.register
    def _(self, construct: sa.AddConstraint) -> None:
        constraint = construct.element
        if key := _constraint_key(constraint):
            columns = getattr(constraint, "columns", ())
            self._effects.constraints[key] = self._attachment(constraint, columns)
        else:
            self._effects.untold[self.step] = self._effects.untold.get(self.step, 0) + 1

    @_take.register
    def _(self, construct: sa.DropConstraint) -> None:
        self._effects.constraints.pop(_constraint_key(construct.element) or ("", "", ""), None)

    @_take.register
    def _(self, construct: ddl.AddColumn) -> None:
        name = str(construct.column.name)
        self._table(construct).columns[name] = self._column(construct.column)
        self._effects.gone.pop((*_table_name(construct), name), None)

    @_take.register
    def _(self, construct: ddl.DropColumn) -> None:
        name = str(construct.column.name)
        self._table(construct).columns.pop(name, None)
        table = _table_name(construct)
        self._effects.gone[(*table, name)] = self.step
        self._detach(lambda attachment: attachment.table == table and attachment.falls_with(name))

    @_take.register
    def _(self, construct: ddl.RenameTable) -> None:
        old = _table_name(construct)
        new = (old[0], str(construct.new_table_name))
        before = self._effects.tables.pop(old, None)
        self._effects.tables[new] = TableEffect(step=self.step, columns=before.columns if before else {})
        self._effects.gone[old] = self.step
        # What is attached keeps its own name, and is looked up no more: its key holds the table's old one.
        self._detach(lambda attachment: attachment.table == old)

    @_take.register
    def _(self, construct: ddl.ColumnName) -> None:
        columns = self._table(construct).columns
        columns.pop(str(construct.column_name), None)
        columns[str(construct.newname)] = ColumnEffect(step=self.step, defined_by=self.step)
        self._effects.gone[(*_table_name(construct), str(construct.column_name))] = self.step

    @_take.register
    def _(self, construct: ddl.ColumnNullable) -> None:
        effect = self._known_column(construct)
        effect.nullable, effect.defined_by = construct.nullable, self.step

    @_take.register(ddl.ColumnType)
    @_take.register(pg_ddl.PostgresqlColumnType)
    def _(self, construct: Any) -> None:
        effect = self._known_column(construct)
        effect.type, effect.defined_by = self._type(construct.type_), self.step

    @_take.register(sa.SetTableComment)
    @_take.register(sa.DropTableComment)
    @_take.register(sa.SetColumnComment)
    @_take.register(sa.DropColumnComment)
    @_take.register(ddl.ColumnComment)
    def _(self, construct: object) -> None:
        """Ignore comments: nothing depends on them."""

    def _table(self, construct: ddl.AlterTable) -> TableEffect:
        return self._effects.tables.setdefault(_table_name(construct), TableEffect(step=""))

    def _known_column(self, construct: ddl.AlterColumn) -> ColumnEffect:
        columns = self._table(construct).columns
        return columns.setdefault(str(construct.column_name), ColumnEffect(step="", defined_by=self.step))

    def _column(self, column: Column[Any]) -> ColumnEffect:
        # A key never takes NULL, whatever its declaration says.
        nullable = None if column.primary_key else column.nullable
        return ColumnEffect(
            step=self.step, defined_by=self.step, type=self._type(column.type), nullable=nullable
        )

    def _type(self, declared: Any) -> str | None:
        try:
            return str(declared.compile(dialect=self._dialect))
        except SQLAlchemyError:
            return None

    def _attachment(self, item: Index | Constraint, columns: Iterable[Any]) -> Attachment:
        table: Table | None = getattr(item, "table", None)
        name = (table.schema or "", str(table.name)) if table is not None else ("", "")
        return Attachment(step=self.step, table=name, columns=frozenset(column.name for column in columns))

    def _detach(self, goes: Callable[[Attachment], bool]) -> None:
        effects = self._effects
        effects.indexes = {key: each for key, each in effects.indexes.items() if not goes(each)}
        effects.constraints = {key: each for key, each in effects.constraints.items() if not goes(each)}


def _table_name(construct: ddl.AlterTable) -> Name:
    return (str(construct.schema or ""), str(construct.table_name))


def _index_name(index: Index) -> Name:
    table = index.table
    return ((table.schema if table is not None else None) or "", str(index.name))


def _constraint_key(constraint: Constraint) -> tuple[str, str, str] | None:
    table: Table | None = getattr(constraint, "table", None)
    if table is None or not isinstance(constraint.name, str):
        return None
    return (table.schema or "", str(table.name), constraint.name)
