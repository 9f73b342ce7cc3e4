"""Refusals: what keeps single requests of a set from going on, while the others do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from accord.errors import AccordError, StoreUnavailable
from gdpr.stores.per_person import People, halves

Refusals = Mapping[int, AccordError]
"""Why requests don't go on, by primary key. A request that is missing was not refused."""
_Result = TypeVar("_Result")


def together_or_apart(
    people: People, act: Callable[[People], Mapping[int, _Result]]
) -> tuple[dict[int, _Result], dict[int, AccordError]]:
    """
    Do something for several people at once; where that is refused, for halves of them, down to each alone.

    A refusal for several says only that it concerns one of them, so it is put down to a person who is
    refused alone. A store that can't be reached can't be reached for anyone.

    Args:
        people: For whom.
        act: What to do; it changes nothing where it raises, or may be repeated.

    Returns:
        What it gave for each, and what refused each of the others.
    """
    if not people:
        return {}, {}
    try:
        return dict(act(people)), {}
    except AccordError as exc:
        if len(people) == 1 or isinstance(exc, StoreUnavailable):
            return {}, dict.fromkeys(people, exc)
    results: dict[int, _Result] = {}
    refused: dict[int, AccordError] = {}
    for half in halves(people):
        given, kept_back = together_or_apart(half, act)
        results |= given
        refused |= kept_back
    return results, refused


def raise_first(refused: Refusals) -> None:
    """
    Raise what refused a request, for callers that asked about one.

    Raises:
        AccordError: There is a refusal.
    """
    for refusal in refused.values():
        raise refusal
