"""A column takes no NULL, becomes unique or gets an index, with no look at its rows under a lock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations import AlterField, AlterUniqueTogether
from django.db.migrations.operations.base import Operation
from django.db.models import Model

from migrator.relational.safety import django_sql
from migrator.relational.safety.case import Case, reversed_parts
from migrator.relational.safety.columns import index_parts
from migrator.relational.safety.nulls import not_null
from migrator.relational.safety.uniques import unique_parts

_REWRITTEN = {"null", "unique", "db_index"}
OF_MODELS = {"default", "to", "on_delete", "related_name"}
"""What matters to models alone; a key to another table is another matter, and told by its type and column."""


def altering(case: Case) -> Sequence[Operation]:
    """Rewrite a change of a field that is about NULL, being unique, or its index, and about nothing else."""
    if type(case.operation) is not AlterField:
        return ()
    old: Any = case.before._meta.get_field(case.operation.name)
    new: Any = case.after._meta.get_field(case.operation.name)
    if not (case.has_column(old) and case.has_column(new)) or old.primary_key:
        return ()
    differs = changed(old, new)
    if not differs or not differs <= _REWRITTEN:
        return ()
    if "unique" in differs and (old.unique or old.db_index or new.db_index):
        return ()
    return [*nulls(case, old, new), *_indexes(case, old, new), *_unique(case, old, new)]


def together(case: Case) -> Sequence[Operation]:
    """Rewrite fields that have to be unique together, where none such are taken away."""
    if type(case.operation) is not AlterUniqueTogether:
        return ()
    old = {tuple(fields) for fields in case.model_before.options.get("unique_together") or ()}
    new = {tuple(fields) for fields in case.operation.unique_together or ()}
    if old - new:
        return ()
    return [part for fields in sorted(new - old) for part in unique_of(case, case.after, fields)]


def changed(old: Any, new: Any) -> set[str]:
    """Name what a database may have to do with of the difference between two fields of one column."""
    (_, path, args, was), (_, new_path, new_args, becomes) = old.deconstruct(), new.deconstruct()
    if path != new_path or args != new_args or _target(old) != _target(new):
        return {"type"}
    if old.column != new.column:
        return {"column"}
    names = {name for name in was.keys() | becomes.keys() if was.get(name) != becomes.get(name)}
    return names - set(new.non_db_attrs) - OF_MODELS


def _target(field: Any) -> Any:
    return field.remote_field and field.target_field.model._meta.db_table


def nulls(case: Case, old: Any, new: Any) -> Sequence[Operation]:
    """Return the parts of what two fields differ in about NULL."""
    if old.null == new.null:
        return ()
    if old.null:
        return not_null(case, django_sql.with_default(new, case.one_time_default), case.after)
    return reversed_parts(not_null(case, old, case.before, fills=False))


def _indexes(case: Case, old: Any, new: Any) -> Sequence[Operation]:
    # One that goes may have another name by now: Django looks for it, and drops it in a moment.
    return list(index_parts(case, new, case.after)) if new.db_index and not old.db_index else ()


def _unique(case: Case, old: Any, new: Any) -> Iterator[Operation]:
    if not old.unique and new.unique:
        yield from unique_of(case, case.after, [new.name])
        yield from index_parts(case, new, case.after)


def unique_of(case: Case, model: type[Model], fields: Sequence[str]) -> Sequence[Operation]:
    """Return the parts of fields that become unique together, in a model."""

    def makes(of: type[Model], editor: Any) -> Any:
        return django_sql.unique(of, editor, fields)

    name = django_sql.name_of(makes(model, case.editor))
    return unique_parts(case.model_name, name, makes, fields=fields)
