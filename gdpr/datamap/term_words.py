"""Terms as people read them, in their language."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gdpr.datamap.terms import After


def in_words(until: str | date | After) -> str:
    """Say in the reader's language until when something is kept."""
    if not isinstance(until, After):
        return str(until)
    units = (
        ngettext("%(number)s year", "%(number)s years", until.years) % {"number": until.years},
        ngettext("%(number)s month", "%(number)s months", until.months) % {"number": until.months},
        ngettext("%(number)s day", "%(number)s days", until.days) % {"number": until.days},
    )
    spans = (until.years, until.months, until.days)
    span = ", ".join(one for one, number in zip(units, spans, strict=True) if number)
    words = (
        _("%(span)s after the end of the year of %(field)s")
        if until.end_of_year
        else _("%(span)s after %(field)s")
    )
    return words % {"span": span, "field": until.field}
