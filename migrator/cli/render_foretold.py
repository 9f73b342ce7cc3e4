"""What servers would say to steps, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from accord.seam.foretelling import Foretold, Outlook

_MARKS = {
    Outlook.REFUSED: "WOULD FAIL",
    Outlook.WARNING: "warning",
    Outlook.NOTE: "note",
    Outlook.UNKNOWN: "unknown",
}
_ORDER = list(_MARKS)
_KILO = 1024


def foretold_lines(found: Sequence[Foretold], style: Style) -> Iterator[str]:
    """Show what is foretold of one step, the worst first."""
    paint = {Outlook.REFUSED: style.ERROR, Outlook.WARNING: style.WARNING}
    for item in sorted(found, key=lambda item: _ORDER.index(item.outlook)):
        line = f"-> {_MARKS[item.outlook]}: {item.what}: {item.text}{_size(item)}"
        yield "   " + paint.get(item.outlook, str)(line)
        if item.by_statement:
            yield f"      by statement: {'; '.join(item.by_statement)}"
        if item.sample:
            yield f"      such as {'; '.join(item.sample)}"
        if item.keys:
            yield f"      rows {'; '.join(item.keys)}"
        if item.hint:
            yield textwrap.indent(item.hint, "      ")


def _size(item: Foretold) -> str:
    rows = f"{item.rows:,} rows" if item.rows is not None and item.bytes is not None else ""
    size = _amount(item.bytes) if item.bytes is not None else ""
    lock = f"lock: {item.lock}" if item.lock and item.lock not in item.text else ""
    told = ", ".join(part for part in (rows, size, lock) if part)
    return f" ({told})" if told else ""


def _amount(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < _KILO:
            return f"{number:.0f} {unit}"
        number /= _KILO
    return f"{number:.1f} TB"


def foretold_document(item: Foretold) -> dict[str, Any]:
    """Describe one thing that is foretold."""
    return {
        "outlook": item.outlook.value,
        "what": item.what,
        "text": item.text,
        "hint": item.hint,
        "rows": item.rows,
        "bytes": item.bytes,
        "lock": item.lock or None,
        "by_statement": list(item.by_statement),
        "sample": list(item.sample),
        "keys": list(item.keys),
    }
