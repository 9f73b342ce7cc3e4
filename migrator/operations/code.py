"""Rows handed to a function, some at a time, and what it made of them written by one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from migrator.operations import keeping
from migrator.operations.compiling import Column, column_of, field_of
from migrator.operations.sql import EVERY, Sql, joined, names, put, send
from migrator.operations.walking import Walk
from migrator.relational.before import Kept

RowFunction = Callable[[list[Any], Any, Any], object]
"""Called with `(rows, apps, schema_editor)`."""


@dataclass(frozen=True, kw_only=True)
class Code:
    """
    A function that changes fields of rows.

    Attributes:
        function: Changes the rows that it is given, or writes elsewhere by itself.
        model: The model as it is at that time.
        writes: Fields that it changes.
        apps: The models of that time.
        editor: Django's schema editor.
    """

    function: RowFunction
    model: type[Model]
    writes: Sequence[str]
    apps: Any
    editor: Any

    def change(self, walk: Walk, chosen: Sql, *, unique: bool, kept: Kept | None = None) -> int:
        """
        Hand the rows of a condition over, locked, and write what became of them.

        Args:
            walk: Their table.
            chosen: The condition.
            unique: Others may refer to a field that is written, so that the lock keeps them away, too.
            kept: Where values of before are kept, if they are.

        Returns:
            How many rows were written.
        """
        alias = self.editor.connection.alias
        every: Any = self.model._base_manager.using(alias)
        # The text is the author's of the migration, and what we made of a model's names.
        found = every.extra(where=[chosen.text], params=list(chosen.params)).order_by("pk")  # noqa: S610
        rows = list(found.select_for_update(of=("self",), no_key=not unique))
        if not rows:
            return 0
        self.function(rows, self.apps, self.editor)
        if not self.writes:
            return 0
        connection = self.editor.connection
        if kept is None:
            return send(connection, self._writing(walk, rows, Sql(""), EVERY))
        update = self._writing(walk, rows, Sql("accord_old, "), keeping.tied(kept, walk))
        return keeping.write(connection, kept, walk, chosen, update, unique=unique)

    def _writing(self, walk: Walk, rows: Iterable[Any], beside: Sql, tied: Sql) -> Sql:
        """Return the statement that writes what differs: one for all rows."""
        columns = [column_of(self.model, self.editor.connection, name) for name in self.writes]
        keys = names([f"accord_made_{number}" for number in range(len(walk.keys))])
        news = [Sql(f"accord_new_{number}") for number in range(len(columns))]
        values = joined(", ", (self._values(walk, columns, row) for row in rows))
        setting = joined(
            ", ", (put("{} = {}", one.name, new) for one, new in zip(columns, news, strict=True))
        )
        own = [Sql.written(f"{walk.table}.{key}") for key in walk.keys]
        differs = (
            put("{}.{} IS DISTINCT FROM {}", Sql.written(walk.table), one.name, new)
            for one, new in zip(columns, news, strict=True)
        )
        return put(
            "UPDATE {} SET {} FROM {} (VALUES {}) AS accord_made ({}) WHERE ({}) = ({}) AND ({}) AND {}",
            *(Sql.written(walk.table), setting, beside, values, joined(", ", [keys, *news])),
            *(joined(", ", own), keys, joined(" OR ", differs), tied),
        )

    def _values(self, walk: Walk, columns: Sequence[Column], row: Any) -> Sql:
        key = zip(self.model._meta.pk_fields, walk.types, strict=True)
        kept = [self._cast(field, kind, row) for field, kind in key]
        made = [
            self._cast(field_of(self.model, name), column.kind, row)
            for name, column in zip(self.writes, columns, strict=True)
        ]
        return put("({})", joined(", ", [*kept, *made]))

    def _cast(self, field: Any, kind: str, row: Any) -> Sql:
        value = field.get_db_prep_save(getattr(row, field.attname), self.editor.connection)
        if hasattr(value, "as_sql"):
            # A field may prepare an expression: an array of casts, a document.
            text, params = value.as_sql(None, self.editor.connection)
            return Sql(f"CAST({text} AS {kind})", tuple(params))
        return Sql(f"CAST(%s AS {kind})", (value,))
