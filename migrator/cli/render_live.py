"""What a look at the live stores came to, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.core.management.color import Style

from accord.words import counted
from migrator.engine.live import LiveDifference, LiveLook

_NEXT = (
    "Undo what was done by hand, or write it as a migration and record that by "
    "migrate_all --baseline --step STEP."
)


def live_lines(found: LiveLook, style: Style) -> Iterator[str]:
    """Tell what differs store by store, then what could not be looked at."""
    for store, differences in groupby(found.differences, key=lambda one: one.store):
        yield style.MIGRATE_HEADING(store)
        yield from (f"  {one.text}{_declared(one)}" for one in differences)
    if found.unknown or found.unasked:
        yield style.WARNING("Unknown:")
        yield from (f"  {key}: {line}" for key, line in found.unknown)
        yield from (f"  {alias}: the store can't be asked." for alias in found.unasked)
    what = f"{counted(found.looked, 'applied step')} looked at"
    if found.differences:
        yield style.ERROR(f"{what}: {counted(len(found.differences), 'difference')}.")
        yield f"  {_NEXT}"
    else:
        yield style.SUCCESS(f"{what}: the stores are as they describe.")


def _declared(one: LiveDifference) -> str:
    return "" if one.is_extra else f"  ({one.keys[-1]})"


def live_document(found: LiveLook) -> dict[str, Any]:
    """Describe it (`accord.live/1`)."""
    return {
        "schema": "accord.live/1",
        "exit_code": int(found.exit_code),
        "looked": found.looked,
        "differences": [
            {
                "store": one.store,
                "text": one.text,
                "kind": "extra" if one.is_extra else "different",
                "keys": list(map(str, one.keys)),
            }
            for one in found.differences
        ],
        "unknown": [{"key": str(key), "text": line} for key, line in found.unknown],
        "unasked": list(found.unasked),
    }
