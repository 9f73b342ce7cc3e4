"""
A table of a model converted into a partitioned one, and back, beside those who read and write it.

Each step asks the catalog whether it is done, by the whole definition of what it makes. So a conversion that
was killed anywhere goes on where it was when it is started again, and what is done twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from django.db import transaction

from accord.errors import ConflictingState, StepFailed
from accord.events import Reporter, StepNoted, StepProgressed
from accord.locks.trying import Tries
from migrator.errors import NotPartitionable
from migrator.partitions import making, refusals
from migrator.partitions.comparing import Comparing, Window, last_key
from migrator.partitions.copying import Copying
from migrator.partitions.layout import literal
from migrator.partitions.making import Progress
from migrator.partitions.mirror import Mirror
from migrator.partitions.standing import State, probe
from migrator.partitions.swapping import Away, Swap, refuse_other_columns
from migrator.partitions.table import Catalog, Table, quoted
from migrator.partitions.telling import refuse
from migrator.partitions.wanted import Wanted
from migrator.relational.copies import new_name, old_name
from migrator.relational.locking import limit

_UNDONE = Progress(digest="undone")
_LEAVES = """
SELECT n.nspname, c.relname FROM pg_partition_tree(to_regclass(%s)) t JOIN pg_class c ON c.oid = t.relid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.isleaf ORDER BY c.relname
"""
_KEY = "SELECT convalidated FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s"
Witness = Callable[[], None]
"""Writes what was done into the trail, in the transaction of the act where that is the same database."""


class Conversion:
    """
    One conversion.

    Args:
        catalog: Of the database, outside of a transaction.
        wanted: What is wanted.
        tries: Tries for locks.
        report: Hears how it goes on.
        witness: Puts on record that the table has another form.
    """

    def __init__(
        self, catalog: Catalog, wanted: Wanted, tries: Tries, report: Reporter, witness: Witness
    ) -> None:
        self._catalog = catalog
        self._wanted = wanted
        self._tries = tries
        self._report = report
        self._witness = witness

    # --- there ---------------------------------------------------------------------------------------

    def convert(self) -> State:
        """
        Convert the table, or go on with that; the old one stays, kept in step.

        Returns:
            How far it is now.

        Raises:
            NotPartitionable: It can't be converted as declared.
            ConflictingState: A conversion of another declaration is under way.
            LockNotFree: Others held the table for too long.
            StepFailed: It was changed meanwhile.
        """
        found = probe(self._catalog, self._wanted)
        if found.state in (State.CONVERTED, State.FINISHED):
            return found.state
        if found.state is State.PLAIN:
            refuse(self._catalog, self._wanted, found.table)
            self._make(found.table)
        self._refuse_other(found.table)
        forth = self._forth(found.table)
        self._ensure(forth)
        copying = Copying(self._catalog, self._wanted, found.table, forth)
        self._copy(copying, found.table)
        self._foreign_keys(found.table)
        self._catalog.send(f"ANALYZE {self._wanted.new}")
        comparing = Comparing(self._catalog, found.table, forth, copying)
        self._swap(comparing, away=old_name, back=new_name, ends=forth)
        return State.CONVERTED

    def _forth(self, table: Table) -> Mirror:
        keys = refusals.primary_key(table, self._wanted.key)
        return self._wanted.mirror(table, self._wanted.new, keys)

    def _make(self, table: Table) -> None:
        statements = making.making(self._catalog, self._wanted, table)
        self._at_once(lambda: self._catalog.send(*statements))

    def _refuse_other(self, table: Table) -> None:
        new = self._catalog.table(self._wanted.new)
        progress = making.progress_of(self._catalog, self._wanted.new)
        if new is None or progress is None or progress.digest != self._wanted.digest:
            raise ConflictingState(
                f"{self._wanted.new} stands there, and was made by no conversion as it is declared now. "
                "Nothing was changed.",
                hint="Undo that one: partition revert MODEL. Then begin anew.",
            )
        refuse_other_columns(table, new)

    def _ensure(self, mirror: Mirror) -> None:
        if not mirror.stands(self._catalog):
            self._at_once(lambda: self._mirrored(mirror))

    def _mirrored(self, mirror: Mirror) -> None:
        """Begin to mirror, unless somebody took the other copy away: no write would go through any more."""
        self._catalog.send(f"LOCK {mirror.source} IN ACCESS EXCLUSIVE MODE")
        # Whoever ended it has given that name away, whoever undid it has dropped it.
        if self._catalog.one("SELECT to_regclass(%s)::oid", [mirror.target]) is None:
            raise StepFailed(
                f"Another process ended or undid the conversion of {self._wanted.table} meanwhile. "
                "Nothing was changed.",
                hint="See how far it is: partition plan. Then run the same command again.",
            )
        self._catalog.send(*mirror.begin())

    def _copy(self, copying: Copying, table: Table) -> None:
        progress = copying.progress
        while not progress.copied:
            self._tries.lease.check()
            progress = self._tries.through(copying.batch, goes_on=True)
            self._report(
                StepProgressed(key=str(self._tries.key), done=progress.rows, total=table.rows or None)
            )

    def _foreign_keys(self, table: Table) -> None:
        """Give each partition the keys, proved beside writers; then the whole has them without a scan."""
        for key in table.foreign:
            if self._has_key(self._wanted.new, key.name):
                continue
            named = f"{quoted(key.name)} {key.definition}"
            for part in self._leaves():
                if self._has_key(part, key.name) is None:
                    self._altered(f"ALTER TABLE {part} ADD CONSTRAINT {named} NOT VALID")
                if not self._has_key(part, key.name):
                    self._altered(f"ALTER TABLE {part} VALIDATE CONSTRAINT {quoted(key.name)}")
            self._altered(f"ALTER TABLE {self._wanted.new} ADD CONSTRAINT {named}")

    def _has_key(self, table: str, name: str) -> bool | None:
        """Return whether a constraint is proved; None where it isn't there."""
        found: bool | None = self._catalog.one(_KEY, [table, name])
        return found

    def _leaves(self) -> Sequence[str]:
        return [
            f"{quoted(schema)}.{quoted(name)}"
            for schema, name in self._catalog.rows(_LEAVES, [self._wanted.new])
        ]

    # --- changing places -----------------------------------------------------------------------------

    def _swap(self, comparing: Comparing, *, away: Away, back: Away, ends: Mirror) -> None:
        """Compare everything, then let the tables change places while nobody writes, and compare the rest."""
        compared: list[Window] = []

        def look_on() -> None:
            for window in comparing.windows(last_key(compared)):
                self._tries.lease.check()
                self._tries.through(partial(_settle, comparing, window), goes_on=True)
                compared.append(window)

        def act() -> None:
            swap = self._locked(away, back, ends)
            comparing.settle((last_key(compared), ()))
            self._catalog.send(*swap.statements())
            if swap.begins is None:
                note = literal(_UNDONE.text)
                self._catalog.send(f"COMMENT ON TABLE {self._wanted.new} IS {note}")
            self._witness()

        look_on()
        self._at_once(act, afresh=look_on)
        if comparing.repaired:
            self._note(f"{comparing.repaired} windows of rows differed, and were repaired.")

    def _locked(self, away: Away, back: Away, ends: Mirror) -> Swap:
        """Lock both tables, and look once more whether all is as it was made."""
        for name in (ends.source, ends.target):
            self._catalog.send(f"LOCK TABLE ONLY {name} IN ACCESS EXCLUSIVE MODE")
        found = probe(self._catalog, self._wanted)
        if found.other is None or not ends.stands(self._catalog):
            raise StepFailed(
                f"What keeps {ends.target} in step with {ends.source} is gone or was changed. Both stay.",
                hint="Run the same command again.",
            )
        swap = Swap(
            source=found.table,
            target=found.other,
            away=away,
            back=back,
            ends=ends,
            begins=self._back(found.table, found.table.primary_key) if away is old_name else None,
        )
        swap.refuse_changed()
        return swap

    def _back(self, table: Table, keys: Sequence[str]) -> Mirror:
        return self._wanted.mirror(table, self._wanted.old, keys)

    # --- back ----------------------------------------------------------------------------------------

    def revert(self) -> State:
        """
        Put the old table back into use with all that was written since, or drop a conversion under way.

        Returns:
            How far it is now.

        Raises:
            NotPartitionable: There is no way back any more.
            LockNotFree: Others held the table for too long.
            StepFailed: It was changed meanwhile.
        """
        found = probe(self._catalog, self._wanted)
        if found.state is State.FINISHED:
            raise NotPartitionable(
                f"The old table of {self._wanted.declared.model} is gone, so there is no way back.",
                hint="Nothing was changed.",
            )
        if found.state is State.CONVERTED and found.other is not None:
            self._put_back(found.table, found.other)
        self._drop_new()
        return State.PLAIN

    def _put_back(self, table: Table, old: Table) -> None:
        back = self._back(table, old.primary_key)
        if not back.stands(self._catalog):
            raise StepFailed(
                f"{self._wanted.old} isn't kept in step any more, and lacks what was written since.",
                hint="See who took the triggers away, and end the conversion instead.",
            )
        copying = Copying(self._catalog, self._wanted, table, back)
        comparing = Comparing(self._catalog, table, back, copying)
        self._swap(comparing, away=new_name, back=old_name, ends=back)

    def _drop_new(self) -> None:
        found = probe(self._catalog, self._wanted)
        if found.other is None:
            return
        if making.progress_of(self._catalog, self._wanted.new) is None:
            raise ConflictingState(
                f"{self._wanted.new} stands there, and no conversion made it. Nothing was dropped.",
                hint="Give it another name, or drop it by hand.",
            )
        ends = self._forth(found.table).end()
        self._at_once(lambda: self._catalog.send(*ends, f"DROP TABLE {self._wanted.new}"))

    def finish(self) -> State:
        """
        Drop the old table, and with it the way back.

        Returns:
            How far it is now.

        Raises:
            NotPartitionable: The table isn't converted.
            LockNotFree: Others held the table for too long.
        """
        found = probe(self._catalog, self._wanted)
        if found.state is State.FINISHED:
            return found.state
        if found.state is not State.CONVERTED or found.other is None:
            raise NotPartitionable(
                f"{self._wanted.declared.model} is not converted: there is nothing to end.",
                hint="Nothing was changed.",
            )
        ends = self._back(found.table, found.other.primary_key).end()

        def act() -> None:
            self._catalog.send(*ends, f"DROP TABLE {self._wanted.old}")
            self._witness()

        self._at_once(act)
        return State.FINISHED

    # --- inside --------------------------------------------------------------------------------------

    def _altered(self, statement: str) -> None:
        self._at_once(lambda: self._catalog.send(statement))

    def _at_once(self, act: Callable[[], None], afresh: Callable[[], None] = lambda: None) -> None:
        """Do something in one transaction that queues briefly; again, while somebody is in the way."""
        connection = self._catalog.connection

        def once(seconds: float | None) -> None:
            with transaction.atomic(using=connection.alias):
                limit(connection, seconds)
                act()

        self._tries.through(once, afresh=afresh)

    def _note(self, text: str) -> None:
        self._report(StepNoted(key=str(self._tries.key), note=text))


def _settle(comparing: Comparing, window: Window, _: float | None) -> None:
    """Settle a window, which waits for rows as a batch does."""
    comparing.settle(window)
