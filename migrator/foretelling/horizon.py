"""
What can be seen from here: what pending steps will have made or changed before an act, no look can tell.

Pure: it is told of each act in the order in which they would go.
"""

from __future__ import annotations

import re

from accord.seam.types import StepKey
from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.questions import Question, refuses_null
from migrator.foretelling.tokens import plain

_FILLS = re.compile(r"\bIS\s+NULL\s*\)*\s*$", re.IGNORECASE)


class Horizon:
    """Remembers which pending step makes or changes what."""

    def __init__(self) -> None:
        self.code: StepKey | None = None
        """The latest step that runs code, or SQL that isn't understood: it may change any row."""
        self.defined: StepKey | None = None
        """The latest step that brings names of types, operators or functions."""
        self.made: dict[str, StepKey] = {}
        """Names of tables, indexes and constraints that come."""
        self.gone: set[str] = set()
        """Names that go."""
        self.takes_along = False
        """Whether something goes that takes names of indexes and constraints along."""
        self.unvalidated: dict[tuple[str, str], Act] = {}
        """Constraints that come for new rows alone, by table and name."""
        self._fresh: set[str] = set()
        self._rows: dict[str, StepKey] = {}
        self._columns: dict[tuple[str, str], StepKey] = {}
        self._filled: set[tuple[str, str]] = set()

    def note(self, key: StepKey, act: Act) -> None:
        """Take note of an act."""
        table = plain(act.table) if act.table else ""
        if act.kind is Kind.UNREAD:
            self.note_code(key)
        elif act.kind is Kind.CREATE_TABLE:
            self._make(key, table)
        elif act.kind in (Kind.DEFINES, Kind.EXTENSION, Kind.COLLATION):
            self.defined = key
        elif act.kind is Kind.RENAME:
            self._rename(key, act, table)
        elif act.kind is Kind.UPDATE:
            self._update(key, act, table)
        elif act.kind is Kind.ROWS:
            self._fresh.discard(table)
            self._rows[table] = key
        self._note_constraint(act, table)
        self._note_shape(key, act, table)

    def _note_shape(self, key: StepKey, act: Act, table: str) -> None:
        if act.kind in (Kind.ADD_COLUMN, Kind.TYPE, Kind.DROP_COLUMN):
            self._columns.update({(table, plain(column)): key for column in act.columns})
        if act.kind in (Kind.DROP_TABLE, Kind.DROP_COLUMN, Kind.DEFINES, Kind.UNREAD):
            self.takes_along = True
        if act.kind in (Kind.DROP_TABLE, Kind.DROP_INDEX):
            self.gone.add(plain(act.name))
            self.made.pop(plain(act.name), None)
        elif act.name:
            self.made[plain(act.name)] = key

    def _note_constraint(self, act: Act, table: str) -> None:
        place = (table, plain(act.name))
        if not act.valid and act.kind in (Kind.CHECK, Kind.FOREIGN_KEY):
            self.unvalidated[place] = act
        elif act.kind is Kind.VALIDATE and place in self.unvalidated:
            column = refuses_null(self.unvalidated[place])
            # It was asked about by then.
            self._filled.update({(table, plain(column))} if column else ())

    def note_code(self, key: StepKey) -> None:
        """Take note of a step that may change any row, and may bring any name."""
        self.code = self.defined = key
        self.takes_along = True
        self._fresh.clear()

    def _make(self, key: StepKey, table: str) -> None:
        self.made[table] = key
        self._fresh.add(table)

    def _rename(self, key: StepKey, act: Act, table: str) -> None:
        if act.target:
            new = plain(act.target)
            self.gone.add(table)
            self.made[new] = key
            if table in self._fresh:
                self._fresh.add(new)
        self._columns.update({(table, plain(column)): key for column in act.columns})

    def _update(self, key: StepKey, act: Act, table: str) -> None:
        columns = [(table, plain(column)) for column in act.columns]
        self._columns.update(dict.fromkeys(columns, key))
        gives = not re.search(r"=\s*NULL\s*$", act.expression, re.IGNORECASE)
        if gives and (not act.where or _FILLS.search(act.where)):
            self._filled.update(columns)

    def is_fresh(self, table: str) -> bool:
        """Return whether a table is made by a pending step and surely empty when the act comes."""
        return plain(table) in self._fresh

    def writes(self, table: str) -> bool:
        """Return whether a pending step writes rows into a table."""
        return plain(table) in self._rows

    def is_changed(self, table: str, column: str) -> bool:
        """Return whether a pending step makes, changes or drops a column."""
        return (plain(table), plain(column)) in self._columns

    def is_settled(self, act: Act) -> bool:
        """Return whether a pending step sees to it that no row holds NULL before its column takes none."""
        places = {(plain(act.table), plain(column)) for column in act.columns}
        return act.kind is Kind.NOT_NULL and places <= self._filled

    def hides(self, act: Act, question: Question) -> StepKey | None:
        """Return the pending step before which a question can't be asked."""
        for table in (act.table, *question.more):
            name = plain(table)
            if name in self.made and name not in self._fresh:
                return self.made[name]
            if name in self._rows:
                return self._rows[name]
        table = plain(act.table)
        return next(
            (self._columns[table, column] for column in question.columns if (table, column) in self._columns),
            None,
        )
