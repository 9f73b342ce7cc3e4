"""How requests for approval are read."""

from __future__ import annotations

from typing import Any

from django.db import models

from accord.approvals import expiry


class PlanApprovals(models.Manager[Any]):
    """Tells of every request whether it is late, by the server's clock."""

    def get_queryset(self) -> models.QuerySet[Any]:
        """Ask that with the row."""
        columns = {"late": expiry.is_late()}
        found: models.QuerySet[Any] = super().get_queryset().annotate(**columns)
        return found
