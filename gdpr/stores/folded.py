"""
Keys in every spelling: what the map folds is looked up first, and then compared as it is written there.

A store gives candidates, of which none that may be meant is missing. Which of them are the person's is
decided here, by one function for every store: nobody else's are touched for what a server takes for equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from accord.erased.folding import Fold, folded
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.keys import Plain, declared_fold
from gdpr.datamap.lapses import Lapse
from gdpr.datamap.locators import AnyOf, Keyed, Locator, parts
from gdpr.datamap.lock import Inventory
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After
from gdpr.stores.base import Erased, ErasureStore, Found, IndexUse
from gdpr.stores.dates import UNKNOWN, Dates, TellsDates, joined
from gdpr.stores.lapsing import LapsedRow, lapsing
from gdpr.stores.scrubs import Scrubbed

MANY = 10_000
"""Rows or documents from which on an index of a folding is worth a warning."""


class ErasureOfSpellings(ErasureStore, Protocol):
    """A store that can say how a key may be written in it."""

    def candidates(self, entry: Entry, locator: Keyed, fold: Fold, wanted: Sequence[str]) -> Iterable[object]:
        """
        Return what stands where a locator looks and may be a spelling of a key.

        Args:
            entry: Whose locator it is.
            locator: Where to look.
            fold: Which spellings are one.
            wanted: Keys, folded.

        Raises:
            ErasureRefused: The store can't say it.
        """
        ...


@dataclass(frozen=True)
class _Written:
    """
    The keys of people, some of them as a store has them.

    Attributes:
        keys: The keys as they are known.
        texts: Spellings in the store, by the name that a locator asks for.
    """

    keys: Keys
    texts: Mapping[str, tuple[Plain, ...]] = field(repr=False)

    @property
    def collected(self) -> Mapping[str, tuple[Plain, ...]]:
        """Primary keys of rows that were found before anything was erased."""
        return self.keys.collected

    def values(self, by: str = "") -> tuple[Plain, ...]:
        """Return the keys of a name."""
        return self.texts[by] if by in self.texts else self.keys.values(by)

    def only(self, entry: str) -> tuple[Plain, ...] | None:
        """Return the rows that an entry may still find."""
        return self.keys.only(entry)

    def apart(self, entry: str) -> tuple[Plain, ...]:
        """Return the rows that are not this person's for certain."""
        return self.keys.apart(entry)


class Folded:
    """
    A store that is asked for every spelling of a key.

    Args:
        store: The store, which compares exactly.
    """

    def __init__(self, store: ErasureOfSpellings) -> None:
        self._store = store
        self.alias = store.alias

    def find(self, entry: Entry, keys: Keys) -> Found:
        return self._store.find(*self._written(entry, keys))

    def collect(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]]:
        return self._store.collect(*self._written(entry, keys))

    def tally(self, entry: Entry, keys: Keys, *, pending: bool = False) -> Mapping[str, int] | None:
        counted = self._store.tally(*self._written(entry, keys), pending=pending)
        fold = folding(entry.locator)
        if counted is None or fold is None:
            return counted
        people: Counter[str] = Counter()
        for key, rows in counted.items():
            people[fold(key)] += rows
        return people

    def collect_by_key(self, entry: Entry, keys: Keys) -> Mapping[str, list[Plain]] | None:
        found = self._store.collect_by_key(*self._written(entry, keys))
        fold = folding(entry.locator)
        if found is None or fold is None:
            return found
        people: dict[str, list[Plain]] = {}
        for key, rows in found.items():
            people.setdefault(fold(key), []).extend(rows)
        return people

    def dates(self, entry: Entry, keys: Keys, term: After) -> Mapping[str, Dates]:
        if not isinstance(self._store, TellsDates):
            return {"": UNKNOWN}
        fold = folding(entry.locator) or str
        found = [
            (fold(key), one) for key, one in self._store.dates(*self._written(entry, keys), term).items()
        ]
        return {key: joined(one for other, one in found if other == key) for key in dict(found)}

    def run_out(self, lapse: Lapse) -> Iterator[LapsedRow]:
        return lapsing(self._store, lapse).run_out(lapse)

    def let_go(self, lapse: Lapse, rows: Sequence[LapsedRow]) -> int:
        return lapsing(self._store, lapse).let_go(lapse, rows)

    def erase(self, entry: Entry, keys: Keys, limit: int) -> Erased:
        return self._store.erase(*self._written(entry, keys), limit)

    def residue(self, entry: Entry, keys: Keys) -> int:
        return self._store.residue(*self._written(entry, keys))

    def export(self, entry: Entry, keys: Keys) -> Iterator[Mapping[str, Any]]:
        return self._store.export(*self._written(entry, keys))

    def explain(self, entry: Entry, keys: Keys) -> IndexUse:
        # How it finds what is written as it is known: other spellings may not be there at all.
        return self._store.explain(entry, keys)

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        return self._store.inspect(entries)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        return self._store.inventory(entries)

    def scrub(self, entries: Sequence[Entry]) -> Sequence[Scrubbed]:
        return self._store.scrub(entries)

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        return self._store.some(entry, limit)

    def fingerprint(self) -> str:
        return self._store.fingerprint()

    # --- spellings -------------------------------------------------------------------------------

    def _written(self, entry: Entry, keys: Keys) -> tuple[Entry, Keys]:
        """Return an entry that asks for the spellings which the store has, and keys that hold them."""
        if not entry.is_looked_at or not any(fold_of(part) for part in parts(entry.locator)):
            return entry, keys
        texts: dict[str, tuple[Plain, ...]] = {}
        asking = [self._asking(entry, part, keys, texts) for part in parts(entry.locator)]
        one = AnyOf(tuple(asking)) if isinstance(entry.locator, AnyOf) else asking[0]
        return replace(entry, locator=one), _Written(keys, texts)

    def _asking(self, entry: Entry, part: Any, keys: Keys, texts: dict[str, tuple[Plain, ...]]) -> Any:
        fold = fold_of(part)
        if fold is None:
            return part
        name = f"{part.by} as {fold}, {len(texts)}"
        wanted = {folded(str(value), fold) for value in keys.values(part.by)}
        found = self._store.candidates(entry, part, fold, sorted(wanted)) if wanted else ()
        texts[name] = tuple(
            sorted({one for one in found if isinstance(one, str) and folded(one, fold) in wanted})
        )
        return replace(part, by=name)


def fold_of(locator: object) -> Fold | None:
    """Return how a locator folds; None where it compares exactly."""
    fold = declared_fold(locator.fold) if isinstance(locator, Keyed) else Fold.EXACT
    return None if fold is Fold.EXACT else fold


def folding(locator: Locator | None) -> Callable[[str], str] | None:
    """Return how the keys of one locator are folded; None where they are compared exactly."""
    fold = fold_of(locator)
    return None if fold is None else lambda text: folded(text, fold)
