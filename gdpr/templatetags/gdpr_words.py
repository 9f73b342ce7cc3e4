"""Words of the data map, as somebody reads them who never saw one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accord.wording import worded
from gdpr.datamap.fault_words import kind_of
from gdpr.datamap.findings import MapFinding
from gdpr.datamap.term_words import in_words
from gdpr.datamap.terms import NOT_KNOWN, After

register = template.Library()

_DONE: Mapping[str, Any] = {
    "delete": _("deleted"),
    "pull": _("taken out of a list"),
    "unset": _("fields emptied"),
    "anonymise": _("anonymised"),
    "detach": _("no longer this person's"),
    "retain": _("kept by law"),
    "refresh": _("made anew from its tables"),
    "manual": _("done by hand"),
    "nothing": _("holds no person's data"),
}


@register.filter
def as_done(action: str) -> str:
    """Write what became of the data under an entry; what no word is known for stays as it is."""
    return str(_DONE.get(action, action))


@register.filter
def term(until: str) -> str:
    """Write in the reader's language until when something is kept, which documents have in English."""
    written, opened, _rest = until.partition(NOT_KNOWN)
    read = After.read(written)
    if read is None:
        return until
    return f"{in_words(read)} {gettext('(not known yet)')}" if opened else in_words(read)


@register.filter
def in_our_words(text: str) -> str:
    """Write a sentence of ours in the reader's language; what no catalogue has stays as it is."""
    return worded(text)


@register.filter
def found(finding: MapFinding | Mapping[str, Any]) -> str:
    """
    Write a finding of the data map: its kind in the reader's language, then place and fact as they are kept.

    What was found is evidence, in the words that were signed; who reads them in another language is told what
    kind of thing it is.
    """
    if isinstance(finding, MapFinding):
        finding = {"id": finding.fault.value, "message": finding.message}
    kind = "" if (get_language() or "en").startswith("en") else kind_of(str(finding["id"]))
    return f"{kind} {finding['message']}".strip()
