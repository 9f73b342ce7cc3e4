"""Words of the data map, as somebody reads them who never saw one."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

register = template.Library()

_DONE: Mapping[str, str] = {
    "delete": "deleted",
    "pull": "taken out of a list",
    "unset": "fields emptied",
    "anonymise": "anonymised",
    "detach": "no longer this person's",
    "retain": "kept by law",
    "refresh": "made anew from its tables",
    "manual": "done by hand",
    "nothing": "holds no person's data",
}


@register.filter
def as_done(action: str) -> str:
    """Write what became of the data under an entry; what no word is known for stays as it is."""
    return _DONE.get(action, action)
