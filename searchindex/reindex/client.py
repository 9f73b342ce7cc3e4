"""Copying through this process: where the engine can't copy, or would break the source by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from accord.errors import StepFailed
from searchindex.context import Context
from searchindex.reindex.content import Content
from searchindex.reindex.pages import VERSIONS, pages
from searchindex.reindex.pipelines import NONE
from searchindex.reindex.refused import BUSY, Refused, read, refusal, shown
from searchindex.reindex.strategy import Copy
from searchindex.transport import ServerResponse, explain_error
from searchindex.views import PAGE, PAGE_BYTES, Hit

if TYPE_CHECKING:
    # Loaded where a copy begins: what has nothing to copy must not pay for it.
    from elasticsearch import Elasticsearch

ByAction = Mapping[str, Sequence[Refused]]
"""The documents that were refused, by kind of action."""

# What a busy server turned away is sent again, for 39 seconds in all.
_RETRIES, _FIRST_PAUSE, _LONGEST_PAUSE = 8, 0.5, 8
# An earlier attempt wrote the document in this version, or removed it.
_DONE_BEFORE = {"index": 409, "delete": 404}


@dataclass(frozen=True)
class Sent:
    """
    What was copied.

    Attributes:
        content: Of the documents that were written or stood there already; None where the server
            copied them and nobody else saw them.
        left_out: How many belong to people who were erased.
    """

    content: Content | None = None
    left_out: int = 0

    def plus(self, living: Sequence[Hit], left_out: int) -> Sent:
        """Return it with a page added."""
        return Sent((self.content or Content()).plus(living), self.left_out + left_out)


def copy_by_client(context: Context, copy: Copy, total: int) -> Sent:
    """
    Read the source in one frozen view, page by page, and write the documents to the target.

    Args:
        context: Connection, engine, lease and reporter.
        copy: What to copy; the target exists.
        total: How many documents there are, for the progress.

    Returns:
        What was sent, and how many were left out, because they belong to people who were erased.

    Raises:
        StepFailed: The target refuses a document.
        StoreUnavailable: The server stays too busy.
        ReplyLost: It did not answer.
    """
    from searchindex.client import connect

    sent, done = Sent(Content()), 0
    with connect(context.endpoint, context.engine) as client, _translated(context):
        for page in pages(context, copy.source):
            living = _write_living(client, copy, page)
            sent = sent.plus(living, len(page) - len(living))
            done += len(page)
            context.progress(done, total)
    return sent


def _write_living(client: Elasticsearch, copy: Copy, page: Sequence[Hit]) -> Sequence[Hit]:
    """Write the documents of a page that don't belong to erased people; return them."""
    if copy.subject is None:
        _write(client, copy, page)
        return page
    from accord.erased import tombstones

    kind, field = copy.subject
    with tombstones.sparing(kind) as erased:
        living = tombstones.spare(page, f"_source.{field}", erased)
        kept = {hit["_id"] for hit in living}
        # An earlier attempt may have copied a person who was fenced since.
        _write(client, copy, living, [hit for hit in page if hit["_id"] not in kept])
    return living


def _write(client: Elasticsearch, copy: Copy, page: Sequence[Hit], gone: Sequence[Hit] = ()) -> None:
    """Write the documents, one that an earlier attempt wrote is left as it is; remove those gone."""
    target, personal = copy.target, copy.subject is not None
    refused = _refused(client, [
        *({**_action("index", target, hit), **_content(hit)} for hit in page),
        *(_action("delete", target, hit) for hit in gone),
    ], personal=personal)  # fmt: skip
    if written := refused.get("index"):
        raise refusal(
            f"The index {target} refuses {len(written)} documents of a page", written, personal=personal
        )
    if removed := refused.get("delete"):
        fact = f"The index {target} keeps {len(removed)} documents of erased people"
        raise refusal(fact, removed, personal=True)


def _refused(client: Elasticsearch, actions: Sequence[dict[str, Any]], *, personal: bool) -> ByAction:
    """Send what is to be done, in halves where it is too long for the server; give what it refuses."""
    from elasticsearch import ApiError

    try:
        return _sent(client, actions)
    except ApiError as exc:
        if exc.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        if len(actions) == 1:
            raise _too_long(actions[0], personal=personal) from exc
    middle = len(actions) // 2
    halves = [_refused(client, half, personal=personal) for half in (actions[:middle], actions[middle:])]
    return {kind: [*halves[0].get(kind, ()), *halves[1].get(kind, ())] for kind in _DONE_BEFORE}


def _too_long(action: Mapping[str, Any], *, personal: bool) -> StepFailed:
    return StepFailed(
        f"The document {shown(action['_id'], personal=personal)} is longer than a request that the "
        f"server takes, so {action['_index']} can't have it.",
        hint="Raise http.max_content_length of the server (or the limit of the proxy before it), "
        "or make the document shorter; then run again.",
    )


def _sent(client: Elasticsearch, actions: Sequence[dict[str, Any]]) -> ByAction:
    """Send what is to be done, again where the server was busy; give what it refuses, by kind of action."""
    from elasticsearch.helpers import streaming_bulk

    refused: defaultdict[str, list[Refused]] = defaultdict(list)
    # The client itself would send it again at once.
    results = streaming_bulk(
        client.options(retry_on_status=()), actions, pipeline=NONE,
        chunk_size=PAGE, max_chunk_bytes=PAGE_BYTES, raise_on_error=False, yield_ok=False,
        retry_on_status=BUSY, max_retries=_RETRIES, initial_backoff=_FIRST_PAUSE, max_backoff=_LONGEST_PAUSE,
    )  # fmt: skip
    for _, item in results:
        [(action, result)] = item.items()
        if result["status"] != _DONE_BEFORE[action]:
            # The server says of a document that isn't there to be removed only that it isn't.
            kind, document = str(result.get("result")), str(result.get("_id", ""))
            error = result.get("error", {})
            refused[action].append(read(int(result["status"]), error, kind=kind, document=document))
    return refused


def _action(action: str, target: str, hit: Hit) -> dict[str, Any]:
    routing = {"_routing": hit["_routing"]} if "_routing" in hit else {}
    return {"_op_type": action, "_index": target, "_id": hit["_id"], **routing}


def _content(hit: Hit) -> dict[str, Any]:
    return {"_source": hit["_source"], "_version": hit["_version"], "_version_type": VERSIONS}


@contextmanager
def _translated(context: Context) -> Iterator[None]:
    """Turn what the client raises into the errors of the transport."""
    from elasticsearch import ApiError, TransportError

    try:
        yield
    except ApiError as exc:
        answer = ServerResponse(status=exc.status_code, body=exc.body, headers={})
        if exc.status_code in BUSY:
            kind, _ = explain_error(exc.body)
            raise refusal("The server turns writes away", [Refused(exc.status_code, kind)]) from exc
        raise context.transport.refusal("PUT", "/_bulk", answer) from exc
    except TransportError as exc:
        raise context.transport.lost("PUT", "/_bulk", exc) from exc
