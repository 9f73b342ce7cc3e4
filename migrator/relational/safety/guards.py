"""Checks that stand for a while only, so that `SET NOT NULL` reads no row."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from migrator.relational.safety.parts import AddUnvalidated, Part, Validate, altered


class AddGuard(AddUnvalidated):
    """Add what is there for a while only, or goes with its column; where it isn't, undoing it is done."""

    def undo(self, model: type[Model], editor: Any) -> None:
        """Drop it, if it is there."""
        _drop_guard(model, editor, self.name)


class ValidateGuard(Validate):
    """
    Have the server check such a check; where it isn't there any more, what it spares is left to be done.

    A run that turned back in the middle, behind the end of the check, and forward again finds it gone: then
    `SET NOT NULL` reads the rows itself, under its lock.
    """

    def do(self, model: type[Model], editor: Any) -> None:
        """Check every row, if it is there."""
        if editor.collect_sql or _stands(model, editor, self.name):
            super().do(model, editor)


class SetNotNull(Part):
    """
    Let a column take no NULL; a validated check says that it holds none, so that no row is read.

    The check goes in the same transaction, which waits for one lock, and doesn't come back on the way back.

    Args:
        model_name: The model.
        name: The column.
        guard: The check.
    """

    def __init__(self, model_name: str, name: str, guard: str) -> None:
        super().__init__(model_name, name)
        self._guard = guard

    def do(self, model: type[Model], editor: Any) -> None:
        """Set it. Two statements: one that drops the check, too, would drop it first, and read the rows."""
        editor.execute(altered(model, editor, f"ALTER COLUMN {editor.quote_name(self.name)} SET NOT NULL"))
        _drop_guard(model, editor, self._guard)

    def undo(self, model: type[Model], editor: Any) -> None:
        """Let it take NULL again."""
        editor.execute(altered(model, editor, f"ALTER COLUMN {editor.quote_name(self.name)} DROP NOT NULL"))


def _stands(model: type[Model], editor: Any, name: str) -> bool:
    table = editor.quote_name(model._meta.db_table)
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s", [table, name]
        )
        return cursor.fetchone() is not None


def _drop_guard(model: type[Model], editor: Any, name: str) -> None:
    editor.execute(altered(model, editor, f"DROP CONSTRAINT IF EXISTS {editor.quote_name(name)}"))
