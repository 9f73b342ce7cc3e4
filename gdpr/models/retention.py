"""What runs of retention did: one row for each term that was applied in a run."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, random_reference, reference, staff
from gdpr.states import InactiveState, LapseKind, RetentionPlanState, RetentionState


class RetentionRun(models.Model):
    """What became of one term in one run. Free of personal data; the audit trail has its event."""

    reference = reference()
    run = models.CharField(_("run"), max_length=32, default=random_reference, db_index=True)
    plan = models.CharField(_("plan of retention"), max_length=32, blank=True, default="", db_default="")
    entry = models.CharField(_("entry"), max_length=200)
    store = models.CharField(_("store"), max_length=100)
    kind = models.CharField(_("of whom"), max_length=10, choices=LapseKind.choices)
    state = models.CharField(
        _("state"), max_length=20, choices=RetentionState.choices, default=RetentionState.RUNNING
    )
    changed = models.BigIntegerField(_("gone or changed"), default=0)
    held = models.BigIntegerField(_("kept by a hold"), default=0)
    trouble = models.CharField(_("trouble"), max_length=20, blank=True)
    started_at = Moment(_("started"))
    finished_at = Moment(_("finished"), null=True)

    objects = CoordinatorManager["RetentionRun"]()

    class Meta:
        """Newest first."""

        ordering = ("-started_at", "-id")
        verbose_name = _("run of retention")
        verbose_name_plural = _("Retention")
        required_db_vendor = "postgresql"

    def __str__(self) -> str:
        return f"{self.entry}: {self.get_state_display()}"

    def is_of_a_failed_run(self) -> bool:
        """Return whether any term failed in the same run."""
        return type(self).objects.filter(run=self.run, state=RetentionState.FAILED).exists()


class RetentionPlan(models.Model):
    """
    What has run out by a day, and what a second person decided about letting it go; one open one a scope.

    Its content never changes: whoever decides about a reference decides about its digest.
    """

    OPEN = (RetentionPlanState.WAITING, RetentionPlanState.APPROVED)

    reference = reference()
    entry = models.CharField(_("entry"), max_length=200, blank=True)
    day = models.DateField(_("has run out by"))
    document = models.JSONField(_("content"))
    digest = models.CharField(_("plan digest"), max_length=64)
    state = models.CharField(
        _("state"), max_length=20, choices=RetentionPlanState.choices, default=RetentionPlanState.WAITING
    )
    planned_by = staff(_("planned by"))
    planned_at = Moment(_("planned"))
    decided_by = staff(_("decided by"))
    decided_at = Moment(_("decided"), null=True)
    sealed_reason = models.BinaryField(_("reason"), null=True, editable=False)
    expires_at = Moment(_("expires"))
    ended_at = Moment(_("ended"), null=True)

    objects = CoordinatorManager["RetentionPlan"]()

    class Meta:
        """Newest first; nobody decides about their own."""

        ordering = ("-planned_at", "-id")
        verbose_name = _("plan of retention")
        verbose_name_plural = _("plans of retention")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(
                fields=("entry",),
                condition=Q(state__in=("waiting", "approved")),
                name="gdpr_retentionplan_one_open",
            ),
            models.CheckConstraint(
                condition=Q(planned_by__isnull=True)
                | Q(decided_by__isnull=True)
                | ~Q(decided_by=F("planned_by")),
                name="gdpr_retentionplan_two_persons",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("approved", "done", "rejected")) | Q(decided_by__isnull=False),
                name="gdpr_retentionplan_decided_by",
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)


class InactiveNotice(models.Model):
    """That somebody who was not seen for long was warned, and what became of it; one open one a person."""

    OPEN = (InactiveState.SENDING, InactiveState.WARNED)

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200)
    state = models.CharField(
        _("state"), max_length=20, choices=InactiveState.choices, default=InactiveState.SENDING
    )
    entered_at = Moment(_("entered"))
    warned_on = models.DateField(_("warned on"), null=True)
    ask_on = models.DateField(_("last day to come back"), null=True)
    ended_at = Moment(_("ended"), null=True)

    objects = CoordinatorManager["InactiveNotice"]()

    class Meta:
        """Newest first."""

        ordering = ("-entered_at", "-id")
        verbose_name = _("warning of an inactive person")
        verbose_name_plural = _("warnings of inactive people")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(
                fields=("subject_tag",),
                condition=models.Q(state__in=("sending", "warned")),
                name="gdpr_inactivenotice_one_open",
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)
