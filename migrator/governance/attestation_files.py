"""Attestations as documents: their form, how they are read without being believed, and written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from migrator.errors import AttestationUnusable

SCHEMA = "accord.attestation/1"
_TEXTS = ("schema", "project", "environment", "direction", "outcome", "run", "at", "key", "signature")


def read(text: str, place: str) -> dict[str, Any]:
    """
    Read a document, without believing it.

    Raises:
        AttestationUnusable: It is not one.
    """
    try:
        document = json.loads(text)
    except ValueError as exc:
        raise unusable(place, "it is not JSON") from exc
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise unusable(place, f"it is not of the form {SCHEMA}")
    wrong = [name for name in _TEXTS if not isinstance(document.get(name), str)]
    fits = _are_steps(document.get("steps")) and _are_stores(document.get("stores", {}))
    if wrong or not fits or not _is_time(document["at"]):
        raise unusable(place, f"a part is missing or wrong: {', '.join(wrong) or 'steps, stores or at'}")
    return document


def save(document: Mapping[str, Any], path: Path) -> None:
    """Write a document to a file: another name first, so that half of it is never read."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(dump(document))
    part.replace(path)


def dump(document: Mapping[str, Any]) -> str:
    """Write a document for people and files."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def payload(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: canonical, so that spaces and order don't matter."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _are_steps(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and set(entry) == {"key", "checksum"}
        and all(isinstance(text, str) for text in entry.values())
        for entry in value
    )


def _are_stores(value: object) -> bool:
    """Check for ids by alias; what an earlier version wrote names no stores."""
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def unusable(place: str, why: str) -> AttestationUnusable:
    """Return the error for a document that can't be used."""
    return AttestationUnusable(
        f"The attestation {place} can't be used: {why}.",
        hint="Take the file that migration_approval attest --output FILE wrote.",
    )
