"""How facts look on a page: states, numbers, moments. Template tags load it, so it never needs the admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.formats import get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accord.audit.events import Counter
from accord.clock import local
from accord.words import duration


def chip(state: str, label: str) -> SafeString:
    """Show a state as a word in a coloured frame; the word says it, the colour helps."""
    return format_html('<span class="outcome outcome-{}">{}</span>', state, label)


def counted(counters: Mapping[str, int]) -> str:
    """Write the numbers of an event in one line, in the reader's language."""
    words = dict(Counter.choices)
    return ", ".join(f"{words.get(name, name)} {number}" for name, number in counters.items())


def lasting(seconds: float | None) -> str:
    """Write a duration with the reader's own decimal mark; a dash where it isn't known."""
    return duration(seconds).replace(".", str(get_format("DECIMAL_SEPARATOR")))


def day(moment: datetime | None) -> str:
    """Write a moment, short enough for a list."""
    return "-" if moment is None else f"{local(moment):%Y-%m-%d %H:%M}"
