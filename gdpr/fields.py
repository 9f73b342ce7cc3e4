"""What the models of this package have in common: where they live, and how they refer to staff."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accord import conf

M = TypeVar("M", bound=models.Model)


def random_reference() -> str:
    """Make a reference that says nothing of anybody: 128 random bits in hex."""
    return uuid.uuid4().hex


class CoordinatorManager(models.Manager[M]):
    """Keeps these tables in the coordinating database, whatever routers say."""

    def get_queryset(self) -> models.QuerySet[M]:
        """Ask the coordinator."""
        return super().get_queryset().using(self._db or conf.load().coordinator)


def staff(verbose_name: Any) -> Any:
    """Make a reference to an account that stays when the account goes."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=verbose_name,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        blank=True,
        related_name="+",
    )


def reference() -> Any:
    """Make a field for a random public reference."""
    return models.CharField(
        _("reference"), max_length=32, unique=True, default=random_reference, editable=False
    )
