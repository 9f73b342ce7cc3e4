"""Exports that were made in the admin: where their files are, and until when."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff


class KeptExport(models.Model):
    """An encrypted file of what is kept of a person, until it expires. What is in it is nowhere else."""

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200, db_index=True)
    form = models.CharField(_("form"), max_length=4)
    portable = models.BooleanField(_("portable"))
    made_by = staff(_("made by"))
    made_at = Moment(_("made"))
    expires_at = Moment(_("expires"))
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    deleted_at = Moment(_("deleted"), null=True)

    objects = CoordinatorManager["KeptExport"]()

    class Meta:
        """Newest first. Who may make exports may see that there are some."""

        default_permissions = ()
        ordering = ("-made_at", "-id")
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return str(self.reference)
