"""Settings of a project with every address of a store exchanged for one of a drill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accord.environments import USUAL

_KEPT = ("ENGINE", "ATOMIC_REQUESTS", "AUTOCOMMIT", "DISABLE_SERVER_SIDE_CURSORS", "TIME_ZONE")
_KEPT_OF_STORES = (
    *("BACKEND", "LEDGER", "PREFIX", "CONFIG", "APP", "SECTION", "VERSION_TABLE"),
    "VERSION_TABLE_SCHEMA",
)
"""Options of a store that say nothing of where it is, or who asks."""


def exchanged(value: Any, instead: Mapping[str, str]) -> Any:
    """Exchange addresses wherever a setting repeats them whole."""
    if isinstance(value, str):
        return instead.get(value, value)
    if isinstance(value, Mapping):
        return {name: exchanged(one, instead) for name, one in value.items()}
    return type(value)(exchanged(one, instead) for one in value) if type(value) in (list, tuple) else value


def database(entry: Mapping[str, Any], there: Mapping[str, str]) -> dict[str, Any]:
    """
    Return an entry of `DATABASES` for a drill. Options may say where a server is, too, so few are kept.

    Args:
        entry: The project's.
        there: Where it is during the drill.
    """
    found = {name: entry[name] for name in _KEPT if name in entry} | dict(there)
    options = (entry.get("OPTIONS") or {}).get("options")
    return {**found, "OPTIONS": {"options": options}} if options else found


def store(entry: Mapping[str, Any], there: Mapping[str, str]) -> dict[str, Any]:
    """
    Return an entry of `ACCORD["STORES"]` for a drill.

    Args:
        entry: The project's.
        there: Where it is during the drill.
    """
    return {name: entry[name] for name in _KEPT_OF_STORES if name in entry} | dict(there)


def accord(before: Mapping[str, Any], stores: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """
    Return `ACCORD` for a drill: what is written outside of stores is written in its folder.

    Args:
        before: The project's.
        stores: Where each store is during the drill, by alias.
        folder: Of the drill.
    """
    erasure = dict((before.get("POLICY") or {}).get("erasure") or {})
    outside = ("AUDIT_HEADS", "ATTESTATIONS", "REQUEST_KEYS", "LIVE_DRIFT")
    return {
        **{name: value for name, value in before.items() if name not in outside},
        "STORES": {alias: store(entry, stores[alias]) for alias, entry in before.get("STORES", {}).items()},
        "ENVIRONMENT": "test",
        "ENVIRONMENTS": _environments(before),
        "AUDIT_CHECKPOINTS": f"{folder}/heads.jsonl",
        "ERASURE_REGISTER": f"{folder}/register.jsonl",
        "POLICY": {"erasure": {**erasure, "open_findings": "warn"}},
    }


def _environments(before: Mapping[str, Any]) -> list[object]:
    """Return the environments of the project's own, itself included, which its policy may name."""
    named = (*before.get("ENVIRONMENTS", ()), before.get("ENVIRONMENT", USUAL[0]))
    return [name for name in dict.fromkeys(named) if name not in USUAL]
