"""What an index holds, as one number: two indexes with the same number hold the same documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from searchindex.context import Context
from searchindex.reindex.pages import pages
from searchindex.views import Hit

_MODULUS = 2**256


@dataclass(frozen=True)
class Content:
    """
    Documents, summed up without regard to their order.

    Attributes:
        number: How many they are.
        digest: Sum of the hash of each: id, routing, version, and source with its keys sorted.
    """

    number: int = 0
    digest: int = 0

    def plus(self, hits: Iterable[Hit]) -> Content:
        """Return the content with these documents added."""
        hashes = [_hash(hit) for hit in hits]
        return Content(self.number + len(hashes), (self.digest + sum(hashes)) % _MODULUS)


def content_of(context: Context, index: str) -> Content:
    """
    Read every document of an index, a page at a time, and sum them up.

    Args:
        context: Connection, engine and lease.
        index: Physical index, refreshed.

    Raises:
        StoreUnavailable: The server did not read every part.
        LeaseLost: The lease went away.
    """
    found = Content()
    for page in pages(context, index):
        found = found.plus(page)
    return found


def _hash(hit: Hit) -> int:
    parts: Sequence[object] = (hit["_id"], hit.get("_routing"), hit["_version"], hit.get("_source"))
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest())
