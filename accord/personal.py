"""
Whether values may be shown: whose they are is known by whoever keeps a data map, if anybody does.

Where nobody answers, a value may be a person's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


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
