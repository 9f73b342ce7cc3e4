"""What the data map says of values that somebody would show: nobody's personal data, or not known to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.apps import apps
from django.db import models

from accord.errors import AccordError
from accord.personal import overlap
from gdpr.datamap.actions import Nothing, touched
from gdpr.datamap.entries import TABLE, Entry
from gdpr.datamap.locators import Array, External, Generic, Key, Path, Rows, Sessions, Simple, Through, parts
from gdpr.datamap.map import load_data_map


def is_open(store: str, holder: str, names: Collection[str]) -> bool:
    """
    Return whether the data map has the place and calls none of the names personal.

    What finds a person is personal, too. An entry that holds data and names no field says nothing of any.
    See :class:`accord.personal.Answers`.

    Args:
        store: Alias of the store.
        holder: Table or collection.
        names: Columns or dotted paths.
    """
    try:
        entries = load_data_map().by_store().get(store, ())
    except AccordError:
        # A data map that can't be read says nothing; its own check tells why.
        return False
    model = model_of(holder)
    targets = {holder, f"{TABLE}{holder}", model._meta.label if model else holder}
    found = [entry for entry in entries if entry.target in targets]
    if not names or not found or any(entry.holds_data and not entry.fields for entry in found):
        return False
    personal = {name for entry in found for name in personal_names(entry)}
    return all(_is_known(model, name) and not _meets(model, name, personal) for name in names)


def model_of(table: str) -> type[models.Model] | None:
    """Return the model of a table; None where it has none."""
    known = apps.get_models(include_auto_created=True)
    return next((model for model in known if model._meta.db_table == table), None)


def personal_names(entry: Entry) -> Iterator[str]:
    """Yield what an entry calls personal, and what finds a person, in its own words."""
    if isinstance(entry.action, Nothing):
        return
    yield from entry.fields
    yield from touched(entry.action)
    for locator in parts(entry.locator):
        yield from _keys(locator)


def _keys(locator: Simple | Sessions | External) -> tuple[str, ...]:
    """Return the fields by which a person is found."""
    match locator:
        case Key(field=field) | Rows(field=field):
            return (field,)
        case Path(path=path):
            return (path,)
        case Array():
            return (f"{locator.array}.{locator.inner}" if locator.inner else locator.array,)
        case Through(path=path):
            return (path.partition("__")[0],)
        case Generic():
            return (locator.object_id,)
        case _:
            return ()


def _is_known(model: type[models.Model] | None, name: str) -> bool:
    """Return whether a name is that of a column: anything else may be an expression for a whole row."""
    return model is None or any(name == field.column for field in model._meta.concrete_fields)


def _meets(model: type[models.Model] | None, name: str, personal: Collection[str]) -> bool:
    spellings = {name}
    for field in model._meta.concrete_fields if model else ():
        if field.column == name:
            spellings |= {field.name, field.attname}
    return any(overlap(one, other) for one in spellings for other in personal)
