"""
What a search server that can be reached refuses for the state it is in: each its own sentence and next move.

None of it is a fault of the revision, so “correct the revision” would be no help.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from accord.limits import Limit
from searchindex.blocks import MAKE_ROOM
from searchindex.transport import RequestRefused

_AGAIN = "then run the same command again: it continues"
FLOOD = Limit(
    says="takes no writes to this index: a disk was fuller than the flood stage allows",
    hint=f"{MAKE_ROOM} Then run the same command again: it continues.",
)
BLOCKED = Limit(
    says="takes no writes here: somebody blocked them",
    hint="index.blocks.* in the settings of the index, or cluster.blocks.* in those of the cluster, say so. "
    f"Ask who set it, set it to null, {_AGAIN}.",
)
SHARDS = Limit(
    says="has no room for more shards",
    hint="Delete indexes that nobody uses, give new ones fewer shards, or raise cluster.max_shards_per_node, "
    f"{_AGAIN}.",
)
MEMORY = Limit(
    says="has no memory left for this: a circuit breaker refused it",
    hint=f"Wait until it has less to do or give it more heap, {_AGAIN}.",
)
BUSY = Limit(
    says="has too much to do to take this, and said so each time",
    hint=f"Wait until it has less to do, {_AGAIN}.",
)
SIZE = Limit(
    says="takes no request of this size",
    hint="Raise http.max_content_length of the server (or the limit of the proxy before it), or let the "
    f"operation send less at a time, {_AGAIN}.",
)
CLOSED = Limit(
    says="has the index, and it is closed",
    hint=f"Open it (POST /INDEX/_open), {_AGAIN}.",
)
LATE = Limit(
    says="did not get it done in its own time",
    hint=f"GET /_cluster/health and /_cluster/pending_tasks tell what it is at. Wait for that, {_AGAIN}.",
)
NOBODY = Limit(
    says="has no node that decides for the cluster, or is still starting",
    hint=f"GET /_cluster/health tells. Wait until a manager is chosen, {_AGAIN}.",
)

_BY_KIND = {
    "circuit_breaking_exception": MEMORY,
    "index_closed_exception": CLOSED,
    "process_cluster_event_timeout_exception": LATE,
    "master_not_discovered_exception": NOBODY,
    "cluster_manager_not_discovered_exception": NOBODY,
}
_BY_REASON = (
    (re.compile(r"read-only-allow-delete"), FLOOD),
    (re.compile(r"blocked by: \[FORBIDDEN/(?:5|6|8|9|10|13)/"), BLOCKED),
    (re.compile(r"blocked by: \[SERVICE_UNAVAILABLE/"), NOBODY),
    (re.compile(r"maximum (?:normal |frozen )?shards open"), SHARDS),
)
_BY_STATUS = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: SIZE,
    HTTPStatus.TOO_MANY_REQUESTS: BUSY,
    HTTPStatus.SERVICE_UNAVAILABLE: BUSY,
    HTTPStatus.REQUEST_TIMEOUT: LATE,
    HTTPStatus.GATEWAY_TIMEOUT: LATE,
}


def limit_of(refused: RequestRefused) -> Limit | None:
    """Return the limit that a request ran into; None where the revision itself is refused."""
    by_reason = next((limit for pattern, limit in _BY_REASON if pattern.search(refused.reason)), None)
    status = next((each for each in _BY_STATUS if each == refused.status), None)
    return by_reason or _BY_KIND.get(refused.kind) or (None if status is None else _BY_STATUS[status])
