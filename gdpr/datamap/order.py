"""
The order of an erasure: search, then MongoDB, then tables with children before what they refer to.

Places of the project's own come last: they may be slow, or silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connections

from accord import conf, db
from gdpr.datamap.actions import Refresh
from gdpr.datamap.entries import Entry
from gdpr.datamap.externals import EXTERNAL

if TYPE_CHECKING:
    from django.db.models import Model

_SEARCH, _DOCUMENTS, _TABLES, _OUTSIDE = range(4)


def rank(entry: Entry, entries: Mapping[str, Entry]) -> tuple[int, str, bool, int, int, int, str]:
    """
    Return an entry's place in an erasure, to sort by.

    Args:
        entry: The entry.
        entries: All of them, by id.
    """
    # A derived copy goes before its source, a child before its parent; a view is refreshed after everything
    # that it could be made from, another view included.
    is_view = isinstance(entry.action, Refresh)
    derivations = _derivations(entry, entries, frozenset())
    return (
        _kind(entry.store),
        entry.store,
        is_view,
        entry.order,
        -_references(_model(entry), frozenset()),
        derivations if is_view else -derivations,
        entry.id,
    )


def _kind(alias: str) -> int:
    """Return what kind of store an alias is, without building it or connecting to it."""
    if alias.startswith(EXTERNAL):
        return _OUTSIDE
    if alias in connections.settings:
        is_mongodb = db.product_of(connections.settings[alias]["ENGINE"]) == "mongodb"
        return _DOCUMENTS if is_mongodb else _TABLES
    settings = conf.load().store_settings().get(alias)
    return _SEARCH if settings is not None and "search" in settings.backend else _DOCUMENTS


def _model(entry: Entry) -> type[Model] | None:
    try:
        return apps.get_model(entry.target)
    except (LookupError, ValueError):
        return None


def _references(model: type[Model] | None, seen: frozenset[type[Model]]) -> int:
    """Count the longest chain of foreign keys that begins at a model."""
    if model is None or model in seen:
        return 0
    targets = [
        field.related_model for field in model._meta.concrete_fields if field.many_to_one or field.one_to_one
    ]
    depths = [1 + _references(target, seen | {model}) for target in targets if isinstance(target, type)]
    return max(depths, default=0)


def _derivations(entry: Entry, entries: Mapping[str, Entry], seen: frozenset[str]) -> int:
    if entry.id in seen:
        return 0
    sources = [entries[source] for source in entry.derived_from if source in entries]
    return max((1 + _derivations(one, entries, seen | {entry.id}) for one in sources), default=0)
