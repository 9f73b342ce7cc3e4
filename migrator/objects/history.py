"""Today's files on top of the texts that were made: the steps of a store. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from accord.seam.types import Source, Step, StepKey
from migrator.objects.book import Book, Entry, phase_of, title_of
from migrator.objects.files import Name, Version


@dataclass(frozen=True, kw_only=True)
class Chain:
    """
    The steps of one store.

    Attributes:
        store: Its alias.
        database: Alias of the database that it is in.
        versions: Today's files.
        book: The texts that were made; none while nobody has read the ledger.
    """

    store: str
    database: str
    versions: Mapping[Name, Version]
    book: Book

    def steps(self, declared: Collection[StepKey] = ()) -> Sequence[Step]:
        """
        Return the steps: the texts that were made, each after the one before, and those of today's files.

        Args:
            declared: Steps of all stores; what an older text needed and nobody declares any more is left out.
        """
        past = [entry for name in self.book.files for entry in self._known(name)]
        known = {*declared, *(entry.key(self.store) for entry in past)}
        made = {entry.key(self.store) for entry in past}
        return [
            *(self._past(entry, known) for entry in past),
            *(self._today(name) for name in self.versions if self._key(name) not in made),
        ]

    def _known(self, name: Name) -> Sequence[Entry]:
        """
        Return the texts of a file that its file vouches for: all, where that holds the last one or a new one.

        What came after the text that it holds is a later release's, and is for that to undo. Of a file that
        is gone there is none, unless it removed its object in the end.
        """
        texts = self.book.texts(name)
        if name not in self.versions:
            return texts if texts[-1].source.removed else ()
        held = [entry.number for entry in texts if entry.digest == self.versions[name].digest]
        return [entry for entry in texts if not held or entry.number <= held[-1]]

    def _past(self, entry: Entry, known: Collection[StepKey]) -> Step:
        previous = self._before(entry)
        needed = [key for key in entry.needed() if key in known]
        return entry.step(self.store, needed, previous.key(self.store) if previous else None)

    def _before(self, entry: Entry) -> Entry | None:
        return next((one for one in self.book.texts(entry.of) if one.number == entry.number - 1), None)

    def _today(self, name: Name) -> Step:
        version, current = self.versions[name], self.book.current(name)
        previous = (current.key(self.store),) if current else ()
        objects = (*map(self._key, version.needs), *self._letting_go(name))
        return Step(
            key=self._key(name),
            # As it was read: the key says which text it is, and the file may change meanwhile.
            source=Source(version.source.path, version.source.text.encode()),
            dependencies=(*previous, *objects, *self._after(version)),
            follows=previous,
            phase=phase_of(version.source),
            title=title_of(version.source),
        )

    def _letting_go(self, name: Name) -> Iterator[StepKey]:
        """Yield what stands on an object that is to go: a text without it, or none, has to come first."""
        if not self.versions[name].source.removed:
            return
        own = {entry.key(self.store) for entry in self.book.texts(name)}
        for other in self.versions.keys() - {name}:
            current = self.book.current(other)
            if current is not None and not own.isdisjoint(current.needed()):
                yield self._key(other)

    def _after(self, version: Version) -> Iterator[StepKey]:
        for said in version.source.after:
            text = said if ":" in said else f"{self.database}:{said}"
            yield StepKey.parse(text)

    def _key(self, name: Name) -> StepKey:
        """Name a text by its file and its version."""
        app, file = name
        return StepKey(self.store, app, f"{file}@{self.versions[name].digest}")
