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

from accord.errors import ConflictingState, LeaseError, StepFailed
from searchindex.context import Context
from searchindex.counts import count
from searchindex.reindex.client import Sent, copy_by_client
from searchindex.reindex.content import Content, content_of
from searchindex.reindex.marks import found_mark, marked
from searchindex.reindex.pipelines import pipelines_off, put_pipelines, without_pipelines
from searchindex.reindex.server import copy_on_server, stop_task
from searchindex.reindex.sources import not_kept, refuse_partial
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
        refuse_partial(copy.source, context.index(copy.source) or {})
        there = context.index(copy.target)
        if there is not None and self._continues(context, copy, there):
            return
        self.abandon(context, copy)
        if there is not None:
            context.transport.request("DELETE", at(copy.target), accept=(404,))
        if not copy.blocked_before:
            _block(context, copy.source)
        context.send(created(copy))

    def _continues(self, context: Context, copy: Copy, there: Mapping[str, Any]) -> bool:
        """Return whether what is in the target is still true; refuse a target that isn't ours to remove."""
        _refuse_foreign(copy, there)
        if found_mark(there) != copy.mark:
            context.note(f"The definition of {copy.target} was edited since its copy began; it begins anew.")
            return False
        if not is_blocked(context, copy.source):
            return False
        context.send(pipelines_off(copy.target))
        context.note(f"The copy of {copy.source} into {copy.target} continues.")
        return True


def _refuse_foreign(copy: Copy, there: Mapping[str, Any]) -> None:
    used = ", ".join(sorted(there.get("aliases", {})))
    if used or not found_mark(there):
        why = f"the alias {used} points at it" if used else "it does not bear the mark of a copy under way"
        raise ConflictingState(
            f"The index {copy.target}, which this revision would make, exists, and {why}.",
            hint="Look at it; remove it if nothing needs it, then run again.",
        )


def _copy(context: Context, copy: Copy) -> int:
    total = count(context, copy.source)
    sent = _copied(context, copy, total)
    if sent.left_out:
        context.note(f"{sent.left_out} documents of erased people were left out of {copy.target}.")
    arrived = count(context, copy.target)
    if arrived != total - sent.left_out:
        raise StepFailed(
            f"{copy.source} holds {total} documents, its copy {copy.target} {arrived}, and {sent.left_out} "
            "of erased people were left out. The alias stays.",
            hint="Run again; if the numbers stay, something else writes into the copy.",
        )
    if copy.verify == "content":
        _compare(context, copy, sent.content)
    put_pipelines(context, copy.target, copy.definition.get("settings", {}))
    return arrived


def _copied(context: Context, copy: Copy, total: int) -> Sent:
    """Copy; the content of what was read stands in the answer where it passed through this process."""
    if _by_server(context, copy):
        copy_on_server(context, copy)
        return Sent()
    return copy_by_client(context, copy, total)


def _by_server(context: Context, copy: Copy) -> bool:
    """Tell whether the server copies; it knows nothing of tombstones, and scrolls through the source."""
    if not context.engine.features.server_side_reindex or copy.subject is not None:
        return False
    return context.engine.bears_scrolls((context.index(copy.source) or {}).get("settings", {}))


def _compare(context: Context, copy: Copy, sent: Content | None) -> None:
    """
    Refuse a copy whose documents are not those of the source.

    Raises:
        StepFailed: A document is another one, or what the target keeps can't be compared.
    """
    missing = not_kept(context.index(copy.target) or {})
    if missing:
        context.note(f"{copy.target} does not keep {missing}; the numbers were compared, not the content.")
        return
    wanted = content_of(context, copy.source) if sent is None else sent
    found = content_of(context, copy.target)
    if wanted != found:
        raise StepFailed(
            f"{copy.source} and its copy {copy.target} hold {found.number} documents, and not the same "
            "content. The alias stays.",
            hint="Run again; if it stays, something else writes into the copy, or the new mapping rewrites "
            '`_source` (synthetic source): then write Reindex(..., verify="counts").',
        )


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
    """Build the request that makes the target: marked, and without pipelines until it is whole."""
    definition = {
        **copy.definition,
        "settings": without_pipelines(copy.definition.get("settings", {})),
        "mappings": marked(copy.definition.get("mappings", {}), copy.mark),
    }
    return Request("PUT", at(copy.target), definition)


def blocked(index: str) -> Request:
    """Build the request that has an index refuse writes."""
    return Request("PUT", at(index, "_block", "write"))


def unblocked(index: str) -> Request:
    """Build the request that has an index take writes."""
    return Request("PUT", at(index, "_settings"), {_BLOCK: None})
