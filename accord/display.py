"""How facts look on a page: states, numbers, moments. Template tags load it, so it never needs the admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accord.audit.events import Counter


def chip(state: str, label: str) -> SafeString:
    """Show a state as a word in a coloured frame; the word says it, the colour helps."""
    return format_html('<span class="outcome outcome-{}">{}</span>', state, label)


def counted(counters: Mapping[str, int]) -> str:
    """Write the numbers of an event in one line, in the reader's language."""
    words = dict(Counter.choices)
    return ", ".join(f"{words.get(name, name)} {number}" for name, number in counters.items())


def local(moment: datetime) -> datetime:
    """Return a moment in the reader's zone; one that says no zone is in it already, as `USE_TZ` off means."""
    return moment if timezone.is_naive(moment) else timezone.localtime(moment)


def day(moment: datetime | None) -> str:
    """Write a moment, short enough for a list."""
    return "-" if moment is None else f"{local(moment):%Y-%m-%d %H:%M}"
