"""Trying a definition on a scratch index, which is empty, lives for a moment, and is nobody's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def begun_with(context: Context, index: str) -> Mapping[str, Any]:
    """Return mappings and settings that templates would give a new index of this name."""
    # A request that only reads, in spite of its method.
    answer = context.transport.request("POST", at("_index_template", "_simulate_index", index)).body or {}
    found: Mapping[str, Any] = answer.get("template") or {}
    return found


def tried(context: Context, name: str, definition: Body, *changes: tuple[str, Body]) -> None:
    """
    Have the server read a definition, and changes of it, by an index that lives for a moment.

    Args:
        context: Connection and names.
        name: Logical name of the index.
        definition: Mappings and settings that it begins with.
        changes: What is put afterwards: `_mapping` or `_settings`, and a body.

    Raises:
        RequestRefused: The server takes none of that.
    """
    scratch = context.deployment.names.scratch(name)
    settings = flat_settings(definition.get("settings") or {})
    kept = {key: value for key, value in settings.items() if not key.startswith(_OF_A_LIVE_ONE)}
    body = {"mappings": definition.get("mappings") or {}, "settings": merged(kept, _SMALL)}
    context.transport.request("DELETE", at(scratch), accept=(404,))
    try:
        # Where no node takes a shard, nobody waits for it: only the definition is in question.
        context.send(Request("PUT", f"{at(scratch)}?wait_for_active_shards=0", body))
        for verb, change in changes:
            context.send(Request("PUT", at(scratch, verb), change))
    finally:
        context.transport.request("DELETE", at(scratch), accept=(404,))


def movable(settings: Body) -> Sequence[tuple[str, Body]]:
    """Return the change of settings that can be tried: a block would keep the index from being removed."""
    flat = flat_settings(settings)
    kept = {name: value for name, value in flat.items() if not name.startswith("index.blocks.")}
    return [("_settings", kept)] if kept else []
