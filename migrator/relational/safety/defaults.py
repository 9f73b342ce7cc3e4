"""A new column whose default is another for each row: first empty, then filled beside those who write."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from migrator.foretelling.locks import is_constant
from migrator.relational.safety import django_sql
from migrator.relational.safety.parts import Part, altered


class AddEmptyColumn(Part):
    """Add the column of a field without a value for the rows that stand; new ones get the default."""

    def do(self, model: type[Model], editor: Any) -> None:
        """Add it, and then its default: in one statement, the server would write every row anew."""
        field = model._meta.get_field(self.name)
        editor.add_field(model, django_sql.empty(field))
        change, values = django_sql.database_default(model, editor, field)
        editor.execute(altered(model, editor, change), values or None)

    def undo(self, model: type[Model], editor: Any) -> None:
        """Remove it, as Django does."""
        editor.remove_field(model, model._meta.get_field(self.name))


def is_of_each_row(field: Any, editor: Any) -> bool:
    """
    Return whether a field's default in the database is asked anew for each row.

    What isn't known not to be counts as such: sent in parts, it does no harm.

    Args:
        field: The field, of a model.
        editor: Django's schema editor; nothing is sent by it.
    """
    if not field.has_db_default():
        return False
    sql, values = editor.db_default_sql(field)
    return not is_constant(sql % tuple("NULL" for _ in values) if values else sql)
