"""
Giving a plain index's name to an alias: a clone takes the index's place in one call.

A name is either an index or an alias. So the index refuses writes, the server makes a clone of its files
(links, no copy), and one call removes the index and puts its name, and every alias that it had, on the clone.
A write is refused in between (403, `cluster_block_exception`) and never lost: what was acknowledged before
the block is in the clone, and nothing can be acknowledged during it.

The clone bears an alias of its own until that call, made with it in one request and called after the
index's identity. By that a rerun knows its own work from an index that somebody else made under the name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from accord.errors import ConflictingState, LeaseError, StepFailed
from accord.retry import Backoff
from searchindex.context import Context
from searchindex.counts import count
from searchindex.definitions import flat_settings
from searchindex.reindex.block import blocked, is_blocked, unblocked
from searchindex.requests import Request
from searchindex.transport import ReplyLost, at

_REPLICAS = ("index.number_of_replicas", "index.auto_expand_replicas")
_LOOKING = Backoff(first=0.05, factor=1.5, most=1.0)
_PATIENCE = 300.0


@dataclass(frozen=True, kw_only=True)
class Swap:
    """
    One swap to be made.

    Attributes:
        name: Name of the plain index, which becomes an alias.
        target: Physical index that takes its place.
        mark: Alias by which the clone is known until it does.
        blocked_before: A person had the index refuse writes before; it shall stay so.
    """

    name: str
    target: str
    mark: str
    blocked_before: bool = False


def mark_of(prefix: str, uuid: str) -> str:
    """Return the alias by which a clone of the index of this identity is known."""
    return f"{prefix}accord-adopting-{hashlib.sha256(uuid.encode()).hexdigest()[:16]}"


def swap(context: Context, wanted: Swap) -> int:
    """
    Make the clone and let it take the index's place; continue or begin again what was killed.

    Args:
        context: Connection, lease and reporter.
        wanted: What to do; the plain index is there.

    Returns:
        How many documents it holds.

    Raises:
        StepFailed: The clone does not become whole. The index takes writes again.
        ConflictingState: Something else has the clone's name.
    """
    try:
        _make_clone(context, wanted)
        number = _compared(context, wanted)
    except (LeaseError, ReplyLost):
        # Another run may be at work on this very clone, or the next look continues it.
        raise
    except BaseException:
        give_up(context, wanted)
        raise
    context.lease.check()
    context.send(swapped(wanted, context.aliases.of_index(wanted.name)))
    return number


def give_up(context: Context, wanted: Swap) -> int:
    """Remove the clone, if it is ours and not in use, and let the index take writes again."""
    removed = 0
    if _is_ours(context, wanted):
        removed = context.remove(Request("DELETE", at(wanted.target)))
    if not wanted.blocked_before:
        context.send(unblocked(wanted.name), accept=(404,))
    return removed


def refuse_foreign(context: Context, wanted: Swap) -> None:
    """
    Check that nothing of somebody else has the clone's name.

    Raises:
        ConflictingState: Something has.
    """
    if context.index(wanted.target) is not None and not _is_ours(context, wanted):
        raise ConflictingState(
            f"The index {wanted.target}, which this revision would make of {wanted.name}, exists, and it is "
            "not a clone that a run was making.",
            hint="Look at it; remove it if nothing needs it, then run again.",
        )


def cloned(wanted: Swap, settings: Mapping[str, Any]) -> Request:
    """Build the request that makes the clone; the settings are those of the index."""
    kept = {name: settings[name] for name in _REPLICAS if name in settings}
    # A clone takes over the block, too.
    block = True if wanted.blocked_before else None
    body = {"settings": {**kept, "index.blocks.write": block}, "aliases": {wanted.mark: {}}}
    return Request("PUT", f"{at(wanted.name, '_clone', wanted.target)}?wait_for_active_shards=1", body)


def swapped(wanted: Swap, aliases: Mapping[str, Mapping[str, Any]]) -> Request:
    """Build the one call in which the clone takes the index's place, behind its name and its aliases."""
    names = {wanted.name: {"is_write_index": True}, **aliases}
    actions: list[Mapping[str, Any]] = [
        {"remove_index": {"index": wanted.name}},
        {"remove": {"index": wanted.target, "alias": wanted.mark}},
    ]
    actions += [
        {"add": {"index": wanted.target, "alias": alias, **definition}}
        for alias, definition in sorted(names.items())
    ]
    return Request("POST", "/_aliases", {"actions": actions})


def _make_clone(context: Context, wanted: Swap) -> None:
    """
    Block the index and make the clone, in this order.

    So a clone under a block says that writes had ended before it was made. A block alone says less: the
    process may have died while the server still waited for writes under way.
    """
    refuse_foreign(context, wanted)
    if _is_ours(context, wanted) and is_blocked(context, wanted.name):
        context.note(f"The swap of {wanted.name} with {wanted.target} continues.")
        return
    give_up(context, wanted)
    if not wanted.blocked_before:
        answer = context.send(blocked(wanted.name)).body
        if not (answer["acknowledged"] and answer["shards_acknowledged"]):
            raise StepFailed(f"Not every shard of {wanted.name} stopped taking writes.", hint="Run again.")
    live = context.index(wanted.name) or {}
    context.send(cloned(wanted, flat_settings(live.get("settings", {}))))


def _compared(context: Context, wanted: Swap) -> int:
    """
    Wait until the clone is whole; return how many documents both hold.

    Raises:
        StepFailed: It does not become whole, or holds another number.
    """
    end, look = time.monotonic() + _PATIENCE, 0
    while not _is_whole(context, wanted.target):
        context.lease.check()
        if time.monotonic() > end:
            raise StepFailed(
                f"The clone {wanted.target} of {wanted.name} does not get whole. The index stays.",
                hint="See GET /_cluster/allocation/explain (a full disk, for example), then run again.",
            )
        time.sleep(_LOOKING.pause(look, chance=0.5))
        look += 1
    there, made = count(context, wanted.name), count(context, wanted.target)
    if there != made:
        raise StepFailed(
            f"{wanted.name} holds {there} documents, and its clone {wanted.target} {made}. The index stays.",
            hint="Run again; if the numbers stay, something else writes into the clone.",
        )
    return made


def _is_whole(context: Context, index: str) -> bool:
    """Check that every primary shard is there; replicas follow."""
    path = f"{at('_cluster', 'health', index)}?wait_for_status=yellow&timeout=5s"
    answer = context.send(Request("GET", path), accept=(HTTPStatus.REQUEST_TIMEOUT,))
    return answer.status < HTTPStatus.BAD_REQUEST and answer.body.get("status") in ("yellow", "green")


def _is_ours(context: Context, wanted: Swap) -> bool:
    return context.aliases.of_index(wanted.target).keys() == {wanted.mark}
