"""
Which parameters an address takes: those that its description names, and no others.

What is described and what is let through have one source, `extend_schema(parameters=...)`: a misspelt filter
is refused instead of being overlooked, and what isn't described doesn't work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

Takes = Mapping[str, bool]
"""Names of parameters, and whether each may come several times."""

_REPEATABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,39}$")


def declared(parameters: Iterable[Any]) -> Takes:
    """
    Return the parameters of the query among those that a description names.

    Args:
        parameters: What `extend_schema` gets: descriptions, or serializers whose fields are parameters.
    """
    known: dict[str, bool] = {}
    for one in parameters:
        if not isinstance(one, OpenApiParameter):
            known |= {name: _is_list(field) for name, field in one().fields.items()}
        elif one.location == OpenApiParameter.QUERY:
            known[one.name] = isinstance(one.type, Mapping) and one.type.get("type") == "array"
    return known


def of_pages(paginator: LimitOffsetPagination) -> Takes:
    """Return the parameters that turn the pages of a list."""
    return dict.fromkeys((paginator.limit_query_param, paginator.offset_query_param), False)


def refuse_unknown(request: Request, known: Takes) -> None:
    """
    Check the names of what was asked.

    Args:
        request: The request.
        known: Parameters that the operation takes.

    Raises:
        ValidationError: One of them isn't known here, or came several times where one counts.
    """
    faults = {_named(name): [_said(known)] for name in request.query_params if name not in known}
    faults |= {
        name: ["This was sent several times, and only one can count."]
        for name, sent in request.query_params.lists()
        if len(sent) > 1 and known.get(name) is False
    }
    if faults:
        raise ValidationError(faults)


def _said(known: Takes) -> str:
    listed = ", ".join(known)
    return f"No parameter has this name here. Known: {listed}." if listed else "No parameters are taken here."


def _named(name: str) -> str:
    """Return the name as far as it is one: what stands there by mistake may be a person's address."""
    return name if _REPEATABLE.match(name) else "(parameter)"


def _is_list(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return isinstance(field, serializers.ListField)
