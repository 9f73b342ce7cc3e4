"""The row by which permissions, generic relations and log entries know a model, when that changes its app."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, router, transaction
from django.db.models import Model

from accord.errors import StepFailed
from migrator.operations import permissions
from migrator.operations.referring import Place, referring
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
    labels, connection = (source._meta.app_label, target._meta.app_label), editor.connection
    if editor.collect_sql:
        _tell(editor, labels, _name(source))
        return
    # Elsewhere it is a transaction of its own: done before, and nothing to do where it is done again.
    home = content_types.keeper(connection) if _is_of(connection, source) else connection
    if kind := content_types.in_use(home):
        with transaction.atomic(using=home.alias):
            _rename(home, kind, labels, _name(source))


def _is_of(connection: Any, model: type[Model]) -> bool:
    return bool(router.allow_migrate_model(connection.alias, model))


def _tell(editor: Any, labels: tuple[str, str], name: str) -> None:
    kind = content_types.in_use(editor.connection)
    if kind is not None:
        table = editor.quote_name(kind._meta.db_table)
        editor.execute(_UPDATE.format(table), [*reversed(labels), name])


_REPOINT = "UPDATE {0} SET {1} = %s WHERE {1} = %s"
_UPDATE = "UPDATE {} SET app_label = %s WHERE app_label = %s AND model = %s"


def _name(model: type[Model]) -> str:
    return str(model._meta.model_name)


def _rename(connection: Any, kind: Any, labels: tuple[str, str], name: str) -> None:
    alias = connection.alias
    rows = kind.objects.using(alias).filter(model=name, app_label__in=labels)
    keys = dict(rows.select_for_update().values_list("app_label", "pk"))
    old, new = (keys.get(label) for label in labels)
    if old is None:
        return  # nobody has asked for it yet, or the old label was never in use here
    if new is not None:
        _unite(connection, kind, new, old, ".".join((labels[1], name)))
    kind.objects.using(alias).filter(pk=old).update(app_label=labels[1])
    kind.objects.clear_cache()


def _unite(connection: Any, kind: Any, other: int, kept: int, label: str) -> None:
    """Have everything that refers to one row refer to another, and drop the first."""

    def repoint(model: Any, before: int, after: int) -> None:
        for place in sorted(referring(connection, model)):
            _repoint(connection, label, place, (before, after))

    alias = connection.alias
    if permission := content_types.in_use(connection, "auth.Permission"):
        permissions.unite(permission.objects.using(alias), (other, kept), repoint)
    repoint(kind, other, kept)
    # Not by the ORM, which would delete what still refers to it; the database refuses that instead.
    kind.objects.using(alias).filter(pk=other)._raw_delete(alias)  # noqa: SLF001 - its only name


def _repoint(connection: Any, label: str, place: Place, keys: tuple[int, int]) -> None:
    (table, column), (before, after) = place, keys
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(_REPOINT.format(table, column), [after, before])
    except IntegrityError as exc:
        raise StepFailed(
            f"There is a content type {label} already, and rows of {table} refer to it that are there for "
            "the one that moves, too. Nothing was changed.",
            hint=f"Delete the rows of {table} that nobody needs ({column} is {before}); run it again.",
        ) from exc
