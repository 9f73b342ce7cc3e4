"""
The ledger beside the data: which migrations are applied, by which run, from which text.

`django_migrations` stays the truth, so that Django's own commands and this suite agree at any
time. `accord_ledger` adds what Django does not keep: checksums, the fencing token, and how far a
migration got that can't be one transaction. `accord_fence` keeps the highest token seen.
Both tables are made on the first write; no migration of any app knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, TypeVar

from django.db import IntegrityError, connections, models, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.functions import Now
from django.utils.timezone import now

from accord import db
from accord.errors import StaleFence
from accord.seam.types import AppliedStep, Lease, Origin, Recorded, Step, StepKey
from migrator.relational.entries import FenceRow, LedgerEntry, Progress, Row, RowState, entry_id
from migrator.relational.loader import Name
from migrator.relational.vendors import vendor_of, vendor_of_engine

_FENCE_ROW = "ledger"
_TAKEN_OVER = "Another run took over. Look at its result, then run again if something is left."
_Result = TypeVar("_Result")
UNDER_WAY = (RowState.APPLYING.value, RowState.REVERTING.value)


_DJANGOS = MigrationRecorder.Migration._meta.db_table
_OURS = LedgerEntry._meta.db_table
_READ: Mapping[str, Sequence[str]] = {
    _DJANGOS: ("app", "name", "applied"),
    _OURS: ("app", "name", "checksum", "fingerprint", "run_id", "fence", "state", "recorded_at", "position"),
}
_OUTSIDE = {RowState.ADOPTED.value: Origin.ADOPTED, RowState.RECORDED.value: Origin.RECORDED}


class Ledger:
    """
    The ledger of one database.

    Args:
        alias: The database in Django's settings.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._is_there = False

    # --- reading -------------------------------------------------------------------

    def recorded(self) -> Recorded:
        """
        Read both tables, in two round trips; a database without them holds nothing.

        Raises:
            LedgerNotUnderstood: A row has a state that this version has no word for.
        """
        rows, entries = self._tables()
        at_of = {(app, name): at for app, name, at in rows}
        ours = {entry.key: entry for entry in (Row(self._alias, *values) for values in entries)}
        for entry in ours.values():
            entry.refuse_unknown()
        applied = {StepKey(self._alias, *name): at for name, at in at_of.items()}
        return Recorded(
            applied={key: self._applied_step(key, at, ours.get(key)) for key, at in applied.items()},
            begun={key: entry.begun() for key, entry in ours.items() if entry.is_begun(applied.get(key))},
        )

    def _tables(self) -> tuple[Sequence[Any], Sequence[Any]]:
        """Read Django's table and ours."""
        settings = connections.databases[self._alias]
        quickly = vendor_of_engine(settings["ENGINE"]).rows(settings, _READ)
        if quickly is not None:
            return quickly[_DJANGOS], quickly[_OURS]
        recorded = self.rows(MigrationRecorder.Migration, _READ[_DJANGOS])
        return recorded, self.rows(LedgerEntry, _READ[_OURS])

    def _applied_step(self, key: StepKey, at: datetime, ours: Row | None) -> AppliedStep:
        if ours is not None and ours.state == RowState.REVERTING and ours.is_begun(at):
            return AppliedStep(key=key, applied_at=at, run_id=ours.run_id, fence=ours.fence, reverting=True)
        # Another time means that Django's own command applied it again since: our row is of the past.
        if ours is None or ours.written != at:
            return AppliedStep(key=key, applied_at=at)
        return AppliedStep(
            key=key,
            checksum=ours.checksum or None,
            fingerprint=ours.fingerprint or None,
            applied_at=at,
            run_id=ours.run_id,
            fence=ours.fence,
            how=_OUTSIDE.get(ours.state, Origin.APPLIED),
        )

    def is_applied(self, name: Name) -> bool:
        """Return whether Django's table has a migration."""
        return bool(self._recorded.filter(app=name[0], name=name[1]).exists())

    def entry(self, name: Name) -> LedgerEntry | None:
        """Return our own row of a migration."""
        return self._entries.filter(pk=entry_id(name)).first()

    def unfinished(self) -> set[Name]:
        """Name the migrations that a run began and did not end."""
        found = self._entries.filter(state__in=UNDER_WAY).values_list("app", "name")
        return {(app, name) for app, name in found}

    # --- writing: always inside `transaction()`, after `claim()` -------------------------

    def transaction(self) -> AbstractContextManager[Any]:
        """
        Open a transaction in which rows of the ledger change together.

        Where the database has none that Django knows, rows change one by one in an order that
        a rerun can take up: Django's table first, on the way forward and on the way back. (A
        transaction of MongoDB's would outlive a killed client by a minute, and lock the rerun out.)
        """
        return transaction.atomic(using=self._alias)

    def ensure(self) -> None:
        """Make the tables, once; ten processes may do so at the same time."""
        if self._is_there:
            return
        self.make(MigrationRecorder.Migration, LedgerEntry, FenceRow)
        self._create_fence()
        self._is_there = True

    def make(self, *tables: type[models.Model]) -> None:
        """Make those of the tables that aren't there; ten processes may do so at the same time."""
        there = set(connections[self._alias].introspection.table_names())
        for model in tables:
            if model._meta.db_table not in there or self._may_be_half_made(model):
                self._create(model)

    def claim(self, lease: Lease) -> datetime:
        """
        Check that no later run has written, and that no earlier one will.

        Within a transaction, others who claim wait until it ends.

        Returns:
            The time: the server's, where it can be asked.

        Raises:
            StaleFence: A later token was seen.
        """
        if connections[self._alias].features.has_select_for_update:
            seen, clock = self._locked_fence()
        else:
            seen, clock = self._raised_fence(lease), self._clock()
        if seen > lease.fence:
            raise self._stale(lease)
        if seen < lease.fence:
            self._fence.update(fence=lease.fence)
        return clock

    def _stale(self, lease: Lease) -> StaleFence:
        return StaleFence(
            f"The store “{self._alias}” has seen a later run than {lease.run_id or 'ours'}.",
            hint=_TAKEN_OVER,
        )

    def _locked_fence(self) -> tuple[int, datetime]:
        """Lock the fence's row, and ask for the time in the same breath."""
        found: tuple[int, datetime] = self._fence.select_for_update().values_list("fence", Now()).get()
        return found

    def _raised_fence(self, lease: Lease) -> int:
        """Raise the fence to ours where no row can be locked: one write that fits or doesn't."""
        if self._fence.filter(fence__lte=lease.fence).update(fence=lease.fence):
            return lease.fence
        return lease.fence + 1

    def write_applied(
        self,
        names: Iterable[Name],
        step: Step,
        lease: Lease,
        at: datetime,
        *,
        is_known: bool = True,
        state: RowState = RowState.APPLIED,
    ) -> None:
        """
        Record a migration as applied, in Django's table and in ours.

        Args:
            names: Rows for Django's table: the migration, or all that it replaces and itself.
            step: The step.
            lease: Whose right it is.
            at: The time; the same in both tables, which is how a row of ours is known to be of today.
            is_known: False when the caller looked, and Django's table has no row of the migration.
            state: How it came to be applied.
        """
        own = (step.key.app, step.key.name)
        for name in names:
            if name != own and not self.is_applied(name):
                self._recorded.create(app=name[0], name=name[1], applied=at)
                if state.is_outside:
                    # A way back may lead into a squashed migration: its parts were found as it was.
                    self._write(name, lease, Progress(state=state), at)
        if not (is_known and self._recorded.filter(app=own[0], name=own[1]).update(applied=at)):
            self._recorded.create(app=own[0], name=own[1], applied=at)
        self.write_progress(step, lease, Progress(state=state), at)

    def write_progress(self, step: Step, lease: Lease, progress: Progress, at: datetime) -> None:
        """Record in our table alone how far a migration is."""
        source = {"checksum": step.source.checksum, "fingerprint": step.source.fingerprint}
        self._write((step.key.app, step.key.name), lease, progress, at, **source)

    def _write(
        self,
        name: Name,
        lease: Lease,
        progress: Progress,
        at: datetime,
        *,
        checksum: str = "",
        fingerprint: str = "",
    ) -> None:
        values = {
            "app": name[0],
            "name": name[1],
            "state": progress.state,
            "position": progress.position,
            "in_flight": progress.in_flight,
            "done": progress.done,
            "checksum": checksum,
            "fingerprint": fingerprint,
            "run_id": lease.run_id,
            "fence": lease.fence,
            "recorded_at": at,
        }
        entry = LedgerEntry(id=entry_id(name), **values)
        if connections[self._alias].features.supports_update_conflicts_with_target:
            self._entries.bulk_create(
                [entry], update_conflicts=True, unique_fields=["id"], update_fields=[*values]
            )
        else:
            self._replace(entry, values)

    def _replace(self, entry: LedgerEntry, values: Mapping[str, Any]) -> None:
        """Write a row where there is no upsert, unless a later run wrote it."""
        rows = self._entries.filter(pk=entry.pk)
        if rows.filter(fence__lte=entry.fence).update(**values):
            return
        if rows.exists():
            raise StaleFence(f"The store “{self._alias}” has seen a later run than ours.", hint=_TAKEN_OVER)
        entry.save(using=self._alias, force_insert=True)

    def strike(self, names: Iterable[Name]) -> None:
        """Remove migrations from Django's table and from ours; Django's first."""
        for app, name in names:
            self._recorded.filter(app=app, name=name).delete()
            self._entries.filter(pk=entry_id((app, name))).delete()

    def strike_unbegun(self, name: Name) -> None:
        """Remove our row of a migration that was begun, while none of its operations stands."""
        rows = self._entries.filter(pk=entry_id(name), state=RowState.APPLYING, position=0)
        rows.delete()

    def record_replacement(self, name: Name) -> None:
        """Record a squashed migration whose every replaced one is applied, as Django does."""
        if not self.is_applied(name):
            self._recorded.create(app=name[0], name=name[1])

    # --- inside ----------------------------------------------------------------------

    @property
    def _entries(self) -> models.QuerySet[LedgerEntry]:
        return LedgerEntry._default_manager.using(self._alias)

    @property
    def _fence(self) -> models.QuerySet[FenceRow]:
        return FenceRow._default_manager.using(self._alias).filter(pk=_FENCE_ROW)

    @property
    def _recorded(self) -> Any:
        return MigrationRecorder.Migration.objects.using(self._alias)

    def rows(self, model: Any, fields: Sequence[str]) -> Sequence[Any]:
        """Read a table that may be missing, without asking beforehand whether it is."""
        query = model._default_manager.using(self._alias).values_list(*fields)
        try:
            return self.guarded(lambda: list(query))
        except db.ERRORS as exc:
            if vendor_of(connections[self._alias]).trouble(exc):
                raise
            if model._meta.db_table in connections[self._alias].introspection.table_names():
                raise
            return ()

    def guarded(self, act: Callable[[], _Result]) -> _Result:
        """Keep a failing statement from spoiling a transaction that our caller holds open."""
        if not connections[self._alias].in_atomic_block:
            return act()
        with transaction.atomic(using=self._alias):
            return act()

    def _may_be_half_made(self, model: type[models.Model]) -> bool:
        """Return whether a kill may have left a table without its indexes: then it holds nothing yet."""
        if connections[self._alias].features.can_rollback_ddl:
            return False
        return not model._default_manager.using(self._alias).exists()

    def _create(self, model: type[models.Model]) -> None:
        connection = connections[self._alias]
        atomic = connection.features.can_rollback_ddl
        try:
            with (
                connection.schema_editor() if atomic else vendor_of(connection).resuming_editor(connection)
            ) as editor:
                editor.create_model(model)
        except db.ERRORS:
            # Somebody else was faster; anything else is a real error.
            if model._meta.db_table not in connection.introspection.table_names():
                raise

    def _create_fence(self) -> None:
        if self._fence.exists():
            return
        try:
            self.guarded(lambda: FenceRow._default_manager.using(self._alias).create(id=_FENCE_ROW, fence=0))
        except IntegrityError:
            return

    def _clock(self) -> datetime:
        """Ask the server for the time, where it can answer such a question."""
        found = self._fence.values_list(Now(), flat=True).first()
        return found if isinstance(found, datetime) else now()
