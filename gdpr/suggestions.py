"""Suggestions for what the data map doesn't name, from names, types and a few values of the live stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import connections

from accord import db
from gdpr.datamap.actions import Nothing
from gdpr.datamap.entries import TABLE, Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.guesses import EMAIL, Basis, Guess, guesses, owners
from gdpr.datamap.kinds import Subject
from gdpr.datamap.lock import Fields
from gdpr.datamap.map import DataMap
from gdpr.datamap.suggested import Suggestion
from gdpr.stores.base import ErasureStore
from gdpr.stores.paths import at

ROWS = 100
"""Rows or documents of which values are looked at, at most."""
_EMAIL_KEY = "email"
_ANYBODY = ("user", "owner", "account", "customer", "person", "member", "author")


def suggestions(data_map: DataMap, stores: Sequence[ErasureStore], *, sample: bool) -> Iterator[Suggestion]:
    """
    Suggest entries for each place that has none: one, or one for each kind of person who is found there.

    Args:
        data_map: The data map.
        stores: Where to look.
        sample: Whether to look at a few values of each field. None of them is given back.

    Raises:
        StoreUnavailable: A store can't be reached.
    """
    for store in stores:
        found = store.inspect(data_map.by_store().get(store.alias, ()))
        missing = [_unnamed(one) for one in found if one.fault is Fault.UNCLASSIFIED]
        live = store.inventory(missing)
        for entry in missing:
            rows = list(islice(store.some(entry, ROWS), ROWS)) if sample else []
            yield from _suggested(entry, live.get(entry.target, {}), rows, data_map.subjects)


def _unnamed(finding: MapFinding) -> Entry:
    """Stand in for the entry that isn't there."""
    target = finding.target
    if _is_table(finding.store) and not _model_exists(target):
        target = f"{TABLE}{target}"
    return Entry(id=target, store=finding.store, target=target, action=Nothing("?"))


def _is_table(alias: str) -> bool:
    settings = connections.settings.get(alias)
    return settings is not None and db.product_of(settings["ENGINE"]) != "mongodb"


def _model_exists(label: str) -> bool:
    try:
        apps.get_model(label)
    except (LookupError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class _Owner:
    """The field that says whose a row is, how that is known, which key of which kind of person it holds."""

    column: str = ""
    basis: Basis = Basis.NAME
    by: str = ""
    kind: Subject | None = None


def _suggested(
    entry: Entry, fields: Fields, rows: Sequence[Mapping[str, Any]], subjects: Sequence[Subject]
) -> Iterator[Suggestion]:
    """Suggest an entry for each kind of person whom a link leads to, or one whose kind a person writes."""
    values = {path: [value for row in rows for value in at(row, path)] for path in fields}
    guessed = guesses(fields, values)
    linked = [one for kind in subjects for one in _linked(entry, fields, kind)]
    owned = linked or [_unlinked(fields, guessed, subjects)]
    links = {one.column for one in linked}
    for owner in owned:
        yield Suggestion(
            store=entry.store,
            target=entry.target,
            owner=_as_field(entry, owner.column),
            owner_type=fields.get(owner.column, ""),
            owner_basis=owner.basis,
            owner_by=owner.by,
            guesses=[one for one in guessed if one.path != owner.column and one.path not in links],
            fields=len(fields),
            sampled=bool(rows),
            kind=owner.kind.called if owner.kind and len(subjects) > 1 else "",
            kinds=tuple(one.called for one in subjects) if len(subjects) > 1 else (),
            alone=len(owned) == 1,
        )


def _linked(entry: Entry, fields: Fields, kind: Subject) -> Iterator[_Owner]:
    """Find the field that leads to one kind of person: by a foreign key, or by what that kind is called."""
    keys = _foreign_keys(entry, kind.model)
    if keys:
        yield _Owner(keys[0], Basis.KEY, kind=kind)
        return
    named = owners(fields, dict.fromkeys((kind.model.rpartition(".")[2].lower(), kind.called)))
    if named:
        yield _Owner(named[0], Basis.NAME, kind=kind)


def _unlinked(fields: Fields, guessed: Sequence[Guess], subjects: Sequence[Subject]) -> _Owner:
    """Find a field that may hold the key of anybody, by what people are called elsewhere."""
    named = owners(fields, _ANYBODY)
    if named:
        return _Owner(named[0])
    mails = [one for one in guessed if one.what == EMAIL]
    if mails and any(_EMAIL_KEY in one.names for one in subjects):
        return _Owner(mails[0].path, mails[0].basis, _EMAIL_KEY)
    return _Owner()


def _foreign_keys(entry: Entry, subject: str) -> list[str]:
    """Return the columns by which a model refers to the data subject: the one thing that is no guess."""
    if not _model_exists(entry.target):
        return []
    fields = apps.get_model(entry.target)._meta.local_concrete_fields
    wanted = next((model for model in apps.get_models() if model._meta.label == subject), None)
    return [str(field.column) for field in fields if wanted is not None and field.related_model is wanted]


def _as_field(entry: Entry, column: str) -> str:
    """Return a column's name as entries of its model have it."""
    if not _model_exists(entry.target):
        return column
    fields = apps.get_model(entry.target)._meta.local_concrete_fields
    return next((field.attname for field in fields if field.column == column), column)
