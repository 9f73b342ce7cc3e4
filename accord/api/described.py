"""How an operation is described: its first sentence as a title, and the permission that it needs."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accord.api.permissions import PerAction, wanted


class Described(AutoSchema):
    """Describes an operation by the docstring of its method, and by `needs` of its view."""

    def get_summary(self) -> str:
        """Return the first line."""
        return super().get_description().strip().partition("\n")[0]

    def get_description(self) -> str:
        """Return the rest, and the permission."""
        rest = super().get_description().strip().partition("\n")[2].strip()
        return "\n\n".join(filter(None, [rest, self._needed()]))

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
