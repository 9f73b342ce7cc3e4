"""Documents of an index that a query finds, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gdpr.stores.mapping import Query
from searchindex.transport import Transport, at

Hit = Mapping[str, Any]
_PAGE = 1_000
_KEEP = "1m"


def pages(transport: Transport, index: str, query: Query) -> Iterator[Hit]:
    """Read every document that a query finds, in one frozen view, page by page."""
    body = {"query": query, "size": _PAGE, "sort": ["_doc"], "seq_no_primary_term": True}
    answer = transport.request("POST", f"{at(index, '_search')}?scroll={_KEEP}", body).body
    try:
        while answer["hits"]["hits"]:
            yield from answer["hits"]["hits"]
            following = {"scroll": _KEEP, "scroll_id": answer["_scroll_id"]}
            answer = transport.request("POST", "/_search/scroll", following).body
    finally:
        transport.request("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]}, accept=(404,))
