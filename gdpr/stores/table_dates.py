"""Dates in tables: the latest of each person, and rows that have run out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db import connections, transaction
from django.db.models import Count, DateTimeField, Max, Model, Q, QuerySet

from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about, no_date
from gdpr.datamap.keys import plain
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After, day_of
from gdpr.stores.base import every_row, model_of, owner_fields
from gdpr.stores.conditions import pending
from gdpr.stores.dates import Dates
from gdpr.stores.lapsing import NOBODY, LapsedRow, beginning

_PAGE = 1_000
_KINDS = frozenset({"date", "timestamp with time zone", "timestamp without time zone"})


class DatedTables(ABC):
    """An adapter of tables, as far as it counts by dates."""

    alias: str
    model = staticmethod(model_of)

    @abstractmethod
    def _matched(self, entry: Entry, keys: Keys) -> QuerySet[Model]: ...

    @abstractmethod
    def _act(self, entry: Entry, keys: Keys, batch: Sequence[Any]) -> int: ...

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

    def run_out(self, lapse: Lapse) -> Iterator[LapsedRow]:
        """Find rows that have run out; see :class:`gdpr.stores.lapsing.Lapsing`."""
        rows, last = self._lapsed(lapse).order_by("pk"), None
        while True:
            page = rows if last is None else rows.filter(pk__gt=last)
            with self._translated():
                found = list(page.values_list("pk", *filter(None, [lapse.owner]))[:_PAGE])
            for key, *owners in found:
                yield LapsedRow(key=key, owners=tuple(plain(one) for one in owners if one is not None))
            if len(found) < _PAGE:
                return
            last = found[-1][0]

    def let_go(self, lapse: Lapse, rows: Sequence[LapsedRow]) -> int:
        """Delete or change rows; see :class:`gdpr.stores.lapsing.Lapsing`."""
        features = connections[self.alias].features
        with self._translated(), transaction.atomic(using=self.alias):
            chosen = self._lapsed(lapse).filter(pk__in=[row.key for row in rows])
            if features.has_select_for_update:
                chosen = chosen.select_for_update(skip_locked=features.has_select_for_update_skip_locked)
            batch = list(chosen.values_list("pk", flat=True))
            changed = self._act(lapse.entry, NOBODY, batch) if batch else 0
            connections[self.alias].check_constraints()
        return changed

    def _lapsed(self, lapse: Lapse) -> QuerySet[Model]:
        model = self.model(lapse.entry)
        rows = every_row(model, self.alias).filter(pending(model, lapse.entry.action))
        if lapse.before is not None:
            is_moment = isinstance(model._meta.get_field(lapse.field), DateTimeField)
            edge = self._moment(lapse.before) if is_moment else lapse.before
            rows = rows.filter(**{f"{lapse.field}__lt": edge})
        return rows.filter(reduce(or_, (Q(**one) for one in lapse.wheres))) if lapse.wheres else rows

    @staticmethod
    def _moment(day: date) -> datetime:
        moment = beginning(day)
        return moment if settings.USE_TZ else moment.replace(tzinfo=None)


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
