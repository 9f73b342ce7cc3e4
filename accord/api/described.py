"""How an operation is described: its first sentence as a title, and the permission that it needs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular import utils
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accord.api import queries
from accord.api.permissions import PerAction, wanted

_Decorated = TypeVar("_Decorated")


class Described(AutoSchema):
    """Describes an operation by the docstring of its method, and by `needs` of its view."""

    def get_summary(self) -> str:
        """Return the first line."""
        return super().get_description().strip().partition("\n")[0]

    def get_description(self) -> str:
        """Return the rest, and the permission."""
        rest = super().get_description().strip().partition("\n")[2].strip()
        return "\n\n".join(filter(None, [rest, self._needed()]))

    def _get_format_parameters(self) -> list[Any]:
        # By the header, and by nothing in the address: see accord.api.negotiation.
        return []

    def _needed(self) -> str:
        if not any(isinstance(one, PerAction) for one in self.view.get_permissions()):
            return ""
        action = getattr(self.view, "action", None) or self.method.lower()
        names = [f"`{name}`" for name in wanted(self.view.needs, action) if name]
        return f"Needs the permission {' or '.join(names)}." if names else "Needs nothing but an account."


def in_path(name: str, pattern: str, description: str = "") -> OpenApiParameter:
    """
    Return the description of what an address names.

    Args:
        name: Of the part of the address.
        pattern: That it fits as a whole.
        description: A sentence; empty where the name says enough.
    """
    form = {"type": "string", "pattern": f"^{pattern}$"}
    return OpenApiParameter(name, form, OpenApiParameter.PATH, description=description)


def extend_schema(**facts: Any) -> Callable[[_Decorated], _Decorated]:
    """
    Return drf-spectacular's decorator of that name, working whatever `DEFAULT_SCHEMA_CLASS` a project has.

    Args:
        facts: What to add to the description of a view or of one of its methods.
    """
    extend: Any = utils.extend_schema(**facts)
    known = queries.declared(facts.get("parameters") or ())

    def decorate(decorated: _Decorated) -> _Decorated:
        if not inspect.isclass(decorated):
            decorated.takes = known  # type: ignore[attr-defined]  # read by accord.api.queries
        if inspect.isclass(decorated) or "schema" in getattr(decorated, "kwargs", {}):
            return extend(decorated)
        # It builds on this attribute, and on the project's setting where there is none.
        function: Any = decorated
        function.schema = Described
        try:
            return extend(decorated)
        finally:
            del function.schema

    return decorate
