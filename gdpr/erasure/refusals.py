"""Refusals: what keeps single requests of a set from going on, while the others do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    kinds = {keys.kind for keys in people.values()}
    if len(kinds) > 1:
        # Their data are in different places: a store with those of one kind only stops nobody else.
        return _each(
            [{one: each for one, each in people.items() if each.kind == kind} for kind in kinds], act
        )
    try:
        return dict(act(people)), {}
    except AccordError as exc:
        if len(people) == 1 or isinstance(exc, StoreUnavailable):
            return {}, dict.fromkeys(people, exc)
    return _each(halves(people), act)


def _of_kind(people: People, kind: str) -> People:
    return {one: keys for one, keys in people.items() if keys.kind == kind}


def _each(
    groups: Iterable[People], act: Callable[[People], Mapping[int, _Result]]
) -> tuple[dict[int, _Result], dict[int, AccordError]]:
    results: dict[int, _Result] = {}
    refused: dict[int, AccordError] = {}
    for group in groups:
        given, kept_back = together_or_apart(group, act)
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
