"""Notices to recipients: whom of them is told what, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, staff
from gdpr.states import NoticeKind, NoticeState, NoticeTrouble


class RecipientNotice(models.Model):
    """
    One recipient that has to be told of one act (Art. 19): a row of the outbox, and evidence afterwards.

    Who the person is, in the recipient's words, is sealed with a key of the notice's own, which is destroyed
    once the recipient is told.
    """

    reference = models.CharField(_("reference"), max_length=32, unique=True, editable=False)
    kind = models.CharField(_("what happened"), max_length=20, choices=NoticeKind.choices)
    cause = models.CharField(_("request"), max_length=32, db_index=True)
    recipient = models.CharField(_("recipient"), max_length=100)
    state = models.CharField(
        _("state"), max_length=12, choices=NoticeState.choices, default=NoticeState.WAITING
    )
    sealed_person = models.BinaryField(_("sealed keys"), null=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = Moment(_("next attempt"), null=True)
    trouble = models.CharField(_("last trouble"), max_length=20, choices=NoticeTrouble.choices, blank=True)
    answer = models.PositiveSmallIntegerField(_("last answer (HTTP)"), null=True)
    entered_at = Moment(_("entered"))
    informed_at = Moment(_("informed"), null=True)
    informed_by = staff(_("informed by hand by"))
    digest = models.CharField(_("digest of what was sent"), max_length=64, blank=True)

    objects = CoordinatorManager["RecipientNotice"]()

    class Meta:
        """What waits longest first; one recipient is told of one act once."""

        ordering = ("-entered_at", "-id")
        verbose_name = _("notice to a recipient")
        verbose_name_plural = _("notices to recipients")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("cause", "kind", "recipient"), name="gdpr_notice_once"),
            models.CheckConstraint(
                condition=~Q(state=NoticeState.INFORMED)
                | Q(informed_at__isnull=False, sealed_person__isnull=True),
                name="gdpr_notice_informed_keeps_no_key",
            ),
            models.CheckConstraint(condition=Q(state__in=NoticeState.values), name="gdpr_notice_state_known"),
        )
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=Q(state="waiting"), name="gdpr_notice_waiting"
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)
