"""What a copy can be made from: only an index that keeps each document as it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.errors import StepFailed
from searchindex.definitions import as_text, flat_settings

_MODE = "index.mapping.source.mode"


def not_kept(live: Mapping[str, Any]) -> str:
    """
    Say what of its documents an index does not keep in `_source`; empty when it keeps all.

    Args:
        live: Mappings and settings as the server returned them.
    """
    declared = live.get("mappings", {}).get("_source") or {}
    mode = declared.get("mode") or flat_settings(live.get("settings", {})).get(_MODE)
    if as_text(declared.get("enabled", True)) == "false" or mode == "disabled":
        return "every field, because `_source` is off"
    told = [f"{', '.join(declared['excludes'])}" if declared.get("excludes") else ""]
    told += [f"all but {', '.join(declared['includes'])}" if declared.get("includes") else ""]
    return " and ".join(part for part in told if part)


def refuse_closed(index: str, live: Mapping[str, Any]) -> None:
    """
    Refuse an index of which nothing can be read.

    Raises:
        StepFailed: It is closed.
    """
    # A server writes this down when it closes an index, and takes it back when it opens it.
    if as_text(flat_settings(live.get("settings", {})).get("index.verified_before_close")) == "true":
        raise StepFailed(
            f"The index {index} can't be copied: it is closed. Nothing was changed.",
            hint=f"Open it (POST /{index}/_open), then run the same command again.",
        )


def refuse_partial(index: str, live: Mapping[str, Any]) -> None:
    """
    Refuse an index whose copy would lack fields that can be searched in it.

    Raises:
        StepFailed: It keeps no copy, or one without some of the fields.
    """
    missing = not_kept(live)
    if missing:
        raise StepFailed(
            f"The index {index} can't be copied: its `_source` does not hold {missing}. "
            "The copy would lose that. Nothing was changed.",
            hint="Make a new index with CreateIndex, fill it from where the documents come from "
            "(RunPython), and move the alias with SwitchAlias.",
        )
