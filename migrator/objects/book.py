"""The ledger of objects: a row for each text that was made, beside the data and in its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from django.db import models

from accord.revisions.entry import origin_of
from accord.seam.checksum import checksum, fingerprint
from accord.seam.types import AppliedStep, Lease, Phase, Source, Step, StepKey
from migrator.objects.files import FOLDER, Name
from migrator.objects.source import ObjectSource, parse
from migrator.relational.entries import ObjectRow, entry_id
from migrator.relational.ledger import Ledger

_FIELDS = (
    *("app", "file", "number", "name", "digest", "text", "needs"),
    *("live", "beside", "how", "run_id", "fence", "recorded_at"),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """
    One text that was made.

    Attributes:
        app: Label of the app.
        file: Name of the file, without its ending.
        number: Counts the texts of a file, from 1.
        name: Name of its step.
        digest: Which version of the file it is.
        text: The text.
        needs: Steps that it needed when it was made, as JSON.
        live: Hash of how the server wrote the object afterwards; empty where nobody looked.
        beside: What the table of a policy was like before, as :meth:`.Catalog.security` says it.
        how: How it came to stand there.
        run_id: Run that wrote it.
        fence: Fencing token of that run.
        recorded_at: When, by the server's clock.
    """

    app: str
    file: str
    number: int
    name: str
    digest: str
    text: str
    needs: str
    live: str
    beside: str
    how: str
    run_id: str = ""
    fence: int = 0
    recorded_at: datetime | None = None

    @property
    def of(self) -> Name:
        """Return which file it is a text of."""
        return (self.app, self.file)

    @cached_property
    def source(self) -> ObjectSource:
        """Read the text."""
        path = Path(self.app, FOLDER, f"{self.file}.sql")
        return parse(self.text, app=self.app, name=self.file, path=path, was_made=True)

    def key(self, store: str) -> StepKey:
        """Return the key of its step."""
        return StepKey(store, self.app, self.name)

    def needed(self) -> Sequence[StepKey]:
        """Return what it needed."""
        return [StepKey.parse(text) for text in json.loads(self.needs)]

    def step(self, store: str, dependencies: Iterable[StepKey], previous: StepKey | None) -> Step:
        """Return its step, which needs no file."""
        return Step(
            key=self.key(store),
            source=Source(self.source.path, self.text.encode()),
            dependencies=tuple(dependencies),
            follows=(previous,) if previous else (),
            phase=phase_of(self.source),
            title=title_of(self.source),
        )

    def applied(self, store: str) -> AppliedStep:
        """Return its line, for the engine."""
        key = self.key(store)
        return AppliedStep(
            key=key,
            checksum=checksum(self.text),
            fingerprint=fingerprint(self.text.encode()),
            applied_at=self.recorded_at,
            run_id=self.run_id,
            fence=self.fence,
            how=origin_of(key, self.how),
        )


def phase_of(source: ObjectSource) -> Phase:
    """Return when a text is sent: what goes away goes when no code reads it any more."""
    return Phase.CONTRACT if source.removed else Phase.EXPAND


def title_of(source: ObjectSource) -> str:
    """Return one line about a text."""
    return f"remove {source.words}: {source.removed}" if source.removed else source.words


class Book:
    """What the ledger held at one moment."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._texts: dict[Name, list[Entry]] = {}
        for entry in sorted(entries, key=lambda one: one.number):
            self._texts.setdefault(entry.of, []).append(entry)

    def __iter__(self) -> Iterator[Entry]:
        return (entry for texts in self._texts.values() for entry in texts)

    @property
    def files(self) -> Sequence[Name]:
        """Name the files of which texts were made."""
        return list(self._texts)

    def texts(self, name: Name) -> Sequence[Entry]:
        """Return all texts of a file, the first one first."""
        return self._texts.get(name, ())

    def current(self, name: Name) -> Entry | None:
        """Return the text of a file that stands."""
        return texts[-1] if (texts := self.texts(name)) else None

    def standing(self) -> Sequence[Entry]:
        """Return the text of each file that stands, without those that removed their object."""
        last = [texts[-1] for texts in self._texts.values()]
        return [entry for entry in last if not entry.source.removed]

    def find(self, key: StepKey) -> Entry | None:
        """Return the text of a step."""
        return next((entry for entry in self if (entry.app, entry.name) == (key.app, key.name)), None)


class Writer:
    """
    Reads and writes the ledger of one database.

    Args:
        database: Its alias in Django's settings.
    """

    def __init__(self, database: str) -> None:
        self._database = database
        self.ledger = Ledger(database)

    def read(self) -> Book:
        """Read it; a database without one has none."""
        rows = self.ledger.rows(ObjectRow, _FIELDS)
        return Book(Entry(**dict(zip(_FIELDS, row, strict=True))) for row in rows)

    def ensure(self) -> None:
        """Make the tables."""
        self.ledger.ensure()
        self.ledger.make(ObjectRow)

    def add(self, entry: Entry, lease: Lease, at: datetime) -> None:
        """Write a text, within the transaction that made it."""
        values = {field: getattr(entry, field) for field in _FIELDS}
        values |= {"run_id": lease.run_id, "fence": lease.fence, "recorded_at": at}
        self._rows.create(id=_id(entry), **values)

    def look_again(self, entry: Entry, live: str) -> None:
        """Write down how the server writes an object now."""
        self._rows.filter(pk=_id(entry)).update(live=live)

    def strike(self, entry: Entry) -> None:
        """Remove a text."""
        self._rows.filter(pk=_id(entry)).delete()

    @property
    def _rows(self) -> models.QuerySet[ObjectRow]:
        return ObjectRow._default_manager.using(self._database)


def _id(entry: Entry) -> str:
    return entry_id((entry.app, f"{entry.file}:{entry.number}"))


def needs_of(step: Step) -> str:
    """Write down what a step needs."""
    return json.dumps(sorted(str(key) for key in step.dependencies))
