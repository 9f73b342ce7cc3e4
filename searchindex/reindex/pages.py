"""Reading every document of an index in one frozen view, in pages of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.errors import StepFailed
from searchindex.context import Context

PAGE = 500
"""Documents in a page, at most."""
PAGE_BYTES = 10 * 2**20
"""Bytes in a page or a request, about."""
VERSIONS = "external"
"""
How a copy is written: each document with its version, unless the target holds that or a later one.

An application that counts its versions itself would otherwise find 1 in the copy, and the server would
take a write that came late for a newer one.
"""
_FIRST_PAGE = 20
_KEEP_ALIVE = "5m"

Hit = Mapping[str, Any]
"""A document as a search returns it."""


def pages(context: Context, index: str) -> Iterator[Sequence[Hit]]:
    """
    Read all documents of an index as they are at this moment.

    Args:
        context: Connection, engine and lease; the lease is checked before each page.
        index: Physical index; what came in lately has to be refreshed.

    Raises:
        StepFailed: The server did not read every part.
        LeaseLost: The lease went away.
    """
    view = context.engine.open_view(context.transport, index, _KEEP_ALIVE)
    try:
        yield from _pages(context, view)
    finally:
        context.engine.close_view(context.transport, view)


def _pages(context: Context, view: str) -> Iterator[Sequence[Hit]]:
    """Read pages whose size follows from that of the documents: memory and requests stay bounded."""
    after: object = None
    size = _FIRST_PAGE
    while True:
        context.lease.check()
        answer = context.engine.read_view(context.transport, view, _KEEP_ALIVE, size, after)
        if answer.body["timed_out"] or answer.body["_shards"]["failed"]:
            raise StepFailed("The server did not read every part of the index.", hint="Run again.")
        hits: Sequence[Hit] = answer.body["hits"]["hits"]
        if not hits:
            return
        yield hits
        after = hits[-1]["sort"]
        size = next_size(size, len(hits), answer.size)


def next_size(size: int, read: int, read_bytes: int) -> int:
    """
    Choose how many documents the next page holds.

    Args:
        size: How many the last one was to hold.
        read: How many it held.
        read_bytes: Their bytes.

    Returns:
        As many as fit into the bytes of a page, by their average; never more than twice as many as before.
    """
    fitting = PAGE_BYTES * read // max(read_bytes, 1)
    return max(1, min(fitting, 2 * size, PAGE))
