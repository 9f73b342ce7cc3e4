"""
What a store holds of each of several people, asked with one look wherever the store can tell.

Where it can't (a walk over foreign keys, elements of arrays), it is asked for all of them together
first: mostly nothing is there, and no person needs to be asked about alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from gdpr.datamap.actions import Delete, Manual, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import Plain, variants
from gdpr.datamap.kin import kin
from gdpr.datamap.locators import Generic, Key, Rows, Sessions
from gdpr.datamap.several import SeveralKeys
from gdpr.datamap.subjects import SubjectKeys
from gdpr.datamap.terms import After
from gdpr.stores.base import ErasureStore, Found
from gdpr.stores.dates import UNKNOWN, Dates, TellsDates, joined
from gdpr.stores.folded import folding

People = Mapping[int, SubjectKeys]
"""Keys of people, by the request that each belongs to."""

_NOTHING = Found(count=0, pending=0)


def several(people: People) -> SeveralKeys:
    """Combine the keys of several people."""
    return SeveralKeys(tuple(people.values()))


def halves(people: People) -> Iterator[People]:
    """Split people into two groups, to find out of whom something is true that is true of one of them."""
    listed, middle = list(people.items()), len(people) // 2
    return (dict(part) for part in (listed[:middle], listed[middle:]))


def find(store: ErasureStore, entry: Entry, people: People) -> dict[int, Found]:
    """
    Count what is there of each person. Nothing is changed.

    Args:
        store: The entry's store.
        entry: Where to look.
        people: Whom for.

    Raises:
        StoreUnavailable: The store can't be reached.
    """
    if not entry.is_looked_at:
        return dict.fromkeys(people, _NOTHING)
    counts = _tally(store, entry, people)
    left = None if counts is None else _pending(store, entry, people, counts)
    if counts is None or left is None:
        return _apart(store, entry, people)
    # One for all who have as much: mostly that is nothing.
    told = {
        each: Found(count=each[0], pending=each[1]) for each in {(counts[one], left[one]) for one in people}
    }
    return {one: told[counts[one], left[one]] for one in people}


def pending(store: ErasureStore, entry: Entry, people: People) -> dict[int, int]:
    """Count what an erasure has still to change of each person."""
    if isinstance(entry.action, Manual) or not entry.is_looked_at:
        return dict.fromkeys(people, 0)
    counted = _tally(store, entry, people, pending=True)
    if counted is not None:
        return counted
    return {one: found.pending for one, found in _apart(store, entry, people).items()}


def residue(store: ErasureStore, entry: Entry, people: People) -> dict[int, int]:
    """Count what an erasure has left of each person, by the store's second look."""
    left = store.residue(entry, several(people)) if people else 0
    if not left or len(people) == 1:
        return dict.fromkeys(people, left)
    return {one: number for half in halves(people) for one, number in residue(store, entry, half).items()}


def last_days(store: ErasureStore, entry: Entry, people: People, term: After) -> dict[int, date | None]:
    """Return the last day on which an entry keeps anything of each person; None while nobody knows it."""
    told = _dates(store, entry, people, term) if isinstance(store, TellsDates) else {}
    return {one: told.get(one, UNKNOWN).last_day(term) for one in people}


def _dates(store: TellsDates, entry: Entry, people: People, term: After) -> dict[int, Dates]:
    owners = _owners(entry, people)
    found = store.dates(entry, several(people), term) if owners is not None and len(people) > 1 else {}
    if owners is None or not found or not found.keys() <= owners.keys():
        return {one: joined(store.dates(entry, keys, term).values()) for one, keys in people.items()}
    groups: dict[int, list[Dates]] = {}
    for key, dates in found.items():
        groups.setdefault(owners[key], []).append(dates)
    return {one: joined(some) for one, some in groups.items()}


def collect(store: ErasureStore, entry: Entry, people: People) -> dict[int, SubjectKeys]:
    """
    Collect the primary keys of each person's rows, for entries that refer to them.

    A settled entry is asked for whatever has the key now: what was not there before is told as newer.
    """
    asked = {one: keys.unsettled(entry.id) for one, keys in people.items()}
    owners = _owners(entry, people)
    found = None if owners is None else store.collect_by_key(entry, several(asked))
    if owners is None or found is None or not found.keys() <= owners.keys():
        return {one: keys.with_collected(store.collect(entry, asked[one])) for one, keys in people.items()}
    collected: dict[int, list[Plain]] = {one: [] for one in people}
    for key, rows in found.items():
        collected[owners[key]] += rows
    return {one: keys.with_collected({entry.id: collected[one]}) for one, keys in people.items()}


def _pending(
    store: ErasureStore, entry: Entry, people: People, counts: dict[int, int]
) -> dict[int, int] | None:
    if isinstance(entry.action, Delete):
        return counts
    if isinstance(entry.action, Manual) or (isinstance(entry.action, Retain) and not entry.action.strategies):
        return dict.fromkeys(people, 0)
    return _tally(store, entry, people, pending=True)


def _tally(
    store: ErasureStore, entry: Entry, people: People, *, pending: bool = False
) -> dict[int, int] | None:
    counted = None if _keys(entry) is None else store.tally(entry, several(people), pending=pending)
    if counted is None:
        return None
    found = dict.fromkeys(people, 0)
    if not counted:
        # Mostly so, and then it doesn't matter whose a hundred thousand keys are.
        return found
    owners = _owners(entry, people)
    if owners is None or not counted.keys() <= owners.keys():
        return None
    for key, rows in counted.items():
        found[owners[key]] += rows
    return found


def _owners(entry: Entry, people: People) -> dict[str, int] | None:
    """Return whose each key is, as a text; None when a key is shared or the locator is no plain field."""
    keys_of = _keys(entry)
    if keys_of is None:
        return None
    owners: dict[str, int] = {}
    for one, keys in people.items():
        for key in {str(form) for form in keys_of(keys)}:
            if owners.setdefault(key, one) != one:
                return None
    return owners


def _keys(entry: Entry) -> Callable[[SubjectKeys], Iterable[object]] | None:
    match entry.locator:
        case Key(_, kind, by):
            fold = folding(entry.locator) or str
            return lambda keys: [
                fold(str(form)) for value in keys.values(by) for form in variants(value, kind)
            ]
        case Rows(of) | Sessions(of):
            return lambda keys: keys.collected.get(of, ())
        case Generic(of=logged):
            kinds = [(entry_id, *kind) for entry_id, label in logged.items() for kind in kin(label)]
            return lambda keys: [
                f"{app}:{model}:{key}" for of, app, model in kinds for key in keys.collected.get(of, ())
            ]
        case _:
            return None


def _apart(store: ErasureStore, entry: Entry, people: People) -> dict[int, Found]:
    """Ask about each person alone, where something is there of any of them."""
    if len(people) > 1 and store.find(entry, several(people)).count == 0:
        return dict.fromkeys(people, _NOTHING)
    return {one: store.find(entry, keys) for one, keys in people.items()}
