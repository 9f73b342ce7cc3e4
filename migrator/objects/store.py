"""
The objects of a database as a store: each text of a file of `database_objects/` is a step.

A text and its line in the ledger are one transaction, so a kill leaves all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accord import conf, db, isolation, revisions
from accord.errors import StepFailed, StoreUnavailable, UnsupportedServer
from accord.events import Reporter, silent
from accord.locks import patience
from accord.locks.trying import Tries
from accord.seam.foretelling import Foretold
from accord.seam.origins import LEFT, left_alone, was_found
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.types import (
    AppliedStep,
    Direction,
    Lease,
    Origin,
    Probe,
    Shown,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)
from migrator.objects import files
from migrator.objects.book import Book, Entry, Writer, needs_of
from migrator.objects.borrowing import DEFAULT, LivesInDatabase, database_of
from migrator.objects.catalog import Catalog
from migrator.objects.files import Name, Version
from migrator.objects.foretelling import foretold
from migrator.objects.history import Chain
from migrator.objects.probing import Prober
from migrator.objects.replacing import Put, Replacing
from migrator.objects.showing import shown
from migrator.objects.source import ObjectSource, parse
from migrator.relational import failures
from migrator.relational.locking import beside, limit, pid_of
from migrator.relational.taking import takes_part
from migrator.relational.vendors import vendor_of


class ObjectStore(LivesInDatabase):
    """
    Functions, procedures, views and triggers of one PostgreSQL database, from the files of all apps.

    Args:
        alias: Name of the store.
        options: `DATABASE`, alias in `DATABASES` (default: `default`).

    Raises:
        ConfigurationError: An option is unknown, or names no database.
    """

    features = StoreFeatures(
        records_atomically=True,
        allows_branches=True,
        thread_bound=True,
        numbers_are_unique=False,
        # Its files bring all of it back.
        derived=True,
    )

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        self.alias = alias
        self._database = database_of(alias, options)
        self._writer = Writer(self._database)
        self._versions: Mapping[Name, Version] | None = None
        self._book = Book()

    @staticmethod
    def ledger_place(alias: str, options: Mapping[str, object]) -> str:
        """Name the database. See :class:`accord.seam.stores.NamesLedger`."""
        return f"accord_object in {database_of(alias, options)}"

    # --- reading -------------------------------------------------------------------------------------

    def ping(self) -> StoreInfo:
        """Ask the server who it is. See :class:`accord.seam.stores.Store`."""
        connection = self._connection
        if connection.vendor != "postgresql":
            raise UnsupportedServer(
                f"The store “{self.alias}” is in {connection.display_name}; objects are PostgreSQL's alone.",
                hint=f"Let ACCORD['STORES']['{self.alias}']['DATABASE'] name a PostgreSQL.",
            )
        with failures.translated(self._database):
            connection.ensure_connection()
            version = vendor_of(connection).check_version(connection)
        told = failures.info(self._database, connection.display_name, version)
        return replace(told, alias=self.alias, detail=f"objects of {self._database}")

    def steps(self) -> Sequence[Step]:
        """Read the files. See :class:`accord.seam.stores.Store`."""
        self._versions = files.read(self.alias, is_default=self._database == DEFAULT)
        return self._chain(Book()).steps()

    def with_past(self, declared: Collection[StepKey]) -> Sequence[Step]:
        """Return the steps with those that the ledger keeps. See :class:`accord.seam.past.KeepsTexts`."""
        return self._chain(self._book).steps(declared)

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        """Read the ledger. See :class:`accord.seam.stores.Store`."""
        self._book = self._read()
        return {entry.key(self.alias): entry.applied(self.alias) for entry in self._book}

    def why_absent(self, key: StepKey) -> str:
        """Tell why a step isn't declared here. See :class:`accord.seam.stores.KnowsApps`."""
        return revisions.why_absent(key.app)

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Show texts, each with what it changes in the one before. See :class:`.Explains`."""
        book = self._book_if_reachable()
        for step in steps:
            found = book.find(step.key)
            if direction is Direction.REVERT and found is not None and found.how != Origin.APPLIED:
                yield step, [LEFT]
            else:
                yield step, shown(self._source(step), found, book, direction)

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Compare objects with how the server wrote them when they were made. See :class:`.Probes`."""
        with failures.translated(self._database):
            prober = Prober(self._database, self._read(), {key: one.source for key, one in self._all()})
            yield from prober.probe([(step, self._source(step)) for step in steps])

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """Tell what stands on objects, and what was changed by hand. See :class:`.Foretells`."""
        with failures.translated(self._database):
            yield from foretold(self._database, self._read(), [(one, self._source(one)) for one in steps])

    # --- writing -------------------------------------------------------------------------------------

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Make an object as a text says. See :class:`accord.seam.stores.Store`."""
        return self._through(step, lease, report, self._apply)

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Put the text before back, or nothing. See :class:`accord.seam.stores.Store`."""
        if was_found(step, self.applied()):
            self.forget(step, lease)
            return left_alone(step)
        return self._through(step, lease, report, self._revert)

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        """Write a text down as made. See :class:`accord.seam.stores.Records`."""

        def write(step: Step, lease: Lease, _: float | None) -> StepOutcome:
            clock, source = self._claim(lease), self._source(step)
            book = self._writer.read()
            if book.find(step.key) is None:
                live = Catalog(self._connection).live(source) or ""
                self._writer.add(self._entry(step, source, book, live=live, how=how), lease, clock)
            return StepOutcome(key=step.key, direction=Direction.APPLY, origin=how)

        self._through(step, lease, silent, write)

    def forget(self, step: Step, lease: Lease) -> None:
        """Strike a text; of a file that is gone, all of them. See :class:`accord.seam.stores.Records`."""

        def strike(step: Step, lease: Lease, _: float | None) -> StepOutcome:
            self._claim(lease)
            book = self._writer.read()
            entry = book.find(step.key)
            if entry is not None:
                gone = book.texts(entry.of) if entry.of not in self._files() else (entry,)
                for one in gone:
                    self._writer.strike(one)
            return StepOutcome(key=step.key, direction=Direction.REVERT)

        self._through(step, lease, silent, strike)

    def _apply(self, step: Step, lease: Lease, seconds: float | None) -> StepOutcome:
        clock = self._claim(lease)
        limit(self._connection, seconds)
        book, source = self._writer.read(), self._source(step)
        if book.find(step.key) is not None:
            return StepOutcome(key=step.key, direction=Direction.APPLY, already=True)
        beside = Catalog(self._connection).security(source)
        put = self._replacing(book, forward=True).put(source, book.current((source.app, source.name)))
        lease.check()
        how = Origin.ADOPTED if put.found else Origin.APPLIED
        entry = replace(self._entry(step, source, book, live=put.live, how=how), beside=beside)
        self._writer.add(entry, lease, clock)
        self._look_again(put)
        return StepOutcome(key=step.key, direction=Direction.APPLY, changed=1 + len(put.again), origin=how)

    def _revert(self, step: Step, lease: Lease, seconds: float | None) -> StepOutcome:
        self._claim(lease)
        limit(self._connection, seconds)
        book = self._writer.read()
        entry = book.find(step.key)
        if entry is None:
            return StepOutcome(key=step.key, direction=Direction.REVERT, already=True)
        before = next((one for one in book.texts(entry.of) if one.number == entry.number - 1), None)
        detail = self._put_back(book, entry, before)
        if not Catalog(self._connection).put_security_back(entry.source, entry.beside):
            detail = f"{detail}; rows stay secured, as other policies stand there".removeprefix("; ")
        lease.check()
        self._writer.strike(entry)
        return StepOutcome(key=step.key, direction=Direction.REVERT, changed=1, detail=detail)

    def _put_back(self, book: Book, entry: Entry, before: Entry | None) -> str:
        """Put the text before back; one that doesn't fit what it stands on comes back with that."""
        replacing = self._replacing(book, forward=False)
        if before is None or (before.source.removed and entry.source.removed):
            if not entry.source.removed:
                replacing.take_away(entry)
            return ""
        try:
            with transaction.atomic(using=self._database):
                put = replacing.put(before.source, entry)
        except StepFailed:
            if not self._stands_on_another(book, before):
                raise
            live = Catalog(self._connection).live(entry.source) or ""
            self._writer.look_again(before, live)
            return f"{before.name} comes back with what it depends on, which is still to be undone"
        self._writer.look_again(before, put.live)
        self._look_again(put)
        return f"{before.name} is back"

    def _stands_on_another(self, book: Book, entry: Entry) -> bool:
        """Return whether an object that a text needed is one of another text now."""
        current = {one.key(self.alias) for name in book.files if (one := book.current(name)) is not None}
        needed = [found for key in entry.needed() if key.store == self.alias and (found := book.find(key))]
        return any(one.of != entry.of and one.key(self.alias) not in current for one in needed)

    def _look_again(self, put: Put) -> None:
        for other, live in put.again:
            self._writer.look_again(other, live)

    def _through(
        self,
        step: Step,
        lease: Lease,
        report: Reporter,
        act: Callable[[Step, Lease, float | None], StepOutcome],
    ) -> StepOutcome:
        """Do something in one transaction; again, while others hold what it locks."""
        lease.check()
        isolation.refuse_real(self._database)
        with failures.translated(self._database):
            db.revive(self._database)
            self._writer.ensure()
            return self._tries(step, lease, report).through(partial(self._at_once, act, step, lease))

    def _at_once(
        self,
        act: Callable[[Step, Lease, float | None], StepOutcome],
        step: Step,
        lease: Lease,
        seconds: float | None,
    ) -> StepOutcome:
        with transaction.atomic(using=self._database):
            return act(step, lease, seconds)

    def _tries(self, step: Step, lease: Lease, report: Reporter) -> Tries:
        connection = self._connection
        usual = patience.OFF if connection.in_atomic_block else patience.of_environment(conf.load())
        return Tries(
            key=step.key,
            patience=usual,
            lease=lease,
            report=report,
            beside=lambda: beside(self._database),
            pid=lambda: pid_of(connection),
        )

    # --- Closes ------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Forget what was read; the connection is Django's."""
        self._book = Book()

    # --- inside ----------------------------------------------------------------------------------------

    @property
    def _connection(self) -> BaseDatabaseWrapper:
        return connections[self._database]

    def _read(self) -> Book:
        if not takes_part(self._database):
            return Book()
        with failures.translated(self._database):
            return self._writer.read()

    def _book_if_reachable(self) -> Book:
        try:
            return self._read()
        except StoreUnavailable:
            return Book()

    def _files(self) -> Mapping[Name, Version]:
        if self._versions is None:
            self.steps()
        return self._versions or {}

    def _all(self) -> Sequence[tuple[Name, Version]]:
        return list(self._files().items())

    def _chain(self, book: Book) -> Chain:
        return Chain(store=self.alias, database=self._database, versions=self._files(), book=book)

    def _claim(self, lease: Lease) -> datetime:
        return self._writer.ledger.claim(lease)

    def _replacing(self, book: Book, *, forward: bool) -> Replacing:
        newest = {name: version.source for name, version in self._all()} if forward else {}
        return Replacing(self._database, book, newest)

    def _source(self, step: Step) -> ObjectSource:
        file = step.key.name.rpartition("@")[0]
        return parse(step.source.text, app=step.key.app, name=file, path=step.source.path)

    def _entry(self, step: Step, source: ObjectSource, book: Book, *, live: str, how: Origin) -> Entry:
        current = book.current((source.app, source.name))
        return Entry(
            app=source.app,
            file=source.name,
            number=current.number + 1 if current else 1,
            name=step.key.name,
            digest=step.key.name.rpartition("@")[2],
            text=source.text,
            needs=needs_of(step),
            live=live,
            beside="",
            how=how.value,
        )
