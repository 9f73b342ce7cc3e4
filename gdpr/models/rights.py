"""Requests of rights beside access and erasure: correction (Art. 16) and objection (Art. 21)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff
from gdpr.states import Channel, RightKind, RightRefusal, RightState

_OPEN = (RightState.RECEIVED, RightState.IN_WORK)
_OVER = (RightState.ANSWERED, RightState.REFUSED, RightState.WITHDRAWN)


class RightsRequest(models.Model):
    """One person's request. What is done about it is the project's act; here is that it was, and by when."""

    reference = reference()
    kind = models.CharField(_("right"), max_length=12, choices=RightKind.choices)
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200, db_index=True)
    sealed_keys = models.BinaryField(_("sealed keys and words"), null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=RightState.choices, default=RightState.RECEIVED
    )
    channel = models.CharField(_("received by"), max_length=10, choices=Channel.choices)
    filed_by = staff(_("filed by"))
    taken_by = staff(_("taken up by"))
    answered_by = staff(_("answered by"))
    refusal_ground = models.CharField(
        _("refused because"), max_length=10, choices=RightRefusal.choices, blank=True
    )
    sealed_note = models.BinaryField(_("note"), null=True, editable=False)
    received_at = Moment(_("received"))
    due_at = Moment(_("due"))
    closed_at = Moment(_("closed"), null=True)

    objects = CoordinatorManager["RightsRequest"]()

    class Meta:
        """By deadline; what is over is closed, and what is refused has a ground."""

        default_permissions = ("add", "change", "view")
        ordering = ("due_at", "id")
        verbose_name = _("request of a right")
        verbose_name_plural = _("requests of rights")
        required_db_vendor = "postgresql"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=_OPEN, closed_at__isnull=True)
                | Q(state__in=_OVER, closed_at__isnull=False, sealed_keys__isnull=True),
                name="gdpr_right_over_is_closed",
            ),
            models.CheckConstraint(
                condition=Q(state=RightState.REFUSED) & ~Q(refusal_ground="")
                | ~Q(state=RightState.REFUSED) & Q(refusal_ground=""),
                name="gdpr_right_refused_on_a_ground",
            ),
            models.CheckConstraint(condition=Q(kind__in=RightKind.values), name="gdpr_right_kind_known"),
        )

    def __str__(self) -> str:
        return str(self.reference)
