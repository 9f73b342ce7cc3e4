"""
Whether values may be shown: whose they are is known by whoever keeps a data map, if anybody does.

Where nobody answers, a value may be a person's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Owner:
    """
    What says whose a row or document is.

    Attributes:
        kind: The kind of person, as tombstones know it.
        path: The column, or the dotted path, that holds the person's key.
    """

    kind: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Place:
    """
    What is known of a table, a collection or an index.

    Attributes:
        personal: Columns or dotted paths with personal data.
        whole: Whether all of it is personal, for nobody said which parts are.
        owners: What says whose its rows are.
        owned_elsewhere: Whether other rows say so, too.
    """

    personal: frozenset[str] = frozenset()
    whole: bool = False
    owners: Sequence[Owner] = ()
    owned_elsewhere: bool = False

    def is_personal(self, name: str) -> bool:
        """Return whether a column, or what is at a path, is personal, or a part of it."""
        return self.whole or any(overlap(name, one) for one in self.personal)


class Knows(Protocol):
    """Knows what is personal in a place."""

    def __call__(self, store: str, holder: str) -> Place:
        """
        Return what is known of a place; an empty one where nothing is.

        Args:
            store: Alias of the store.
            holder: The table, the collection or the index.

        Raises:
            AccordError: It can't be told.
        """
        ...


class Answers(Protocol):
    """Knows of some places which of their values are nobody's personal data."""

    def __call__(self, store: str, holder: str, names: Collection[str]) -> bool:
        """
        Return whether values are known to be nobody's personal data.

        Args:
            store: Alias of the store.
            holder: The table, or the collection.
            names: Columns, or dotted paths.
        """
        ...


_answers: list[Answers] = []
_knows: list[Knows] = []


def register(answers: Answers) -> None:
    """Have somebody asked from now on."""
    if answers not in _answers:
        _answers.append(answers)


def is_open(store: str, holder: str, names: Collection[str]) -> bool:
    """
    Return whether values are known to be nobody's personal data, so that they may be shown.

    Args:
        store: Alias of the store.
        holder: The table, or the collection.
        names: Columns, or dotted paths; of none, nobody knows.
    """
    return bool(names) and any(answers(store, holder, names) for answers in _answers)


def register_places(knows: Knows) -> None:
    """Have somebody asked about places from now on."""
    if knows not in _knows:
        _knows.append(knows)


def place(store: str, holder: str) -> Place:
    """
    Return what is known of a table, a collection or an index: everything that anybody knows.

    Args:
        store: Alias of the store.
        holder: The table, the collection or the index.

    Raises:
        AccordError: It can't be told.
    """
    found = [knows(store, holder) for knows in _knows]
    return Place(
        personal=frozenset[str]().union(*(one.personal for one in found)),
        whole=any(one.whole for one in found),
        owners=[owner for one in found for owner in one.owners],
        owned_elsewhere=any(one.owned_elsewhere for one in found),
    )


def overlap(one: str, other: str) -> bool:
    """Return whether two paths are the same, or one lies within the other."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
