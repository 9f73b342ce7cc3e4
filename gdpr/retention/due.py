"""What is due: rows that have run out, without what a legal hold keeps, or a living person's law."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from accord import clock
from accord.erased import tombstones
from accord.errors import StoreError
from gdpr.datamap.lapses import Lapse, lapses
from gdpr.datamap.map import load_data_map
from gdpr.datamap.terms import day_of
from gdpr.erasure import encryption, holds
from gdpr.states import LapseKind
from gdpr.stores.base import Stores
from gdpr.stores.lapsing import LapsedRow, lapsing

UNTOLD = "untold"
"""Why something isn't due: rows don't say whose they are, so nobody knows whether an erasure kept them."""
_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Due:
    """
    What is due of one entry.

    Attributes:
        entry: Its id.
        store: Alias of its store.
        kind: Of whom.
        rule: The term, in words.
        due: Rows that have run out, and go.
        held: Rows that have run out, and that a legal hold keeps.
        more: Whether there are more than were counted.
        trouble: Code of what kept the store from being asked, or `untold`; empty for nothing.
    """

    entry: str
    store: str
    kind: str
    rule: str
    due: int = 0
    held: int = 0
    more: bool = False
    trouble: str = ""


def terms(entry: str = "", day: date | None = None) -> list[Lapse]:
    """
    List what has a term by the data map.

    Args:
        entry: Id of one entry; every one unless given.
        day: As of which day; today unless given.

    Raises:
        UnknownTarget: There is no such entry.
    """
    the_map = load_data_map()
    if entry:
        the_map.entry(entry)
    found = lapses(the_map, day or today())
    return [one for one in found if entry in ("", one.entry.id)]


def today() -> date:
    """Return the day on the project's calendar."""
    return day_of(clock.now())


def look(stores: Stores, *, entry: str = "", most: int) -> Iterator[Due]:
    """
    Count what is due. Nothing is changed.

    Args:
        stores: Where to look.
        entry: Id of one entry; every one unless given.
        most: Rows that are counted of each term at most.
    """
    for lapse in terms(entry):
        yield counted(lapse, stores, most)


def counted(lapse: Lapse, stores: Stores, most: int) -> Due:
    """Count what is due by one term. See :func:`look`."""
    told = Due(entry=lapse.entry.id, store=lapse.entry.store, kind=str(lapse.kind), rule=lapse.rule)
    if not lapse.is_told:
        return replace(told, trouble=UNTOLD)
    due = held = 0
    try:
        for page in pages(lapsing(stores[lapse.entry.store], lapse).run_out(lapse), _PAGE):
            going, kept = divided(lapse, page)
            due, held = due + len(going), held + kept
            if due > most:
                return replace(told, due=most, held=held, more=True)
    except StoreError as exc:
        return replace(told, due=due, held=held, trouble=exc.code)
    return replace(told, due=due, held=held)


def pages(rows: Iterator[LapsedRow], size: int) -> Iterator[Sequence[LapsedRow]]:
    """Split rows into pages."""
    while page := list(islice(rows, size)):
        yield page


def divided(lapse: Lapse, rows: Sequence[LapsedRow]) -> tuple[Sequence[LapsedRow], int]:
    """
    Choose the rows that go, and count those that a legal hold keeps.

    Of what is kept of erased people only their rows go, and those that lead to nobody any more.
    """
    subject = load_data_map().whose(lapse.entry)
    kind = subject.model if subject else ""
    if lapse.kind is LapseKind.KEPT:
        owners = {owner for row in rows for owner in row.owners}
        erased = tombstones.filter_erased(kind, owners)
        rows = [row for row in rows if erased.issuperset(row.owners)]
    held = holds.tags_on(lapse.entry.id)
    if not held:
        return rows, 0
    # Where a row doesn't say whose it is, it may be of whoever is held.
    is_said = bool(kind and lapse.owner)
    free = [row for row in rows if is_said and not _is_held(kind, row, held)]
    return free, len(rows) - len(free)


def _is_held(kind: str, row: LapsedRow, held: frozenset[str]) -> bool:
    return any(not held.isdisjoint(encryption.tags_of_key(kind, owner)) for owner in row.owners)
