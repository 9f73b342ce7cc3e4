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
    """
    done = left_out = 0
    view = context.engine.open_view(context.wire, copy.source, _KEEP_ALIVE)
    try:
        for page in _pages(context, view):
            context.lease.check()
            left_out += len(page) - _write_living(context, copy, page)
            done += len(page)
            context.progress(done, total)
    finally:
        context.engine.close_view(context.wire, view)
    return left_out


def _pages(context: Context, view: str) -> Iterator[Sequence[Hit]]:
    after: object = None
    while True:
        answer = context.engine.read_view(context.wire, view, _KEEP_ALIVE, _PAGE, after)
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise StepFailed("The server did not read every part of the index.", hint="Run again.")
        hits: Sequence[Hit] = answer["hits"]["hits"]
        if not hits:
            return
        yield hits
        after = hits[-1]["sort"]


def _write_living(context: Context, copy: Copy, page: Sequence[Hit]) -> int:
    """Write the documents of a page that don't belong to erased people; give their number."""
    if copy.subject is None:
        _write(context, copy.target, page)
        return len(page)
    from accord.erased import tombstones

    kind, field = copy.subject
    with tombstones.sparing(kind) as erased:
        living = tombstones.spare(page, f"_source.{field}", erased)
        kept = {hit["_id"] for hit in living}
        # An earlier attempt may have copied a person who was fenced since.
        _write(context, copy.target, living, [hit for hit in page if hit["_id"] not in kept])
    return len(living)


def _write(context: Context, target: str, page: Sequence[Hit], gone: Sequence[Hit] = ()) -> None:
    """Create the documents, one that an earlier attempt created is left as it is; remove those gone."""
    created = (line for hit in page for line in _lines(target, hit))
    removed = (_line("delete", target, hit) for hit in gone)
    answer = context.wire.request("POST", "/_bulk", b"".join((*created, *removed))).body
    if not answer["errors"]:
        return
    refused = [item["create"] for item in answer["items"] if _is_refused(item.get("create", {}))]
    if refused:
        kinds = sorted({str(item["error"]["type"]) for item in refused})
        raise StepFailed(
            f"The index {target} refuses {len(refused)} documents of a page ({', '.join(kinds)}).",
            hint="The new mapping does not take every document; correct the revision, then run again.",
        )


def _is_refused(result: Mapping[str, Any]) -> bool:
    status = int(result.get("status", 0))
    return status >= 400 and status != _CONFLICT  # noqa: PLR2004 - HTTP's border between done and error


def _lines(target: str, hit: Hit) -> Iterator[bytes]:
    yield _line("create", target, hit)
    yield json.dumps(hit["_source"], ensure_ascii=False).encode() + b"\n"


def _line(action: str, target: str, hit: Hit) -> bytes:
    head = {"_index": target, "_id": hit["_id"]}
    if "_routing" in hit:
        head["routing"] = hit["_routing"]
    return json.dumps({action: head}).encode() + b"\n"
