"""Restrictions of processing (Art. 18): people whose data are kept and not used for the time being."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff
from gdpr.states import RestrictionReason


class Restriction(models.Model):
    """A person's demand that their data are kept and not used; lifted once the person was told of that."""

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200, db_index=True)
    reason = models.CharField(_("reason"), max_length=10, choices=RestrictionReason.choices)
    restricted_by = staff(_("restricted by"))
    restricted_at = Moment(_("restricted"))
    told_at = Moment(_("person told"), null=True)
    lifted_by = staff(_("lifted by"))
    lifted_at = Moment(_("lifted"), null=True)

    objects = CoordinatorManager["Restriction"]()

    class Meta:
        """The newest first; one that counts for each person and reason."""

        ordering = ("-restricted_at", "-id")
        verbose_name = _("restriction of processing")
        verbose_name_plural = _("restrictions of processing")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(
                fields=("subject_tag", "reason"),
                condition=Q(lifted_at__isnull=True),
                name="gdpr_restriction_once",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | Q(told_at__isnull=False),
                name="gdpr_restriction_told_before_lifted",
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)
