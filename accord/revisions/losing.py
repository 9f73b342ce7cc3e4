"""Counting what revisions would drop: collections and indexes with their documents."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from accord.revisions.entry import EntryState, StepEntry
from accord.revisions.ledger import RevisionLedger
from accord.revisions.operation import Operation
from accord.seam.losses import Held, HowMany, Loss
from accord.seam.types import Direction, Lease, Origin, StepKey

LOOKING = Lease(scope="look", owner="", run_id="", fence=sys.maxsize)
"""A right to read what operations put away, and to write nothing."""

Count = Callable[[str], HowMany]
"""Counts the documents of a collection or an index; zero where there is none."""


def losses(
    concerned: Sequence[tuple[StepKey, Sequence[Operation[Any]], Any]],
    direction: Direction,
    ledger: RevisionLedger,
    count: Count,
) -> Iterator[Loss]:
    """
    Yield what operations would drop.

    Args:
        concerned: Steps in their order, each with its operations in the order of the file and with what
            the operations read names by.
        direction: Which way.
        ledger: Knows what operations found, and what they made.
        count: Counts the documents of one thing as it is called now.
    """
    today: dict[str, str] = {}
    for key, operations, place in concerned:
        entry = ledger.entry(key, LOOKING) or StepEntry(key=key)
        numbered = [one for one in enumerate(operations) if _is_ours(entry, one[0], direction)]
        for number, operation in numbered if direction is Direction.APPLY else reversed(numbered):
            for name in operation.drops(entry.facts(number), place, direction):
                now = today.get(name, name)
                what = f"{operation.holder} {now}"
                yield Loss(key=key, what=what, held=Held.DOCUMENTS, count=count(now))
            _rename(today, operation.renames(direction))


def _is_ours(entry: StepEntry, number: int, direction: Direction) -> bool:
    """Return whether a run would act on an operation: on the way back only on what a run of ours did."""
    if direction is Direction.APPLY:
        return True
    if entry.state is not EntryState.APPLIED:
        begun = entry.begun()
        return number < begun.done + begun.partly
    return entry.how is Origin.APPLIED or str(number) in entry.saved


def _rename(today: dict[str, str], pair: tuple[str, str] | None) -> None:
    """Note by which name a thing is called now that will have another one by then."""
    if pair is not None:
        old, new = pair
        today[new] = today.pop(old, old)
