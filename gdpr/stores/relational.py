"""Erasing from a database of Django's settings, through its models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import Error, InterfaceError, connections, models, transaction
from django.db.models import QuerySet

from accord.connecting import trouble_of
from accord.erased.folding import Fold
from accord.errors import AccordError, StoreError
from accord.limits import limit_of
from accord.seam.registry import Registry
from accord.secrets.redact import first_line
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Nothing, Pull, Refresh, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import Plain, plain
from gdpr.datamap.locators import Array, Keyed, Sessions
from gdpr.datamap.lock import Inventory
from gdpr.datamap.strategies import Equals, Null, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused
from gdpr.stores.base import (
    SAMPLE,
    Erased,
    ErasureStore,
    Found,
    IndexUse,
    every_row,
    owner_fields,
    plain_field,
)
from gdpr.stores.conditions import condition, pending, sessions, values_of, without_elements
from gdpr.stores.folded import Folded
from gdpr.stores.lookups import AMONG, Values
from gdpr.stores.scrubs import Scrubbed
from gdpr.stores.shares import arrays, own_part, undivided
from gdpr.stores.table_dates import DatedTables

if TYPE_CHECKING:
    from gdpr.stores.copies import Copies

Row = Mapping[str, Any]


def adapter(alias: str, _: Registry) -> ErasureStore:
    """Return the adapter of an alias of `DATABASES`: documents of MongoDB need another proof than tables."""
    if connections[alias].vendor == "mongodb":
        from gdpr.stores.documents import DocumentsErasure

        return Folded(DocumentsErasure(alias))
    return Folded(RelationalErasure(alias))


class RelationalErasure(DatedTables):
    """
    One alias of `DATABASES`.

    Rows are changed in batches by primary key. Rows that another transaction has locked are left for
    the next batch, so that an erasure waits for no lock. Nothing cascades: what an entry does not
    name is not touched, and the database refuses to leave a reference behind.

    Args:
        alias: The alias.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    # --- ErasureStore ------------------------------------------------------------------------

    def find(self, entry: Entry, keys: Keys) -> Found:
        with self._translated():
            if isinstance(entry.action, Refresh):
                return self._copies.find(entry, keys)
            matched = self._matched(entry, keys)
            sample = matched.order_by("pk").values_list("pk", flat=True)[:SAMPLE]
            return Found(
                count=matched.count(),
                pending=self._pending(entry, keys).count(),
                sample=tuple(str(key) for key in sample),
            )

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        with self._translated():
            if isinstance(entry.action, Refresh):
                return {entry.id: []}
            found = self._matched(entry, keys).order_by("pk").values_list("pk", flat=True)
            return {entry.id: [plain(key) for key in found.iterator()]}

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        with self._translated():
            if isinstance(entry.action, Refresh):
                return self._copies.tally(entry, keys, pending=pending)
            if isinstance(entry.locator, Sessions):
                found = sessions(self.alias, self.model(entry), entry.locator, keys)
                return Counter(user for _, user in found)
            fields = owner_fields(entry)
            if not fields:
                return None
            rows = self._pending(entry, keys) if pending else self._matched(entry, keys)
            counted = rows.order_by().values_list(*fields).annotate(rows=models.Count("pk"))
            return {":".join(map(str, owner)): int(number) for *owner, number in counted}

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        field = plain_field(entry)
        if not field or isinstance(entry.action, Refresh):
            return None
        rows: dict[object, list[object]] = {}
        with self._translated():
            for owner, key in self._matched(entry, keys).order_by("pk").values_list(field, "pk").iterator():
                rows.setdefault(owner, []).append(key)
        found: dict[str, list[Plain]] = {}
        for owner, held in rows.items():
            found.setdefault(str(owner), []).extend(map(plain, held))
        return found

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        with self._translated():
            if isinstance(entry.action, Refresh):
                return self._copies.erase(entry, keys)
            with transaction.atomic(using=self.alias):
                matched, affected = self._batch(entry, keys, limit)
                # Django's foreign keys are checked at the commit, which may be the caller's.
                connections[self.alias].check_constraints()
            done = not self._pending(entry, keys).exists()
        return Erased(matched=matched, affected=affected, done=done)

    def residue(self, entry: Entry, keys: Keys) -> int:
        from gdpr.stores.residue import Residue

        with self._translated():
            if isinstance(entry.action, Refresh):
                return self._copies.residue(entry, keys)
            return Residue(self.alias, self.model(entry)).count(entry, keys)

    def export(self, entry: Entry, keys: Keys) -> Iterator[Row]:
        with self._translated():
            if isinstance(entry.action, Refresh):
                yield from self._copies.export(entry, keys)
                return
            whole = self._matched(undivided(entry), keys)
            yield from whole.order_by("pk").values().iterator()
            if arrays(entry):
                shared = self._matched(entry, keys).exclude(pk__in=whole.values("pk"))
                for row in shared.order_by("pk").values().iterator():
                    own = own_part(entry, row, lambda array: values_of(array, keys))
                    yield {"id": row[self.model(entry)._meta.pk.attname], **own}

    def candidates(self, entry: Entry, locator: Keyed, fold: Fold, wanted: Sequence[str]) -> Iterator[object]:
        from gdpr.stores.table_spellings import written

        with self._translated():
            if isinstance(entry.action, Refresh):
                yield from self._copies.spellings(entry)
                return
            yield from written(self.alias, self.model(entry), locator, fold, wanted)

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        from gdpr.stores.access_paths import explain

        with self._translated():
            if isinstance(entry.action, Refresh):
                return self._copies.explain(entry)
            return explain(self.alias, entry, self._matched(entry, keys))

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        from gdpr.stores.tables import Tables

        return Tables(self.alias).inventory(entries)

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        from gdpr.stores.tables import Tables

        with self._translated():
            yield from Tables(self.alias).some(entry, limit)

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        from gdpr.stores.tables import Tables

        with self._translated():
            yield from Tables(self.alias).inspect(entries)

    def fingerprint(self) -> str:
        from gdpr.stores.tables import fingerprint

        with self._translated():
            return fingerprint(self.alias)

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        from gdpr.stores.table_scrubs import scrub

        tables = dict.fromkeys(self.model(entry)._meta.db_table for entry in entries)
        with self._translated():
            return scrub(self.alias, list(tables))

    @property
    def _copies(self) -> Copies:
        from gdpr.stores.copies import Copies

        return Copies(self.alias)

    # --- finding -----------------------------------------------------------------------------

    def _matched(self, entry: Entry, keys: Keys) -> QuerySet[models.Model]:
        rows = every_row(self.model(entry), self.alias)
        if not entry.is_looked_at:
            return rows.none()
        found = rows.filter(condition(self.alias, self.model(entry), entry.locator, keys))
        only = keys.only(entry.id)
        return found if only is None else found.filter(**{f"pk__{AMONG}": Values(only)})

    def _pending(self, entry: Entry, keys: Keys) -> QuerySet[models.Model]:
        matched = self._matched(entry, keys)
        if isinstance(entry.action, Manual | Nothing):
            return matched.none()
        return matched.filter(pending(self.model(entry), entry.action))

    def _locked(self, entry: Entry, keys: Keys, limit: int) -> QuerySet[models.Model, Any]:
        rows = self._pending(entry, keys).order_by("pk")
        features = connections[self.alias].features
        if features.has_select_for_update:
            rows = rows.select_for_update(skip_locked=features.has_select_for_update_skip_locked)
        return rows.values_list("pk", flat=True)[:limit]

    # --- acting ------------------------------------------------------------------------------

    def _batch(self, entry: Entry, keys: Keys, limit: int) -> tuple[int, int]:
        """Return how many rows a batch found, and how many it changed."""
        locked, every = self._locked(entry, keys, limit), every_row(self.model(entry), self.alias)
        lockable = connections[self.alias].features.has_select_for_update
        if isinstance(entry.action, Delete) and lockable and not _has_files(every.model):
            # One statement: keys that travel to us and back cost more than the deletion.
            gone = self._delete(every.filter(pk__in=locked))
            return gone, gone
        batch = list(locked)
        return len(batch), self._act(entry, keys, batch) if batch else 0

    def _act(self, entry: Entry, keys: Keys, batch: Sequence[Any]) -> int:
        rows = every_row(self.model(entry), self.alias).filter(**{f"pk__{AMONG}": Values(batch)})
        match entry.action:
            case Delete():
                return self._delete(rows)
            case Pull():
                return self._pull(entry, keys, rows)
            case Detach(name):
                return rows.update(**{name: None})
            case Unset(fields):
                return self._write(rows, {name: self._empty(entry, name) for name in fields})
            case Anonymise() | Retain():
                return self._write(rows, entry.action.strategies)
        return 0

    def _delete(self, rows: QuerySet[models.Model]) -> int:
        # Of the table that loses rows alone: what a parent's row points at goes with that.
        holder = rows.model._meta.concrete_model or rows.model
        columns = holder._meta.local_concrete_fields
        self._delete_files(rows, [field.name for field in columns])
        # The usual delete would follow foreign keys into tables that no entry names.
        # Nothing, where Django sees without asking that there is nothing.
        return int(rows._raw_delete(self.alias) or 0)  # noqa: SLF001 - see above

    def _write(self, rows: QuerySet[models.Model], strategies: Mapping[str, Strategy]) -> int:
        self._delete_files(rows, strategies)
        alike = {name: one for name, one in strategies.items() if isinstance(one.settled, Equals)}
        own = {name: one for name, one in strategies.items() if name not in alike}
        changed = rows.update(**{name: one.replacement(None) for name, one in alike.items()}) if alike else 0
        return self._write_own(rows, own) if own else changed

    def _write_own(self, rows: QuerySet[models.Model], strategies: Mapping[str, Strategy]) -> int:
        """Write values that differ from row to row."""
        changed = list(rows.only("pk", *strategies))
        for row in changed:
            for name, strategy in strategies.items():
                setattr(row, name, strategy.replacement(getattr(row, name)))
        manager = every_row(rows.model, self.alias)
        return manager.bulk_update(changed, list(strategies), batch_size=500)

    def _pull(self, entry: Entry, keys: Keys, rows: QuerySet[models.Model]) -> int:
        assert isinstance(entry.locator, Array)  # noqa: S101 - the map's check reports it
        name = entry.locator.array.partition(".")[0]
        changed = list(rows.only("pk", name))
        for row in changed:
            setattr(row, name, without_elements(entry.locator, keys, getattr(row, name)))
        return every_row(rows.model, self.alias).bulk_update(changed, [name], batch_size=500)

    def _empty(self, entry: Entry, name: str) -> Strategy:
        from gdpr.datamap.strategies import Constant

        field = self.model(entry)._meta.get_field(name)
        return Null() if getattr(field, "null", False) else Constant("")

    def _delete_files(
        self, rows: QuerySet[models.Model], names: Sequence[str] | Mapping[str, object]
    ) -> None:
        """Delete what file fields point at: before the rows, which alone know where it is."""
        fields = [rows.model._meta.get_field(name) for name in names]
        for field in fields:
            if isinstance(field, models.FileField):
                for path in rows.exclude(**{field.name: ""}).values_list(field.name, flat=True):
                    if path:
                        field.storage.delete(path)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AccordError:
            raise
        except (Error, InterfaceError) as exc:
            raise _translated(self.alias, exc) from exc


def _has_files(model: type[models.Model]) -> bool:
    holder = model._meta.concrete_model or model
    return any(isinstance(field, models.FileField) for field in holder._meta.local_concrete_fields)


def _translated(alias: str, error: Exception) -> StoreError:
    """Name the cause: no connection, a limit of the server, or rows that can't go."""
    if trouble := trouble_of(error):
        return trouble.error(f"The database “{alias}”", alias, error, more="What was done stays done.")
    if limit := limit_of(error):
        return StoreError(f"The database “{alias}” {limit.says}. What was done stays done.", hint=limit.hint)
    return ErasureRefused(
        f"The database “{alias}” refuses ({type(error).__name__}{_place(error)}).",
        hint="See `gdpr_datamap check`: rows that others refer to need entries for those as well.",
    )


def _place(exc: Exception) -> str:
    """Name table and constraint of an error; its own text may quote a person's values."""
    diagnostics = getattr(exc.__cause__, "diag", None)
    names = (getattr(diagnostics, "table_name", None), getattr(diagnostics, "constraint_name", None))
    told = ", ".join(first_line(ValueError(name)) for name in names if name)
    return f": {told}" if told else ""
