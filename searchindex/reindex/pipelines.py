"""
Ingest pipelines stay off while an index is copied: each document went through them once already.

They are put on the new index after the copy and before the alias moves, when nobody writes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from searchindex.context import Context
from searchindex.definitions import Body, flat_settings
from searchindex.requests import Request
from searchindex.transport import at

NONE = "_none"
"""The servers' own word for no pipeline."""
_SETTINGS = ("index.default_pipeline", "index.final_pipeline")


def without_pipelines(settings: Body) -> dict[str, Any]:
    """Return settings of which both pipelines say none, whatever a template would say."""
    return {**_pruned(settings, ""), **dict.fromkeys(_SETTINGS, NONE)}


def pipelines_off(index: str) -> Request:
    """Build the request that takes the pipelines off an index."""
    return Request("PUT", at(index, "_settings"), dict.fromkeys(_SETTINGS, NONE))


def put_pipelines(context: Context, index: str, settings: Body) -> None:
    """
    Give an index the pipelines that it would have had from its beginning.

    Args:
        context: Connection.
        index: Physical index.
        settings: As declared; where they don't name a pipeline, templates do.
    """
    # A request that only reads, in spite of its method.
    answer = context.transport.request("POST", at("_index_template", "_simulate_index", index)).body or {}
    begun = flat_settings((answer.get("template") or {}).get("settings") or {})
    wanted = {**begun, **flat_settings(settings)}
    context.send(Request("PUT", at(index, "_settings"), {name: wanted.get(name) for name in _SETTINGS}))


def _pruned(settings: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Leave the pipelines out of settings that may be nested or written with dots."""
    kept: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{place}.{key}" if place else key
        if name not in _SETTINGS and f"index.{name}" not in _SETTINGS:
            kept[key] = _pruned(value, name) if isinstance(value, Mapping) else value
    return kept
