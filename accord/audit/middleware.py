"""The middleware that passes django-auditlog the acting account, by key alone."""

from __future__ import annotations

from typing import Any

from auditlog.middleware import AuditlogMiddleware as StockMiddleware
from django.http import HttpRequest


class AuditlogMiddleware(StockMiddleware):  # type: ignore[misc]  # django-auditlog is untyped
    """Leaves out the e-mail and the address that django-auditlog would add."""

    def get_extra_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what is set on every entry of a request."""
        actor = self._get_actor(request)
        return {} if actor is None else {"actor_id": actor.pk}
