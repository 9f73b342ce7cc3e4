"""Demands for erasure: requests, what would be done, who approved it, and what was done."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accord.moments import Moment
from gdpr.fields import CoordinatorManager, reference, staff
from gdpr.models.order import open_first
from gdpr.states import (
    Channel,
    Decision,
    ExtensionReason,
    Ground,
    IdentityMethod,
    RejectionGround,
    RequestState,
    StepState,
)

_ENDED = (RequestState.REJECTED, RequestState.CANCELLED, RequestState.DUPLICATE)
_COMPLETE = (RequestState.COMPLETED, RequestState.COMPLETED_WITH_RETENTION)
_NEEDS_APPROVAL = (
    RequestState.APPROVED,
    RequestState.FENCED,
    RequestState.EXECUTING,
    RequestState.RETRY_WAIT,
    RequestState.NEEDS_OPERATOR,
    RequestState.VERIFYING,
    *_COMPLETE,
)


class ErasureRequest(models.Model):
    """One person's demand to be erased, and how far it is."""

    reference = reference()
    subject_kind = models.CharField(_("kind of person"), max_length=100)
    subject_tag = models.CharField(_("subject tag"), max_length=200, db_index=True)
    sealed_keys = models.BinaryField(_("sealed keys"), null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=30, choices=RequestState.choices, default=RequestState.RECEIVED
    )
    held_in = models.CharField(_("state before the hold"), max_length=30, blank=True)
    ground = models.CharField(_("ground"), max_length=10, choices=Ground.choices)
    channel = models.CharField(_("received by"), max_length=10, choices=Channel.choices)
    idempotency_key = models.CharField(_("idempotency key"), max_length=64, null=True, unique=True)  # noqa: DJ001 - only NULL is never a double
    canonical = models.ForeignKey(
        "self", verbose_name=_("counts as"), on_delete=models.PROTECT, null=True, related_name="duplicates"
    )
    filed_by = staff(_("filed by"))
    planned_by = staff(_("planned by"))
    approved_by = staff(_("approved by"))
    identity_method = models.CharField(
        _("identity"), max_length=20, choices=IdentityMethod.choices, blank=True
    )
    rejection_ground = models.CharField(
        _("refused because"), max_length=10, choices=RejectionGround.choices, blank=True
    )
    plan_digest = models.CharField(_("plan digest"), max_length=64, blank=True)
    received_at = Moment(_("received"))
    due_at = Moment(_("due"))
    extended_at = Moment(_("extended"), null=True)
    extension_reason = models.CharField(
        _("extended because"), max_length=20, choices=ExtensionReason.choices, blank=True
    )
    approval_expires_at = Moment(_("approval expires"), null=True)
    fenced_at = Moment(_("fenced"), null=True)
    completed_at = Moment(_("completed"), null=True)
    verify_again_at = Moment(_("second verification due"), null=True)
    next_attempt_at = Moment(_("next attempt"), null=True)
    reopened = models.PositiveIntegerField(_("times reopened"), default=0)
    trouble = models.CharField(_("last trouble"), max_length=10, blank=True)
    closed_at = Moment(_("closed"), null=True)
    replays = models.CharField(_("repeats the erasure"), max_length=32, blank=True, editable=False)
    registered = models.BigIntegerField(_("entry in the register"), null=True, editable=False)

    objects = CoordinatorManager["ErasureRequest"]()

    class Meta:
        """Open first, by deadline; four eyes and one open request a person are the database's business."""

        ordering = open_first()
        indexes = (models.Index(*open_first(), name="gdpr_request_open_first"),)
        verbose_name = _("erasure request")
        verbose_name_plural = _("erasure requests")
        required_db_vendor = "postgresql"
        permissions = (
            ("approve_erasurerequest", "Can approve or reject erasure plans of others"),
            ("execute_erasurerequest", "Can start and continue approved erasures"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("filed_by")),
                name="gdpr_request_approver_is_not_filer",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(planned_by__isnull=True)
                | ~Q(approved_by=F("planned_by")),
                name="gdpr_request_approver_is_not_planner",
            ),
            models.CheckConstraint(
                # For a replay the register of erasures vouches that the erasure was approved that it repeats.
                condition=~Q(state__in=_NEEDS_APPROVAL)
                | (Q(approved_by__isnull=False, filed_by__isnull=False) | ~Q(replays=""))
                & ~Q(plan_digest=""),
                name="gdpr_request_runs_only_approved",
            ),
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values), name="gdpr_request_state_known"
            ),
            models.UniqueConstraint(
                fields=("subject_tag",),
                condition=~Q(state__in=(*_ENDED, *_COMPLETE)),
                name="gdpr_request_one_open_a_subject",
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)


class ErasurePlan(models.Model):
    """What would happen to a person's data, counted and frozen. The newest one of a request counts."""

    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="plans")
    number = models.PositiveIntegerField(_("number"))
    digest = models.CharField(_("digest"), max_length=64)
    map_digest = models.CharField(_("digest of the data map"), max_length=64)
    document = models.JSONField(_("plan"))
    made_at = Moment(_("made"))

    objects = CoordinatorManager["ErasurePlan"]()

    class Meta:
        """Newest first."""

        ordering = ("request_id", "-number")
        verbose_name = _("erasure plan")
        verbose_name_plural = _("erasure plans")
        required_db_vendor = "postgresql"
        constraints = (models.UniqueConstraint(fields=("request", "number"), name="gdpr_plan_number_once"),)

    def __str__(self) -> str:
        return self.digest[:12]


class Approval(models.Model):
    """A second person's decision about one exact plan."""

    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="approvals")
    plan_digest = models.CharField(_("plan digest"), max_length=64)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision.choices)
    filed_by = staff(_("filed by"))
    decided_by = staff(_("decided by"))
    decided_at = Moment(_("decided"))
    expires_at = Moment(_("expires"), null=True)
    voided_at = Moment(_("void since"), null=True)
    sealed_reason = models.BinaryField(_("reason"), null=True, editable=False)

    objects = CoordinatorManager["Approval"]()

    class Meta:
        """Newest first; no account decides about its own."""

        ordering = ("-decided_at", "-id")
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        required_db_vendor = "postgresql"
        constraints = (
            models.CheckConstraint(
                condition=Q(filed_by__isnull=False, decided_by__isnull=False) & ~Q(decided_by=F("filed_by")),
                name="gdpr_approval_two_persons",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_decision_display()} {self.plan_digest[:12]}"


class ErasureStep(models.Model):
    """One entry of the data map within a request: the unit that a worker claims."""

    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField(_("position"))
    entry = models.CharField(_("entry"), max_length=200)
    again = models.BooleanField(_("second pass"), default=False)
    store = models.CharField(_("store"), max_length=60)
    target = models.CharField(_("target"), max_length=200)
    action = models.CharField(_("action"), max_length=20)
    state = models.CharField(_("state"), max_length=12, choices=StepState.choices, default=StepState.PENDING)
    attempt = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    fence = models.BigIntegerField(_("fencing token"), default=0)
    owner = models.CharField(_("process"), max_length=300, blank=True)
    lease_until = Moment(_("leased until"), null=True)
    next_attempt_at = Moment(_("next attempt"), null=True)
    found = models.BigIntegerField(_("found"), default=0)
    affected = models.BigIntegerField(_("changed"), default=0)
    batches = models.PositiveIntegerField(_("batches"), default=0)
    residue = models.BigIntegerField(_("left"), null=True)
    kept = models.BigIntegerField(_("kept"), default=0)
    error_code = models.CharField(_("error code"), max_length=10, blank=True)
    server = models.CharField(_("server"), max_length=200, blank=True)
    sealed_keys = models.BinaryField(_("sealed keys"), null=True, editable=False)
    confirmed_by = staff(_("confirmed by"))
    started_at = Moment(_("started"), null=True)
    finished_at = Moment(_("finished"), null=True)

    objects = CoordinatorManager["ErasureStep"]()

    class Meta:
        """In the order of the plan, each entry once a pass."""

        ordering = ("request_id", "position")
        verbose_name = _("step of an erasure")
        verbose_name_plural = _("steps of an erasure")
        required_db_vendor = "postgresql"
        constraints = (
            models.UniqueConstraint(fields=("request", "entry", "again"), name="gdpr_step_entry_once"),
            models.UniqueConstraint(fields=("request", "position"), name="gdpr_step_position_once"),
        )

    def __str__(self) -> str:
        return f"{self.store}:{self.entry}"
