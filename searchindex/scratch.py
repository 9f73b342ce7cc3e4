"""
Trying a definition on a scratch index, which is empty, lives for a moment, and is nobody's.

Each has a name of its own, so that two who look at once don't meet. What a killed look left is removed by
a later one, once it is an hour old by the server's own clock.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from searchindex.context import Context
from searchindex.definitions import Body, flat_settings, merged
from searchindex.requests import Request
from searchindex.transport import at

_SMALL = {
    "index.number_of_shards": "1",
    "index.number_of_replicas": "0",
    "index.hidden": "true",
}
_OF_A_LIVE_ONE = (
    "index.auto_expand_replicas",
    "index.blocks.",
    "index.creation_date",
    "index.history_uuid",
    "index.number_of_routing_shards",
    "index.provided_name",
    "index.replication.type",
    "index.resize.",
    "index.routing.",
    "index.sort.",
    "index.uuid",
    "index.verified_",
    "index.version.",
    "index.default_pipeline",
    "index.final_pipeline",
)

_LEFT_BEHIND = 60 * 60 * 1000
"""Milliseconds after which nobody looks with a scratch index any more; a look takes seconds."""
_CREATED = "index.creation_date"
_GONE = (404,)


@contextmanager
def standing(context: Context, body: Body) -> Iterator[str]:
    """
    Make a scratch index, and remove it afterwards.

    Args:
        context: Connection and names.
        body: Mappings and settings.

    Yields:
        Its name.

    Raises:
        RequestRefused: The server does not take them.
    """
    scratch = context.deployment.names.scratch(secrets.token_hex(6))
    try:
        # Where no node takes a shard, nobody waits for it: only the definition is in question.
        context.send(Request("PUT", f"{at(scratch)}?wait_for_active_shards=0", body))
        _sweep(context, scratch)
        yield scratch
    finally:
        _remove(context, scratch)


def _sweep(context: Context, own: str) -> None:
    """Remove what looks left that died; the own index tells what time it is on the server."""
    path = f"{at(context.deployment.names.scratch('*'), '_settings', _CREATED)}?expand_wildcards=all"
    answer = context.transport.request("GET", f"{path}&flat_settings=true", accept=(403, 404))
    found = answer.body if isinstance(answer.body, Mapping) else {}
    created = {
        name: int(index["settings"][_CREATED])
        for name, index in found.items()
        if isinstance(index, Mapping) and _CREATED in index.get("settings", {})
    }
    for name, at_ in created.items():
        if created.get(own, 0) - at_ > _LEFT_BEHIND:
            _remove(context, name)


def _remove(context: Context, scratch: str) -> None:
    context.transport.request("DELETE", at(scratch), accept=_GONE)


def canonical(context: Context, mappings: Body, settings: Body) -> Mapping[str, Any]:
    """
    Ask the server how it writes a definition.

    Args:
        context: Connection and names.
        mappings: As declared, in the engine's words.
        settings: As declared.

    Returns:
        Mappings and settings in the server's own spelling.
    """
    with standing(context, {"mappings": mappings, "settings": merged(settings, _SMALL)}) as scratch:
        return context.index(scratch) or {}


def begun_with(context: Context, index: str) -> Mapping[str, Any]:
    """Return mappings and settings that templates would give a new index of this name."""
    # A request that only reads, in spite of its method.
    answer = context.transport.request("POST", at("_index_template", "_simulate_index", index)).body or {}
    found: Mapping[str, Any] = answer.get("template") or {}
    return found


def simulated(context: Context, settings: Body) -> None:
    """
    Have the server read settings as those of a template: numbers of shards and copies, which it only reads.

    Raises:
        RequestRefused: The server does not take them.
    """
    body = {
        "index_patterns": [context.deployment.names.scratch("of-none")],
        "template": {"settings": settings},
    }
    context.send(Request("POST", "/_index_template/_simulate", body))


def tried(context: Context, definition: Body, *changes: tuple[str, Body]) -> None:
    """
    Have the server read a definition, and changes of it, by an index that lives for a moment.

    Args:
        context: Connection and names.
        definition: Mappings and settings that it begins with.
        changes: What is put afterwards: `_mapping` or `_settings`, and a body.

    Raises:
        RequestRefused: The server takes none of that.
    """
    settings = flat_settings(definition.get("settings") or {})
    kept = {key: value for key, value in settings.items() if not key.startswith(_OF_A_LIVE_ONE)}
    body = {"mappings": definition.get("mappings") or {}, "settings": merged(kept, _SMALL)}
    with standing(context, body) as scratch:
        for verb, change in changes:
            context.send(Request("PUT", at(scratch, verb), change))


def movable(settings: Body) -> Sequence[tuple[str, Body]]:
    """Return the change of settings that can be tried: a block would keep the index from being removed."""
    flat = flat_settings(settings)
    kept = {name: value for name, value in flat.items() if not name.startswith("index.blocks.")}
    return [("_settings", kept)] if kept else []
