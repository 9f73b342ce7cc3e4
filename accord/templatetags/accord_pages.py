"""Template pieces of the pages in the admin."""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from accord.display import counted as _counted
from accord.meanings import meaning as _meaning

register = template.Library()


@register.filter
def meaning(code: str) -> str:
    """Write what an error's code means, with the code."""
    return _meaning(code)


@register.filter
def counted(counters: Mapping[str, int]) -> str:
    """Write the numbers of an event in one line."""
    return _counted(counters)
