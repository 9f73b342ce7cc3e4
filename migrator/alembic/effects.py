"""
What revisions would leave behind, heard from their operations while they run offline.

Tables, columns, indexes and named constraints can be looked up in a catalog later. Anything
else (rows, functions, raw SQL) counts as untold: nobody can see from outside whether it ran.
"""

from __future__ import annotations

from collections.abc import Callable
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
    """A column that should be there: its type in words, and whether it takes NULL; None where untold."""

    step: str
    type: str | None = None
    nullable: bool | None = None


@dataclass(kw_only=True)
class TableEffect:
    """A table that should be there; `step` is empty for one that an earlier step made."""

    step: str
    columns: dict[str, ColumnEffect] = field(default_factory=dict)


@dataclass(kw_only=True)
class Effects:
    """
    What should stand after all the steps.

    Attributes:
        tables: Tables by name; one that no step here created has no step.
        indexes: Steps by the name of the index that they created.
        constraints: Steps by table and name of the constraint that they created.
        untold: Steps that did something which can't be looked up, with how often.
        silent: Steps that did nothing at all, or couldn't be run offline when the value is a reason.
    """

    tables: dict[Name, TableEffect] = field(default_factory=dict)
    indexes: dict[Name, str] = field(default_factory=dict)
    constraints: dict[tuple[str, str, str], str] = field(default_factory=dict)
    untold: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    gone: dict[Name, str] = field(default_factory=dict)


class Recorder:
    """
    Hears operations and keeps their effects.

    Args:
        effects: Where they are kept.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._dialect: Dialect = pg_dialect()
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
        self._forget(lambda key: key[:2] == name)

    @_take.register
    def _(self, construct: sa.CreateIndex) -> None:
        index: Index = construct.element
        self._effects.indexes[_index_name(index)] = self.step

    @_take.register
    def _(self, construct: sa.DropIndex) -> None:
        self._effects.indexes.pop(_index_name(construct.element), None)

    @_take.register
    def _(self, construct: sa.AddConstraint) -> None:
        if key := _constraint_key(construct.element):
            self._effects.constraints[key] = self.step
        else:
            self._effects.untold[self.step] = self._effects.untold.get(self.step, 0) + 1

    @_take.register
    def _(self, construct: sa.DropConstraint) -> None:
        self._effects.constraints.pop(_constraint_key(construct.element) or ("", "", ""), None)

    @_take.register
    def _(self, construct: ddl.AddColumn) -> None:
        self._table(construct).columns[str(construct.column.name)] = self._column(construct.column)

    @_take.register
    def _(self, construct: ddl.DropColumn) -> None:
        self._table(construct).columns.pop(str(construct.column.name), None)

    @_take.register
    def _(self, construct: ddl.RenameTable) -> None:
        old = (str(construct.schema or ""), str(construct.table_name))
        new = (old[0], str(construct.new_table_name))
        self._effects.tables[new] = self._effects.tables.pop(old, None) or TableEffect(step=self.step)
        moved = {key: step for key, step in self._effects.constraints.items() if key[:2] == old}
        self._forget(lambda key: key[:2] == old)
        self._effects.constraints.update({(*new, key[2]): step for key, step in moved.items()})

    @_take.register
    def _(self, construct: ddl.ColumnName) -> None:
        columns = self._table(construct).columns
        effect = columns.pop(str(construct.column_name), None) or ColumnEffect(step=self.step)
        columns[str(construct.newname)] = effect

    @_take.register
    def _(self, construct: ddl.ColumnNullable) -> None:
        self._known_column(construct).nullable = construct.nullable

    @_take.register(ddl.ColumnType)
    @_take.register(pg_ddl.PostgresqlColumnType)
    def _(self, construct: Any) -> None:
        self._known_column(construct).type = self._type(construct.type_)

    @_take.register(sa.SetTableComment)
    @_take.register(sa.DropTableComment)
    @_take.register(sa.SetColumnComment)
    @_take.register(sa.DropColumnComment)
    @_take.register(ddl.ColumnComment)
    def _(self, construct: object) -> None:
        """A comment: nothing depends on it."""

    def _table(self, construct: ddl.AlterTable) -> TableEffect:
        name = (str(construct.schema or ""), str(construct.table_name))
        return self._effects.tables.setdefault(name, TableEffect(step=""))

    def _known_column(self, construct: ddl.AlterColumn) -> ColumnEffect:
        columns = self._table(construct).columns
        return columns.setdefault(str(construct.column_name), ColumnEffect(step=self.step))

    def _column(self, column: Column[Any]) -> ColumnEffect:
        # A key never takes NULL, whatever its declaration says.
        nullable = None if column.primary_key else column.nullable
        return ColumnEffect(step=self.step, type=self._type(column.type), nullable=nullable)

    def _type(self, declared: Any) -> str | None:
        try:
            return str(declared.compile(dialect=self._dialect))
        except SQLAlchemyError:
            return None

    def _forget(self, matches: Callable[[tuple[str, str, str]], bool]) -> None:
        kept = {key: step for key, step in self._effects.constraints.items() if not matches(key)}
        self._effects.constraints.clear()
        self._effects.constraints.update(kept)


def _index_name(index: Index) -> Name:
    table = index.table
    return ((table.schema if table is not None else None) or "", str(index.name))


def _constraint_key(constraint: Constraint) -> tuple[str, str, str] | None:
    table: Table | None = getattr(constraint, "table", None)
    if table is None or not isinstance(constraint.name, str):
        return None
    return (table.schema or "", str(table.name), constraint.name)
