"""Cutting anything into pieces of bounded size, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """
    Give lists of at most `size` items, in order, none of them empty.

    Args:
        items: Read only as far as a batch needs.
        size: Most items in a batch.
    """
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
