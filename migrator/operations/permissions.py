"""Permissions of two content types that become one: who holds either holds the one that stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def unite(rows: Any, kinds: tuple[int, int], repoint: Callable[[Any, int, int], None]) -> None:
    """
    Give the permissions of one content type to another; those that both have become one.

    Args:
        rows: The permissions of a database, as a query.
        kinds: Key of the content type that goes, and of the one that stays.
        repoint: Has what refers to a row of a model refer to another row of it.
    """
    other, kept = kinds
    twins = dict(rows.filter(content_type=kept).values_list("codename", "pk"))
    for key, codename in rows.filter(content_type=other).values_list("pk", "codename"):
        if codename in twins:
            _hand_over(rows, key, twins[codename])
            repoint(rows.model, key, twins[codename])
            # The database refuses what still refers to it, which the ORM would delete.
            rows.filter(pk=key)._raw_delete(rows.db)  # noqa: SLF001 - its only name
    rows.filter(content_type=other).update(content_type=kept)


def _hand_over(rows: Any, other: int, kept: int) -> None:
    """Let go of what holders of both would hold twice."""
    for relation in rows.model._meta.related_objects:
        if relation.many_to_many:
            holder, held = relation.field.m2m_field_name(), relation.field.m2m_reverse_field_name()
            links = relation.through.objects.using(rows.db)
            both = links.filter(**{held: kept}).values(holder)
            links.filter(**{held: other, f"{holder}__in": both}).delete()
