"""A field becomes the primary key: its index is built beside those who write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations import AlterField
from django.db.migrations.operations.base import Operation

from migrator.relational.safety.alterations import changed, nulls, unique_of
from migrator.relational.safety.case import Case, reversed_parts
from migrator.relational.safety.columns import index_parts
from migrator.relational.safety.uniques import primary_parts

_MEANT = {"primary_key", "unique", "null", "serialize"}


def becoming(case: Case) -> Sequence[Operation]:
    """Rewrite a field that becomes the primary key, and that changes in NULL and being unique at most."""
    if type(case.operation) is not AlterField:
        return ()
    old: Any = case.before._meta.get_field(case.operation.name)
    new: Any = case.after._meta.get_field(case.operation.name)
    if not (case.has_column(old) and case.has_column(new)) or old.primary_key or not new.primary_key:
        return ()
    if not changed(old, new) <= _MEANT or (old.db_index and not old.unique) or _is_referred(old):
        return ()
    return [
        *nulls(case, old, new),
        *primary_parts(case.model_name, case.after, case.editor, new),
        *_rest(case, old, new),
    ]


def _rest(case: Case, old: Any, new: Any) -> Sequence[Operation]:
    """Return the parts by which a unique constraint goes, or those of the indexes beside a new one."""
    if old.unique:
        return reversed_parts(unique_of(case, case.before, [old.name]))
    return list(index_parts(case, new, case.after))


def _is_referred(field: Any) -> bool:
    """Return whether keys of other tables are to this field: they hang on the constraint that would go."""
    relations = [
        relation.field for relation in field.model._meta.related_objects if not relation.many_to_many
    ]
    return any(field in relation.foreign_related_fields for relation in relations)
