"""Cutting anything into pieces of bounded size, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from accord.erased import tombstones

Item = TypeVar("Item")
Document = TypeVar("Document", bound=Mapping[str, Any])


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


def write_living(
    documents: Iterable[Document],
    size: int,
    write: Callable[[list[Document]], int],
    *,
    subject: tuple[str, str],
) -> int:
    """
    Write documents about people in batches, without those of people who were erased.

    No fence goes up while a batch is written, so nobody slips through between look and write.

    Args:
        documents: Read only as far as a batch needs.
        size: Most documents in a batch.
        write: Writes a batch and says how many documents that changed.
        subject: Kind of person and path of their key: `("streaming.listener", "listener_id")`.

    Returns:
        What `write` said, added up.
    """
    return sum(_write_living(batch, write, *subject) for batch in in_batches(documents, size))


def _write_living(
    batch: list[Document], write: Callable[[list[Document]], int], kind: str, field: str
) -> int:
    with tombstones.sparing(kind) as erased:
        living = tombstones.spare(batch, field, erased)
        return write(living) if living else 0
