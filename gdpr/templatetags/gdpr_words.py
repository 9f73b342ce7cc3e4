"""Words of the data map, as somebody reads them who never saw one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gdpr.datamap.fault_words import kind_of
from gdpr.datamap.findings import MapFinding

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
