"""Consents: what happened, and the words that people were shown."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff
from gdpr.states import (
    ConsentChannel,
    ConsentMethod,
    ConsentType,
    GivenBy,
)


class ConsentNotice(models.Model):
    """The words that a person was shown. A change of words is a new version."""

    purpose = models.CharField(_("purpose"), max_length=100)
    version = models.CharField(_("version"), max_length=40)
    language = models.CharField(_("language"), max_length=10)
    text = models.TextField(_("text"))
    text_hash = models.CharField(_("hash of the text"), max_length=64)
    published_at = Moment(_("published"))
    consents_stay = models.BooleanField(
        _("consents to earlier versions stay"),
        default=True,
        help_text=_("If not, nobody's consent to an earlier version counts any more."),
    )

    objects = CoordinatorManager["ConsentNotice"]()

    class Meta:
        """Newest first within a purpose."""

        ordering = ("purpose", "language", "-published_at")
        verbose_name = _("consent notice")
        verbose_name_plural = _("consent notices")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(
                fields=("purpose", "version", "language"), name="gdpr_notice_version_once"
            ),
            models.CheckConstraint(condition=~Q(text=""), name="gdpr_notice_has_text"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} {self.version} ({self.language})"


class ConsentQuerySet(models.QuerySet["ConsentEvent"]):
    """Events of consent."""

    def current(self) -> ConsentQuerySet:
        """Keep the newest event of each person and purpose: what counts now."""
        return self.order_by("subject_tag", "purpose", "-number").distinct("subject_tag", "purpose")


class ConsentEvent(models.Model):
    """One thing that happened to one person's consent to one purpose. Never changed, never removed."""

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=100)
    number = models.PositiveIntegerField(_("number"))
    type = models.CharField(_("event"), max_length=10, choices=ConsentType.choices)
    notice = models.ForeignKey(ConsentNotice, verbose_name=_("notice"), on_delete=models.PROTECT)
    explicit = models.BooleanField(_("explicit (Art. 9)"), default=False)
    method = models.CharField(_("method"), max_length=10, choices=ConsentMethod.choices)
    channel = models.CharField(_("channel"), max_length=40, choices=ConsentChannel.choices)
    given_by = models.CharField(_("given by"), max_length=10, choices=GivenBy.choices, default=GivenBy.SELF)
    at = Moment(_("at"))
    valid_until = Moment(_("valid until"), null=True)
    recorded_by = staff(_("recorded by"))
    previous_hash = models.CharField(_("hash before"), max_length=64, blank=True)
    hash = models.CharField(_("hash"), max_length=64)

    objects = CoordinatorManager.from_queryset(ConsentQuerySet)()

    class Meta:
        """In the order in which they happened."""

        ordering = ("subject_tag", "purpose", "number")
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(
                fields=("subject_tag", "purpose", "number"), name="gdpr_consent_number_once"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=ConsentChannel.values), name="gdpr_consent_channel_known"
            ),
            models.CheckConstraint(condition=Q(given_by__in=GivenBy.values), name="gdpr_consent_giver_known"),
        )

    def __str__(self) -> str:
        return f"{self.purpose}: {self.get_type_display()}"
