"""
Reading documents of an index in one frozen view, page by page.

The one way in which the suite reads more than a page: what is written meanwhile is not seen, and nothing
is seen twice. Never by a scroll. Once one has read ten documents that lie side by side in an index with
derived vectors and is closed (or has expired), OpenSearch 3.5 answers 503 to every search of that index
and to every look at a document, until somebody closes the index and opens it again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from accord.errors import StoreUnavailable
from searchindex.transport import ServerResponse, Transport

if TYPE_CHECKING:
    from searchindex.engines.base import Engine, View

Hit = Mapping[str, Any]
"""A document as a search returns it."""
PAGE = 500
"""Documents in a page, at most."""
PAGE_BYTES = 10 * 2**20
"""Bytes in a page or a request, about."""
_FIRST_PAGE = 20
_KEEP_ALIVE = "5m"
_EVERYTHING: Mapping[str, Any] = {"match_all": {}}


def pages(
    transport: Transport, engine: Engine, index: str, query: Mapping[str, Any] = _EVERYTHING
) -> Generator[Sequence[Hit], None, None]:
    """
    Read the documents of an index that a query finds, as they are at this moment.

    Args:
        transport: Connection.
        engine: What answers there.
        index: Physical index; what came in lately has to be refreshed.
        query: What is looked for; everything by default.

    Yields:
        Pages, never an empty one; each document with its version, `_seq_no` and primary term.

    Raises:
        StoreUnavailable: The server did not read every part.
    """
    view = engine.open_view(transport, index, _KEEP_ALIVE)
    try:
        for part in engine.parts(view):
            asked = {"query": query, **engine.whole_documents, **part, "pit": _kept(view)}
            yield from _part(transport, index, asked)
    finally:
        engine.close_view(transport, view)


def documents(
    transport: Transport, engine: Engine, index: str, query: Mapping[str, Any] = _EVERYTHING
) -> Iterator[Hit]:
    """Read the same one by one; see :func:`pages`."""
    with closing(pages(transport, engine, index, query)) as found:
        for page in found:
            yield from page


def whole(body: Any, index: str) -> Any:
    """
    Return what a server answered to a search or a count, if all of the index did.

    Raises:
        StoreUnavailable: A shard did not answer, or time ran out: the server says so in an answer that
            looks like any other.
    """
    if not is_whole(body):
        raise StoreUnavailable(
            f"The server did not read every part of {index}.",
            hint="See why a shard of the index does not answer, then run the same command again.",
        )
    return body


def is_whole(body: Any) -> bool:
    """Tell whether all of an index answered; OpenSearch doesn't call a shard that has no place failed."""
    shards = body["_shards"]
    return not body.get("timed_out") and not shards["failed"] and shards["successful"] == shards["total"]


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


def _kept(view: View) -> Mapping[str, str]:
    return {"id": view.id, "keep_alive": _KEEP_ALIVE}


def _part(transport: Transport, index: str, asked: Mapping[str, Any]) -> Iterator[Sequence[Hit]]:
    """Read pages whose size follows from that of the documents: memory and requests stay bounded."""
    size, after = _FIRST_PAGE, dict[str, Any]()
    while True:
        answer = _page(transport, {**asked, **after, "size": size})
        hits: Sequence[Hit] = whole(answer.body, index)["hits"]["hits"]
        if hits:
            yield hits
        if len(hits) < size:
            return
        after = {"search_after": hits[-1]["sort"]}
        size = next_size(size, len(hits), answer.size)


def _page(transport: Transport, asked: Mapping[str, Any]) -> ServerResponse:
    counted = {"track_total_hits": False, "version": True, "seq_no_primary_term": True}
    return transport.request("POST", "/_search", {**asked, **counted})
