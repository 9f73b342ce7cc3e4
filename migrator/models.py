"""
The journal (what runs did and when, for people) and the records of governance (approvals, attestations).

The journal is history, not truth: which steps are applied is recorded in each store's own
ledger. Approvals name people by the random references of the audit trail and by bare keys,
without a foreign key: these tables are there before those of any account.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from migrator.managers import PlanApprovals


class RunKind(models.TextChoices):
    """What a run was asked to do."""

    APPLY = "apply", _("apply")
    REVERT = "revert", _("revert")
    BASELINE = "baseline", _("baseline")
    FAKE = "fake", _("fake")
    FORGET = "forget", _("forget")


DRIFT = "drift"
"""What an approval is of that lets a disagreement of files and ledgers stay; no run is of that kind."""
IDENTITY = "identity"
"""What an approval is of that lets stores belong to another environment; no run is of that kind."""
APPROVAL_KINDS = [*RunKind.choices, (DRIFT, _("drift")), (IDENTITY, _("environment"))]


class RunOutcome(models.TextChoices):
    """How a run or one of its steps ended."""

    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")
    INTERRUPTED = "interrupted", _("interrupted")


class Run(models.Model):
    """One execution of a plan."""

    id = models.CharField(_("run"), max_length=40, primary_key=True)
    kind = models.CharField(_("kind"), max_length=10, choices=RunKind.choices)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=RunOutcome.choices, default=RunOutcome.RUNNING
    )
    environment = models.CharField(_("environment"), max_length=60)
    digest = models.CharField(_("plan digest"), max_length=64)
    fence = models.BigIntegerField(_("fencing token"))
    owner = models.CharField(_("process"), max_length=200)
    planned = models.PositiveIntegerField(_("steps planned"))
    started_at = Moment(_("started"))
    finished_at = Moment(_("finished"), null=True)
    error_code = models.CharField(_("error code"), max_length=10, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        """Newest first."""

        ordering = ("-started_at", "-id")
        verbose_name = _("run")
        verbose_name_plural = _("runs")

    def __str__(self) -> str:
        return self.id


class Tag(models.Model):
    """A name for where every store stood after a run; `steps` holds the keys of what was applied."""

    name = models.CharField(_("tag"), max_length=100, unique=True)
    run_id = models.CharField(_("run"), max_length=40, blank=True)
    steps = models.JSONField(_("steps applied"))
    made_at = Moment(_("made"))

    class Meta:
        """Newest first."""

        ordering = ("-made_at", "-id")
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class StepRun(models.Model):
    """One step within a run."""

    run = models.ForeignKey(Run, verbose_name=_("run"), on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField(_("position"))
    store = models.CharField(_("store"), max_length=60)
    app = models.CharField(_("app"), max_length=100)
    name = models.CharField(_("step"), max_length=255)
    direction = models.CharField(_("direction"), max_length=10)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=RunOutcome.choices, default=RunOutcome.RUNNING
    )
    started_at = Moment(_("started"))
    seconds = models.FloatField(_("seconds"), null=True)
    changed = models.BigIntegerField(_("changed"), default=0)
    detail = models.TextField(_("detail"), blank=True)
    error_code = models.CharField(_("error code"), max_length=10, blank=True)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        """In the order of the plan, each position once."""

        ordering = ("run", "position")
        verbose_name = _("step of a run")
        verbose_name_plural = _("steps of a run")
        constraints = (
            models.UniqueConstraint(fields=("run", "position"), name="migrator_steprun_position_once"),
        )

    def __str__(self) -> str:
        return f"{self.store}:{self.app}.{self.name}"


def random_reference() -> str:
    """Make a reference that says nothing of anybody: 128 random bits in hex."""
    return uuid.uuid4().hex


class ApprovalState(models.TextChoices):
    """How far a request for approval is."""

    REQUESTED = "requested", _("waits for approval")
    APPROVED = "approved", _("approved")
    REJECTED = "rejected", _("rejected")
    EXPIRED = "expired", _("expired")
    USED = "used", _("used")


class PlanApproval(models.Model):
    """
    A request that a plan may run, or that drift may stay, and what another person said to it.

    What was asked for never changes: the trigger of migration 0002 keeps it, and `digest`
    stands in the audit trail too. `steps` is what the digest is made of; `remaining` names the
    steps that may still run, and only ever shrinks. Of drift, `steps` holds the kind of each disagreement
    and the digest of what stands in ledger and file; of stores that change their environment, from where to
    where, and which store it is.
    """

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=random_reference)
    project = models.CharField(_("project"), max_length=200)
    environment = models.CharField(_("environment"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=APPROVAL_KINDS)
    direction = models.CharField(_("direction"), max_length=10)
    target = models.CharField(_("target"), max_length=500, blank=True)
    digest = models.CharField(_("plan digest"), max_length=64)
    steps = models.JSONField(_("steps"))
    remaining = models.JSONField(_("steps that may still run"))
    state = models.CharField(
        _("state"), max_length=10, choices=ApprovalState.choices, default=ApprovalState.REQUESTED
    )
    reason = models.TextField(_("reason"))
    requester_ref = models.CharField(_("reference of who asked"), max_length=32)
    requester_key = models.CharField(_("account that asked"), max_length=64)
    requested_at = Moment(_("requested"))
    expires_at = Moment(_("expires"))
    approver_ref = models.CharField(_("reference of who decided"), max_length=32, blank=True)
    approver_key = models.CharField(_("account that decided"), max_length=64, blank=True)
    decision_reason = models.TextField(_("reason of the decision"), blank=True)
    decided_at = Moment(_("decided"), null=True)
    run_id = models.CharField(_("last run"), max_length=40, blank=True)
    used_at = Moment(_("used up"), null=True)

    late = False
    """Whether it was out of time when it was read."""
    objects = PlanApprovals()

    class Meta:
        """Newest first; four eyes and one open request a plan are the database's business."""

        ordering = ("-requested_at", "-id")
        verbose_name = _("plan approval")
        verbose_name_plural = _("plan approvals")
        required_db_vendor = "postgresql"
        default_permissions = ("add", "view")
        permissions = (("approve_planapproval", _("Can approve or reject plans of others")),)
        constraints = (
            models.CheckConstraint(
                condition=~Q(approver_ref=F("requester_ref")), name="migrator_approval_by_another_person"
            ),
            models.CheckConstraint(
                condition=~Q(approver_key=F("requester_key")), name="migrator_approval_by_another_account"
            ),
            models.CheckConstraint(
                condition=~Q(requester_ref="") & ~Q(requester_key=""), name="migrator_approval_has_requester"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("approved", "rejected", "used"))
                | ~Q(approver_ref="") & ~Q(approver_key="") & Q(decided_at__isnull=False),
                name="migrator_approval_has_approver",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ApprovalState.values), name="migrator_approval_state_known"
            ),
            models.UniqueConstraint(
                fields=("project", "environment", "kind", "digest"),
                condition=Q(state__in=("requested", "approved")),
                name="migrator_approval_open_once",
            ),
        )

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """The beginning of the reference, enough to name it on a command line."""
        return self.reference[:8]


class PlanYes(models.Model):
    """
    One person's yes to a request, bound to its digest. A policy may ask for several.

    It is never changed but by being taken back, once; the trigger of migration 0009 keeps the rest.
    """

    approval = models.ForeignKey(
        PlanApproval, verbose_name=_("plan approval"), on_delete=models.PROTECT, related_name="yeses"
    )
    digest = models.CharField(_("plan digest"), max_length=64)
    account_ref = models.CharField(_("reference of who approved"), max_length=32)
    account_key = models.CharField(_("account that approved"), max_length=64)
    reason = models.TextField(_("reason"))
    given_at = Moment(_("approved"))
    revoked_at = Moment(_("taken back"), null=True)
    revoker_ref = models.CharField(_("reference of who took it back"), max_length=32, blank=True)
    revoker_key = models.CharField(_("account that took it back"), max_length=64, blank=True)
    revoked_because = models.TextField(_("taken back because"), blank=True)

    class Meta:
        """In the order in which they were given; an account says yes once."""

        ordering = ("id",)
        verbose_name = _("yes to a plan")
        verbose_name_plural = _("yes-es to plans")
        required_db_vendor = "postgresql"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("approval", "account_key"),
                condition=Q(revoked_at__isnull=True),
                name="migrator_yes_once_an_account",
            ),
        )

    def __str__(self) -> str:
        return self.digest[:12]


class BreakGlass(models.Model):
    """
    A run that went ahead without approval, on record before its first step, and its review by another person.

    It is never changed but by being reviewed, once; the trigger of migration 0010 keeps the rest.
    """

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=random_reference)
    project = models.CharField(_("project"), max_length=200)
    environment = models.CharField(_("environment"), max_length=60)
    kind = models.CharField(_("kind"), max_length=10, choices=RunKind.choices)
    direction = models.CharField(_("direction"), max_length=10)
    words = models.JSONField(_("flags"))
    digest = models.CharField(_("plan digest"), max_length=64)
    steps = models.JSONField(_("steps"))
    run_id = models.CharField(_("first run"), max_length=40)
    reason = models.TextField(_("reason"))
    account_ref = models.CharField(_("reference of who had it run"), max_length=32)
    account_key = models.CharField(_("account that had it run"), max_length=64)
    broken_at = Moment(_("went ahead"))
    reviewed_at = Moment(_("reviewed"), null=True)
    reviewer_ref = models.CharField(_("reference of who reviewed it"), max_length=32, blank=True)
    reviewer_key = models.CharField(_("account that reviewed it"), max_length=64, blank=True)
    review_reason = models.TextField(_("what the review says"), blank=True)

    class Meta:
        """Newest first; no account reviews its own."""

        ordering = ("-broken_at", "-id")
        verbose_name = _("run without approval")
        verbose_name_plural = _("runs without approval")
        required_db_vendor = "postgresql"
        default_permissions = ("view",)
        permissions = (("break_glass", _("Can have a plan run without approval")),)
        constraints = (
            models.CheckConstraint(
                condition=~Q(reviewer_key=F("account_key")), name="migrator_break_reviewed_by_another"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True) | ~Q(reviewer_ref="") & ~Q(reviewer_key=""),
                name="migrator_break_has_reviewer",
            ),
        )

    def __str__(self) -> str:
        return self.short

    @property
    def short(self) -> str:
        """The beginning of the reference, enough to name it on a command line."""
        return self.reference[:8]


class Attestation(models.Model):
    """
    A signed word that an environment has run some steps, as they are, and succeeded.

    The document is believed for its signature, which is checked whenever it counts; the other
    columns are there to find and to list it.
    """

    reference = models.CharField(_("reference"), max_length=32, unique=True, default=random_reference)
    environment = models.CharField(_("environment"), max_length=60)
    run_id = models.CharField(_("run"), max_length=40, blank=True)
    content = models.CharField(_("digest of what it says"), max_length=64, unique=True)
    document = models.JSONField(_("document"))
    signer = models.CharField(_("signed by"), max_length=200)
    made_at = Moment(_("made"))
    kept_at = Moment(_("kept since"), auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering = ("-made_at", "-id")
        verbose_name = _("attestation")
        verbose_name_plural = _("attestations")
        required_db_vendor = "postgresql"
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"{self.environment} {self.run_id or self.reference[:8]}"
