"""What binds the database to the register of erasures, which is a file outside of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gdpr.fields import CoordinatorManager, random_reference


class RegisterMark(models.Model):
    """Which register is this database's, and up to which entry it knows it. One row."""

    register = models.CharField(_("register"), max_length=32, default=random_reference)
    position = models.BigIntegerField(_("last entry"), default=0)
    head = models.CharField(_("hash of the last entry"), max_length=64, blank=True)
    stores = models.JSONField(_("what other stores know"), default=dict)
    replaying = models.BigIntegerField(_("entry that began a replay"), null=True)

    objects = CoordinatorManager["RegisterMark"]()

    class Meta:
        """The row has the number 1."""

        verbose_name = _("mark of the register of erasures")
        verbose_name_plural = _("Restore centre")
        required_db_vendor = "postgresql"
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="gdpr_register_mark_once"),)

    def __str__(self) -> str:
        return f"{self.position}"
