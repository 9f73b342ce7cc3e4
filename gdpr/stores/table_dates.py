"""Dates in tables: the latest of each person, asked with one statement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from django.db.models import Count, Max, Model, QuerySet

from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about, no_date
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of
from gdpr.stores.base import owner_fields
from gdpr.stores.dates import Dates

_KINDS = frozenset({"date", "timestamp with time zone", "timestamp without time zone"})


class DatedTables(ABC):
    """An adapter of tables, as far as it counts by dates."""

    alias: str

    @abstractmethod
    def _matched(self, entry: Entry, keys: Keys) -> QuerySet[Model]: ...

    @abstractmethod
    def _translated(self) -> AbstractContextManager[None]: ...

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        """Return the dates of people's rows; see :class:`gdpr.stores.dates.TellsDates`."""
        owner, rows = owner_fields(entry), self._matched(entry, keys).order_by()
        # Names that no field of a project has.
        told: dict[str, Any] = {
            "accord_rows": Count("pk"),
            "accord_dated": Count(term.field),
            "accord_latest": Max(term.field),
        }
        with self._translated():
            if not owner:
                return {"": _dates(*rows.aggregate(**told).values())}
            grouped = rows.values_list(*owner).annotate(**told)
            return {":".join(map(str, row[: len(owner)])): _dates(*row[len(owner) :]) for row in grouped}


def undated(
    entry: Entry, model: type[Model], columns: Callable[[type[Model]], Mapping[str, str]]
) -> Iterator[MapFinding]:
    """
    Look for fields that a term is counted from and that aren't there, or hold no dates.

    Args:
        entry: The entry.
        model: Its model.
        columns: Gives the columns that a model's table has, with their types.
    """
    fields = {name: one for one in model._meta.concrete_fields for name in (one.name, one.attname)}
    for name in entry.dates:
        field = fields.get(name)
        kind = None if field is None else columns(field.model).get(str(field.column))
        if kind is None:
            yield about(Fault.NO_FIELD, entry, f"counts from {name}, which {entry.target} does not have")
        elif kind not in _KINDS:
            yield no_date(entry, name, kind)


def _dates(rows: int, dated: int, latest: Any) -> Dates:
    return Dates(latest=None if latest is None else day_of(latest), missing=rows - dated)
