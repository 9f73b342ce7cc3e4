"""A new column comes without its index and its constraints; these follow, beside those who write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.migrations import AddField, RemoveField
from django.db.migrations.operations.base import Operation
from django.db.models import Model

from migrator.relational.safety import django_sql
from migrator.relational.safety.case import Case, reversed_parts
from migrator.relational.safety.defaults import AddEmptyColumn, is_of_each_row
from migrator.relational.safety.guards import AddGuard
from migrator.relational.safety.nulls import filling, not_null
from migrator.relational.safety.parts import AddColumn, BuildIndex, Validate
from migrator.relational.safety.uniques import primary_parts, unique_parts


def adding(case: Case) -> Sequence[Operation]:
    """Rewrite a field that is added."""
    if type(case.operation) is not AddField:
        return ()
    field = case.after._meta.get_field(case.operation.name)
    return _parts(case, django_sql.with_default(field, case.one_time_default), case.after)


def removing(case: Case) -> Sequence[Operation]:
    """Rewrite a field that is removed, which its way back adds."""
    if type(case.operation) is not RemoveField:
        return ()
    return reversed_parts(_parts(case, case.before._meta.get_field(case.operation.name), case.before))


def _parts(case: Case, field: Any, model: type[Model]) -> Sequence[Operation]:
    fills = is_of_each_row(field, case.editor)
    if not case.has_column(field) or field.generated or (field.primary_key and not fills):
        return ()
    # A key of a column that is NULL throughout is true without a look.
    is_checked = bool(field.remote_field and field.db_constraint and _is_filled(case, field))
    try:
        rest = [
            *(_filled(case, field, model) if fills else ()),
            *_check(case, field, model),
            *(_reference(case, field, model) if is_checked else ()),
            *index_parts(case, field, model),
            *(_unique(case, field, model) if field.unique else ()),
        ]
    except _LongName:
        return ()
    return (_column(case, field, fills=fills, without_reference=is_checked), *rest) if rest else ()


def _is_filled(case: Case, field: Any) -> bool:
    return case.editor.effective_default(field) is not None or field.has_db_default()


def _column(case: Case, field: Any, *, fills: bool, without_reference: bool) -> Operation:
    if fills:
        return AddEmptyColumn(case.model_name, field.name)
    default = case.one_time_default
    return AddColumn(case.model_name, field.name, without_reference=without_reference, default=default)


def _filled(case: Case, field: Any, model: type[Model]) -> Sequence[Operation]:
    return filling(case, field) if field.null else not_null(case, field, model)


def index_parts(case: Case, field: Any, model: type[Model]) -> Iterator[Operation]:
    """Yield the parts that build the indexes of a field, by Django's own statements."""
    for number, statement in enumerate(django_sql.indexes(model, case.editor, field)):

        def makes(of: type[Model], editor: Any, number: int = number) -> Any:
            return django_sql.indexes(of, editor, of._meta.get_field(field.name))[number]

        yield BuildIndex(case.model_name, django_sql.name_of(statement), makes)


def _reference(case: Case, field: Any, model: type[Model]) -> Sequence[Operation]:
    def makes(of: type[Model], editor: Any) -> Any:
        return django_sql.reference(of, editor, of._meta.get_field(field.name))

    constraint = django_sql.name_of(makes(model, case.editor))
    return (AddGuard(case.model_name, constraint, makes), Validate(case.model_name, constraint))


def _check(case: Case, field: Any, model: type[Model]) -> Sequence[Operation]:
    check = field.db_parameters(case.connection)["check"]
    if not check:
        return ()
    constraint = _as_the_server_names(model, field, "check")

    def makes(of: type[Model], editor: Any) -> Any:
        return django_sql.check(of, editor, constraint, check)

    return (AddGuard(case.model_name, constraint, makes), Validate(case.model_name, constraint))


def _unique(case: Case, field: Any, model: type[Model]) -> Sequence[Operation]:
    if field.primary_key:
        name = _as_the_server_names(model, field, "pkey")
        return primary_parts(case.model_name, model, case.editor, field, name)
    constraint = _as_the_server_names(model, field, "key")

    def makes(of: type[Model], editor: Any) -> Any:
        return django_sql.unique(of, editor, [field.name], constraint)

    return unique_parts(case.model_name, constraint, makes, fields=[field.name])


class _LongName(Exception):
    """The server would shorten a name."""


def _as_the_server_names(model: type[Model], field: Any, suffix: str) -> str:
    """Return the name that PostgreSQL gives to a constraint that has none, if that is known."""
    name = django_sql.name_by_server(model, field, suffix)
    if len(name.encode()) > django_sql.LONGEST_NAME:
        raise _LongName
    return name
