"""What stands in the way at an index, a block above all: what a server answers, and what takes it away."""

from __future__ import annotations

from http import HTTPStatus
from types import TracebackType
from typing import Self

from urllib3 import BaseHTTPResponse, Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError

FLOOD = "index.blocks.read_only_allow_delete"
KIND = "cluster_block_exception"
MAKE_ROOM = f"Make room on the servers' disks; they take the block off then, or set {FLOOD} to null."
_TAKE_OFF = (
    "Somebody blocked the index, or a copy did that was killed: run that step again or undo it, or set the "
    "block among index.blocks to null."
)

_NO_SHARD = "search_phase_execution_exception"
_OPEN_AGAIN = (
    "See why no shard of the index answers (GET /_cluster/allocation/explain). On OpenSearch 3, an index "
    "with vectors that something scrolled through is mended by POST /INDEX/_close and POST /INDEX/_open."
)


def way_on(kind: str, status: int, reason: str = "") -> str:
    """
    Return the next move where a request met a block that no waiting takes off; nothing for any other error.

    Args:
        kind: The server's name for the error.
        status: HTTP status; servers say 429 of a full disk and 503 of a cluster that is starting.
        reason: Its sentence, which names each block where there are several.
    """
    if kind != KIND or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return ""
    is_full = status == HTTPStatus.TOO_MANY_REQUESTS or "read-only-allow-delete" in reason
    return MAKE_ROOM if is_full else _TAKE_OFF


def unanswered(kind: str, status: int) -> str:
    """Return the next move where no shard of an index answered; nothing for any other error."""
    return _OPEN_AGAIN if (kind, status) == (_NO_SHARD, HTTPStatus.SERVICE_UNAVAILABLE) else ""


class PatientUnlessBlocked(Retry):
    """
    Repeats what a busy server turned away, and not what met a block.

    Servers answer 429 to both, and a full disk doesn't get empty in some seconds.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count a try, or end them; see the library."""
        turned_away = response is not None and response.status == HTTPStatus.TOO_MANY_REQUESTS
        if turned_away and response is not None and KIND.encode() in response.data:
            raise MaxRetryError(_pool, str(url), error)  # type: ignore[arg-type]  # the library passes it on as it got it
        return super().increment(method, url, response, error, _pool, _stacktrace)
