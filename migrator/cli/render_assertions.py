"""What asking applied steps again came to, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.color import Style

from accord.words import counted
from migrator.engine.asserting import PromisesAsked


def verification_lines(found: PromisesAsked, style: Style) -> Iterator[str]:
    """Show what doesn't hold, or that everything does."""
    asked = sum(found.asked.values())
    if not asked:
        yield "No applied step declares checks_after."
        return
    for item in found.broken:
        yield style.ERROR(f"{item.key}: “{item.name}” does not hold: {item.text}.")
    holding = asked - len(found.broken)
    where = counted(len(found.asked), "step")
    yield f"{holding} of {counted(asked, 'assertion')} of {where} {'holds' if holding == 1 else 'hold'}."


def verification_document(found: PromisesAsked) -> dict[str, Any]:
    """Describe it (`accord.verification/1`)."""
    return {
        "schema": "accord.verification/1",
        "asked": {str(key): count for key, count in sorted(found.asked.items())},
        "broken": [
            {"key": str(item.key), "moment": item.moment.value, "name": item.name, "text": item.text}
            for item in found.broken
        ],
    }
