"""The data map, as the admin and the permissions know it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataMap(models.Model):
    """Stands for the data map in the admin and among the permissions. It has no rows and no table."""

    class Meta:
        """Nothing that a database has to know."""

        managed = False
        default_permissions = ("view",)
        permissions = (("export_person", "Can export everything that is kept of a person"),)
        verbose_name = _("data map")
        verbose_name_plural = _("data map")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
