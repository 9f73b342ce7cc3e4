"""
The mark by which a copy under way is known again: a digest of its definition, in `_meta` of the target.

A name says only that this revision makes an index of that name. The mark says which definition it was
made by, so that a revision that was edited after a kill does not go on with the old one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from searchindex.requests import Request
from searchindex.transport import at

_KEY = "accord_copy"


def mark_of(definition: Mapping[str, Any], subject: object) -> str:
    """Hash what decides what the target will be: its definition, and whose documents stay behind."""
    text = json.dumps([definition, subject], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def marked(mappings: Mapping[str, Any], mark: str) -> Mapping[str, Any]:
    """Return mappings that bear a mark; an empty one leaves them as they are."""
    if not mark:
        return mappings
    return {**mappings, "_meta": {**(mappings.get("_meta") or {}), _KEY: mark}}


def found_mark(live: Mapping[str, Any]) -> str:
    """Return the mark of a live index; empty when it bears none."""
    return str((live.get("mappings", {}).get("_meta") or {}).get(_KEY, ""))


def unmarked(index: str, live: Mapping[str, Any]) -> Request | None:
    """Build the request that takes the mark off an index; None when it bears none."""
    if not found_mark(live):
        return None
    rest = {name: value for name, value in live["mappings"]["_meta"].items() if name != _KEY}
    return Request("PUT", at(index, "_mapping"), {"_meta": rest})
