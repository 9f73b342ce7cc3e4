"""How a key may be written in a table: candidates from a column, a JSON path, an array, or a walk's end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models
from django.db.models import F
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Collate

from accord.erased.folding import Fold
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.locators import Array, Key, Keyed, Path, Through, parts
from gdpr.datamap.spellings import NOT_ASCII, candidates, lowers_plainly
from gdpr.stores.access_paths import explained
from gdpr.stores.base import every_row
from gdpr.stores.folded import MANY, fold_of

_ELEMENTS = """
    SELECT DISTINCT key FROM {table}, LATERAL ({elements}) AS element (key)
    WHERE {compared} = ANY (%s) OR key ~ %s OR %s
"""
_OF_JSON = """
    SELECT one #>> %s::text[]
    FROM jsonb_array_elements(CASE WHEN jsonb_typeof({column} #> %s::text[]) = 'array'
        THEN {column} #> %s::text[] ELSE '[]'::jsonb END) AS one
"""


def written(
    alias: str, model: type[models.Model], locator: Keyed, fold: Fold, wanted: Sequence[str]
) -> Iterator[object]:
    """
    Yield what stands where a locator looks and may be a spelling of a key.

    Args:
        alias: Database.
        model: Where to look.
        locator: What for.
        fold: Which spellings are one.
        wanted: Keys, folded.
    """
    if isinstance(locator, Array):
        return _elements(alias, model, locator, fold, wanted)
    found = rows(alias, model, locator, fold, wanted)
    return found.values_list("_text", flat=True).iterator()


def rows(
    alias: str, model: type[models.Model], locator: Keyed, fold: Fold, wanted: Sequence[str]
) -> models.QuerySet[models.Model]:
    """Return the rows with such texts, for a locator that no array is in."""
    holder, text = _text(model, locator)
    found: models.QuerySet[models.Model] = candidates(every_row(holder, alias), text, fold, wanted)
    named: models.QuerySet[models.Model] = found.annotate(_text=text)
    return named


def unserved(
    alias: str, entry: Entry, model: type[models.Model], oid_of: Callable[[str], int | None]
) -> Iterator[MapFinding]:
    """
    Find locators whose other spellings are looked for by reading a large table as a whole.

    Args:
        alias: Database.
        entry: Whose locators.
        model: Where it looks.
        oid_of: Tells which table has a name.
    """
    for locator in parts(entry.locator):
        fold = fold_of(locator)
        if fold is None or not isinstance(locator, Key | Path | Through):
            continue
        found = rows(alias, model, locator, fold, ["nobody"])
        number = _size(alias, oid_of(found.model._meta.db_table))
        if number > MANY and not explained(alias, found).uses_index:
            yield about(
                Fault.SPELLINGS_IN_FULL,
                entry,
                f"looks for other spellings by reading all of {number} rows of {found.model._meta.label}",
                "Add both indexes of “Spellings” in the reference of the data map, by a migration.",
            )


def _size(alias: str, oid: int | None) -> int:
    """Return about how many rows a table has, as PostgreSQL's own statistics say."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s", [oid])
        found = cursor.fetchone()
    return int(found[0]) if found else 0


def _text(model: type[models.Model], locator: Keyed) -> tuple[type[models.Model], Combinable]:
    """Return the model that holds a key, and the expression of its text."""
    if isinstance(locator, Path):
        column, *steps, last = locator.path.split(".")
        inside: Any = F(column)
        for step in steps:
            inside = KeyTransform(step, inside)
        return model, KeyTextTransform(last, inside)
    holder, name = end_of(model, locator.path) if isinstance(locator, Through) else (model, locator.field)  # type: ignore[union-attr]  # a Key
    field = holder._meta.pk if name == "pk" else holder._meta.get_field(name)
    # A collation that takes texts for equal has no regular expressions.
    return holder, Collate(F(name), "C") if getattr(field, "db_collation", None) else F(name)


def end_of(model: type[models.Model], path: str) -> tuple[type[models.Model], str]:
    """Return where a walk over foreign keys ends: the model, and the field."""
    *steps, last = path.split("__")
    for step in steps:
        target = model._meta.get_field(step).related_model
        if not isinstance(target, type):
            raise FieldDoesNotExist(step)
        model = target
    return model, last


def _elements(
    alias: str, model: type[models.Model], locator: Array, fold: Fold, wanted: Sequence[str]
) -> Iterator[object]:
    quote = connections[alias].ops.quote_name
    name, *steps = locator.array.split(".")
    field = model._meta.get_field(name)
    column = quote(str(getattr(field, "column", name)))
    inner = locator.inner.split(".") if locator.inner else []
    flat = isinstance(field, ArrayField)
    elements = f"SELECT unnest({column})" if flat else _OF_JSON.format(column=column)
    compared = "key" if fold is Fold.FORM else "lower(key)"
    sql = _ELEMENTS.format(table=quote(model._meta.db_table), elements=elements, compared=compared)
    anything = fold is not Fold.FORM and not lowers_plainly(alias)
    values = [*(() if flat else (inner, steps, steps)), list(wanted), NOT_ASCII, anything]
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, values)
        yield from (key for (key,) in cursor.fetchall())
