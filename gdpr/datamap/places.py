"""What the data map says of a table, a collection or an index as a whole, in the words of its store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db import models

from accord.personal import Owner, Place, overlap
from gdpr.datamap.entries import TABLE, Entry
from gdpr.datamap.locators import Array, Key, Path, parts
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.openness import model_of, personal_names


def place(store: str, holder: str) -> Place:
    """
    Return what is personal in a place, and what says whose it is. See :class:`accord.personal.Knows`.

    Raises:
        InvalidDataMap: The data map can't be read.
    """
    data_map, model = load_data_map(), model_of(holder)
    targets = {holder, f"{TABLE}{holder}", model._meta.label if model else holder}
    entries = data_map.by_store().get(store, ())
    found = [entry for entry in entries if entry.target in targets and entry.holds_data]
    owners = tuple(dict.fromkeys(owner for entry in found for owner in _owners(data_map, entry, model)))
    return Place(
        personal=frozenset(_columns(model, {name for entry in found for name in personal_names(entry)})),
        whole=any(not entry.fields for entry in found),
        owners=owners,
        owned_elsewhere=any(entry.locator is not None for entry in found) and not owners,
    )


def _columns(model: type[models.Model] | None, names: Iterable[str]) -> Iterator[str]:
    """Yield the columns that fields stand in; a path into a column of JSON makes all of it personal."""
    for name in names:
        found = _columns_of(model, name)
        yield from found or (name,)


def _columns_of(model: type[models.Model] | None, name: str) -> Sequence[str]:
    fields = model._meta.concrete_fields if model else ()
    if model and name == "pk":
        return [str(field.column) for field in model._meta.pk_fields]
    return [
        str(field.column)
        for field in fields
        if any(overlap(name, str(spelled)) for spelled in (field.column, field.name, field.attname))
    ]


def _owners(data_map: DataMap, entry: Entry, model: type[models.Model] | None) -> Iterator[Owner]:
    """Yield the fields that hold the key by which tombstones know a person: the primary one."""
    for subject in data_map.subjects:
        if not entry.is_of(subject.model):
            continue
        for part in parts(entry.locator):
            # A key within a document that is one column stands in no column of its own.
            is_within = model is not None and not isinstance(part, Key)
            if isinstance(part, Key | Path | Array) and part.by in ("", subject.key) and not is_within:
                for column in _columns(model, [_path(part)]):
                    yield Owner(kind=subject.model.lower(), path=column)


def _path(part: Key | Path | Array) -> str:
    if isinstance(part, Array):
        return f"{part.array}.{part.inner}" if part.inner else part.array
    return part.field if isinstance(part, Key) else part.path
