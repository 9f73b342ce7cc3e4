"""
The simple strategy: writes to the old index are refused while it is copied.

Nothing can be lost, because nothing can change: applications that write meanwhile get an
error (403, `cluster_block_exception`) and have to try again. The block also outlives a
killed run, and that is what makes continuing safe: as long as it stands, whatever the target
holds already is still true. If it does not stand, the copy begins again from nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import LeaseError, StepFailed
from searchindex.operations.base import Context
from searchindex.reindex.client import copy_by_client
from searchindex.reindex.server import copy_on_server, stop_task
from searchindex.reindex.strategy import Copy
from searchindex.requests import Request
from searchindex.transport import ReplyLost, at

_BLOCK = "index.blocks.write"


@dataclass(frozen=True)
class BlockWrites:
    """Strategy `block`; see the module's text."""

    def __call__(self, context: Context, copy: Copy) -> int:
        """Copy under a write block. See :class:`~searchindex.reindex.strategy.Strategy`."""
        try:
            self._prepare(context, copy)
            return _copy(context, copy)
        except (LeaseError, ReplyLost):
            # Another run may be at work on this very copy, or the next look continues it.
            raise
        except BaseException:
            self.abandon(context, copy)
            raise

    def abandon(self, context: Context, copy: Copy) -> None:
        """Stop the copy and let the source take writes again."""
        if context.engine.features.server_side_reindex:
            stop_task(context, copy)
        if not copy.blocked_before:
            _unblock(context, copy.source)

    def _prepare(self, context: Context, copy: Copy) -> None:
        """
        Block the source and make the target, in this order.

        So a target under a block says that writes had ended before it was made. A block alone
        says less: the process may have died while the server still waited for writes under
        way. It is taken back and set anew, for a repeated request would not wait for them.
        """
        there = context.index(copy.target) is not None
        if there and is_blocked(context, copy.source):
            context.note(f"The copy of {copy.source} into {copy.target} continues.")
            return
        self.abandon(context, copy)
        if there:
            context.transport.request("DELETE", at(copy.target), accept=(404,))
        if not copy.blocked_before:
            _block(context, copy.source)
        context.send(created(copy))


def _copy(context: Context, copy: Copy) -> int:
    total = count(context, copy.source)
    left_out = 0
    # The server knows nothing of tombstones: where they count, the documents pass through here.
    if context.engine.features.server_side_reindex and copy.subject is None:
        copy_on_server(context, copy)
    elif context.engine.features.readable_view:
        left_out = copy_by_client(context, copy, total)
    if left_out:
        context.note(f"{left_out} documents of erased people were left out of {copy.target}.")
    arrived = count(context, copy.target)
    if arrived != total - left_out:
        raise StepFailed(
            f"{copy.source} holds {total} documents, its copy {copy.target} {arrived}, and {left_out} "
            "of erased people were left out. The alias stays.",
            hint="Run again; if the numbers stay, something else writes into the copy.",
        )
    return arrived


def count(context: Context, index: str) -> int:
    """
    Count the documents of an index, those of the last moment included.

    Raises:
        StepFailed: Not every shard answered, so the number would be a guess.
    """
    _whole(context, index, "_refresh")
    return int(_whole(context, index, "_count")["count"])


def _whole(context: Context, index: str, verb: str) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = context.transport.request("POST", at(index, verb)).body
    if answer["_shards"]["failed"]:
        raise StepFailed(f"Not every shard of {index} answers.", hint="Repair the index, then run again.")
    return answer


def is_blocked(context: Context, index: str) -> bool:
    """Return whether writes to an index are refused."""
    found = context.index(index) or {}
    return str(found.get("settings", {}).get(_BLOCK)) == "true"


def _block(context: Context, index: str) -> None:
    """Refuse writes from now on; returns once those under way have ended."""
    answer = context.send(blocked(index)).body
    if not (answer["acknowledged"] and answer["shards_acknowledged"]):
        raise StepFailed(f"Not every shard of {index} stopped taking writes.", hint="Run again.")


def _unblock(context: Context, index: str) -> None:
    """Allow writes to an index again; one that is gone is left alone."""
    context.send(unblocked(index), accept=(404,))


def created(copy: Copy) -> Request:
    """Build the request that makes the target."""
    return Request("PUT", at(copy.target), copy.definition)


def blocked(index: str) -> Request:
    """Build the request that has an index refuse writes."""
    return Request("PUT", at(index, "_block", "write"))


def unblocked(index: str) -> Request:
    """Build the request that has an index take writes."""
    return Request("PUT", at(index, "_settings"), {_BLOCK: None})
