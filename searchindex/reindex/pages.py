"""Reading every document of an index under a lease."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from searchindex.context import Context
from searchindex.views import Hit
from searchindex.views import pages as read

VERSIONS = "external"
"""
How a copy is written: each document with its version, unless the target holds that or a later one.

An application that counts its versions itself would otherwise find 1 in the copy, and the server would
take a write that came late for a newer one.
"""


def pages(context: Context, index: str) -> Iterator[Sequence[Hit]]:
    """
    Read all documents of an index as they are at this moment.

    Args:
        context: Connection, engine and lease; the lease is checked before each page.
        index: Physical index; what came in lately has to be refreshed.

    Raises:
        StoreUnavailable: The server did not read every part.
        LeaseLost: The lease went away.
    """
    context.lease.check()
    with closing(read(context.transport, context.engine, index)) as found:
        for page in found:
            yield page
            context.lease.check()
