"""What outlives a request: legal holds and receipts."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff
from gdpr.models.requests import ErasureRequest
from gdpr.states import (
    HoldReason,
)


class LegalHold(models.Model):
    """A reason to keep a person's data for the time being; released by another person than placed it."""

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200, db_index=True)
    entry = models.CharField(_("entry"), max_length=200, blank=True, help_text=_("Empty: everything."))
    reason = models.CharField(_("reason"), max_length=20, choices=HoldReason.choices)
    placed_by = staff(_("placed by"))
    placed_at = Moment(_("placed"))
    review_at = Moment(_("review due"))
    released_by = staff(_("released by"))
    released_at = Moment(_("released"), null=True)

    objects = CoordinatorManager["LegalHold"]()

    class Meta:
        """The next review first."""

        ordering = ("review_at", "id")
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        required_db_vendor = "postgresql"
        constraints = (
            models.CheckConstraint(
                condition=Q(released_at__isnull=True)
                | Q(placed_by__isnull=False, released_by__isnull=False) & ~Q(released_by=F("placed_by")),
                name="gdpr_hold_released_by_another",
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)


class Receipt(models.Model):
    """What was read back from the stores, signed. Free of personal data."""

    class Kind(models.TextChoices):
        """What it attests."""

        ERASURE = "erasure", _("erasure")
        VERIFICATION = "verification", _("second verification")
        REPLAY = "replay", _("erasure repeated after a restore")

    reference = reference()
    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="receipts")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    document = models.JSONField(_("document"))
    digest = models.CharField(_("digest"), max_length=64)
    signature = models.TextField(_("signature"))
    made_at = Moment(_("made"))

    objects = CoordinatorManager["Receipt"]()

    class Meta:
        """Newest first."""

        ordering = ("-made_at", "-id")
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return str(self.reference)
