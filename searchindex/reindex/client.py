"""Copying through this process: for engines that can't copy by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from accord.errors import StepFailed
from searchindex.operations.base import Context
from searchindex.reindex.refused import BUSY, refusal
from searchindex.reindex.strategy import Copy
from searchindex.transport import Answer, explain_error

if TYPE_CHECKING:
    # Loaded where a copy begins: what has nothing to copy must not pay for it.
    from elasticsearch import Elasticsearch

_PAGE = 500
_FIRST_PAGE = 20
_PAGE_BYTES = 10 * 2**20
_KEEP_ALIVE = "5m"
# What a busy server turned away is sent again, for 39 seconds in all.
_RETRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 8, 0.5, 8
# An earlier attempt created the document, or removed it.
_DONE_BEFORE = {"create": 409, "delete": 404}


Hit = Mapping[str, Any]


def copy_by_client(context: Context, copy: Copy, total: int) -> int:
    """
    Read the source in one frozen view, page by page, and create the documents in the target.

    Args:
        context: Connection, engine, lease and reporter.
        copy: What to copy; the target exists.
        total: How many documents there are, for the progress.

    Returns:
        How many were left out, because they belong to people who were erased.

    Raises:
        StepFailed: The target refuses a document.
        StoreUnavailable: The server stays too busy.
        ReplyLost: It did not answer.
    """
    from searchindex.client import connect

    done = left_out = 0
    view = context.engine.open_view(context.transport, copy.source, _KEEP_ALIVE)
    try:
        with connect(context.endpoint, context.engine) as client, _translated(context):
            for page in _pages(context, view):
                context.lease.check()
                left_out += len(page) - _write_living(client, copy, page)
                done += len(page)
                context.progress(done, total)
    finally:
        context.engine.close_view(context.transport, view)
    return left_out


def _pages(context: Context, view: str) -> Iterator[Sequence[Hit]]:
    """Read pages whose size follows from that of the documents: memory and requests stay bounded."""
    after: object = None
    size = _FIRST_PAGE
    while True:
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
    fitting = _PAGE_BYTES * read // max(read_bytes, 1)
    return max(1, min(fitting, 2 * size, _PAGE))


def _write_living(client: Elasticsearch, copy: Copy, page: Sequence[Hit]) -> int:
    """Write the documents of a page that don't belong to erased people; give their number."""
    if copy.subject is None:
        _write(client, copy.target, page)
        return len(page)
    from accord.erased import tombstones

    kind, field = copy.subject
    with tombstones.sparing(kind) as erased:
        living = tombstones.spare(page, f"_source.{field}", erased)
        kept = {hit["_id"] for hit in living}
        # An earlier attempt may have copied a person who was fenced since.
        _write(client, copy.target, living, [hit for hit in page if hit["_id"] not in kept])
    return len(living)


def _write(client: Elasticsearch, target: str, page: Sequence[Hit], gone: Sequence[Hit] = ()) -> None:
    """Create the documents, one that an earlier attempt created is left as it is; remove those gone."""
    refused = _refused(client, [
        *({**_action("create", target, hit), "_source": hit["_source"]} for hit in page),
        *(_action("delete", target, hit) for hit in gone),
    ])  # fmt: skip
    if created := refused["create"]:
        raise refusal(f"The index {target} refuses {len(created)} documents of a page", created)
    if removed := refused["delete"]:
        raise refusal(f"The index {target} keeps {len(removed)} documents of erased people", removed)


def _refused(client: Elasticsearch, actions: Sequence[dict[str, Any]]) -> Mapping[str, list[tuple[int, str]]]:
    """Send what is to be done, again where the server was busy; give what it refuses, by kind of action."""
    from elasticsearch.helpers import streaming_bulk

    refused: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    # The client itself would send it again at once.
    results = streaming_bulk(
        client.options(retry_on_status=()), actions,
        chunk_size=_PAGE, max_chunk_bytes=_PAGE_BYTES, raise_on_error=False, yield_ok=False,
        retry_on_status=BUSY, max_retries=_RETRIES, initial_backoff=_FIRST_PAUSE, max_backoff=_LONGEST_PAUSE,
    )  # fmt: skip
    for _, item in results:
        [(action, result)] = item.items()
        if result["status"] != _DONE_BEFORE[action]:
            # The server says of a document that isn't there to be removed only that it isn't.
            kind = str(result.get("error", {}).get("type", result.get("result")))
            refused[action].append((int(result["status"]), kind))
    return refused


def _action(action: str, target: str, hit: Hit) -> dict[str, Any]:
    routing = {"_routing": hit["_routing"]} if "_routing" in hit else {}
    return {"_op_type": action, "_index": target, "_id": hit["_id"], **routing}


@contextmanager
def _translated(context: Context) -> Iterator[None]:
    """Turn what the client raises into the errors of the transport."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as exc:
        answer = Answer(status=exc.status_code, body=exc.body, headers={})
        if exc.status_code in BUSY:
            kind, _ = explain_error(exc.body)
            raise refusal("The server turns writes away", [(exc.status_code, kind)]) from exc
        raise context.transport.refusal("PUT", "/_bulk", answer) from exc
    except TransportError as exc:
        raise context.transport.lost("PUT", "/_bulk", exc) from exc
