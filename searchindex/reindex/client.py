"""Copying through this process: for engines that can't copy by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accord.errors import StepFailed
from searchindex.operations.base import Context
from searchindex.reindex.strategy import Copy

_PAGE = 500
_KEEP_ALIVE = "5m"
_CONFLICT = 409


def copy_by_client(context: Context, copy: Copy, total: int) -> None:
    """
    Read the source in one frozen view, page by page, and create the documents in the target.

    Args:
        context: Connection, engine, lease and reporter.
        copy: What to copy; the target exists.
        total: How many documents there are, for the progress.

    Raises:
        StepFailed: The target refuses a document.
    """
    done = 0
    view = context.engine.open_view(context.wire, copy.source, _KEEP_ALIVE)
    try:
        for page in _pages(context, view):
            context.lease.check()
            _write(context, copy.target, page)
            done += len(page)
            context.progress(done, total)
    finally:
        context.engine.close_view(context.wire, view)


def _pages(context: Context, view: str) -> Iterator[Sequence[Mapping[str, Any]]]:
    after: object = None
    while True:
        answer = context.engine.read_view(context.wire, view, _KEEP_ALIVE, _PAGE, after)
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise StepFailed("The server did not read every part of the index.", hint="Run again.")
        hits: Sequence[Mapping[str, Any]] = answer["hits"]["hits"]
        if not hits:
            return
        yield hits
        after = hits[-1]["sort"]


def _write(context: Context, target: str, page: Sequence[Mapping[str, Any]]) -> None:
    """Create the documents; one that an earlier attempt created is left as it is."""
    lines = b"".join(line for hit in page for line in _lines(target, hit))
    answer = context.wire.request("POST", "/_bulk", lines).body
    if not answer["errors"]:
        return
    results = (item["create"] for item in answer["items"])
    refused = [item for item in results if item["status"] >= 400 and item["status"] != _CONFLICT]  # noqa: PLR2004
    if refused:
        kinds = sorted({str(item["error"]["type"]) for item in refused})
        raise StepFailed(
            f"The index {target} refuses {len(refused)} documents of a page ({', '.join(kinds)}).",
            hint="The new mapping does not take every document; correct the revision, then run again.",
        )


def _lines(target: str, hit: Mapping[str, Any]) -> Iterator[bytes]:
    head = {"_index": target, "_id": hit["_id"]}
    if "_routing" in hit:
        head["routing"] = hit["_routing"]
    yield json.dumps({"create": head}).encode() + b"\n"
    yield json.dumps(hit["_source"], ensure_ascii=False).encode() + b"\n"
