"""The row by which permissions, generic relations and log entries know a model, when that changes its app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import Model

from accord.errors import StepFailed
from migrator.operations import permissions
from migrator.relational import content_types


def rename(editor: Any, source: type[Model], target: type[Model]) -> None:
    """
    Give the content type of one label that of another; its key stays, and with it all that refers to it.

    Code that knew the new label before may have made a row for it. What refers to that one is moved to the
    row that stays.

    Args:
        editor: Django's schema editor.
        source: The model by its label before.
        target: The model by its label after.

    Raises:
        StepFailed: Something refers to both rows that can be there only once.
    """
    labels = source._meta.app_label, target._meta.app_label
    if editor.collect_sql:
        _tell(editor, labels, _name(source))
    elif kind := content_types.in_use(editor.connection):
        _rename(editor, kind, labels, _name(source))


def _tell(editor: Any, labels: tuple[str, str], name: str) -> None:
    if apps.is_installed("django.contrib.contenttypes"):
        table = apps.get_model("contenttypes", "ContentType")._meta.db_table
        editor.execute(_UPDATE.format(editor.quote_name(table)), [*reversed(labels), name])


_REPOINT = "UPDATE {0} SET {1} = %s WHERE {1} = %s"
_UPDATE = "UPDATE {} SET app_label = %s WHERE app_label = %s AND model = %s"


def _name(model: type[Model]) -> str:
    return str(model._meta.model_name)


def _rename(editor: Any, kind: Any, labels: tuple[str, str], name: str) -> None:
    alias = editor.connection.alias
    rows = kind.objects.using(alias).filter(model=name, app_label__in=labels)
    keys = dict(rows.select_for_update().values_list("app_label", "pk"))
    old, new = (keys.get(label) for label in labels)
    if old is None:
        return  # nobody has asked for it yet, or the old label was never in use here
    if new is not None:
        _unite(editor, kind, new, old, ".".join((labels[1], name)))
    kind.objects.using(alias).filter(pk=old).update(app_label=labels[1])
    kind.objects.clear_cache()


def _unite(editor: Any, kind: Any, other: int, kept: int, label: str) -> None:
    """Have everything that refers to one row refer to another, and drop the first."""

    def repoint(model: Any, before: int, after: int) -> None:
        for table, column in sorted(_referring(editor.connection, model)):
            _repoint(editor, label, (table, column), before, after)

    alias = editor.connection.alias
    if permission := content_types.in_use(editor.connection, "auth.Permission"):
        permissions.unite(permission.objects.using(alias), (other, kept), repoint)
    repoint(kind, other, kept)
    # Not by the ORM, which would delete what still refers to it; the database refuses that instead.
    kind.objects.using(alias).filter(pk=other)._raw_delete(alias)  # noqa: SLF001 - its only name


def _repoint(editor: Any, label: str, place: tuple[str, str], before: int, after: int) -> None:
    table, column = place
    update = _REPOINT.format(*map(editor.quote_name, place))
    connection = editor.connection
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(update, [after, before])
    except IntegrityError as exc:
        raise StepFailed(
            f"There is a content type {label} already, and rows of {table} refer to it that are there for "
            "the one that moves, too. Nothing was changed.",
            hint=f"Delete the rows of {table} that nobody needs ({column} is {before}); run it again.",
        ) from exc


def _referring(connection: Any, model: Any) -> set[tuple[str, str]]:
    """Return tables and columns that refer to a model, by the database or by another model."""
    with connection.cursor() as cursor:
        standing = set(connection.introspection.table_names(cursor))
        found = {
            (table, column)
            for table in standing
            for column, there in connection.introspection.get_relations(cursor, table).items()
            if there[1] == model._meta.db_table
        }
    return found | {each for each in _declared(model) if each[0] in standing}


def _declared(target: Any) -> Iterator[tuple[str, str]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if field.is_relation and field.related_model is target:
                yield model._meta.db_table, str(field.column)
