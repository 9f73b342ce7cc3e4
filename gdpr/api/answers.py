"""What is answered about requests. No person's data are in it: people are masked, staff are references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rest_framework import serializers

from accord import clock
from accord.acting import Account
from accord.api.moments import MomentField
from accord.api.people import references
from gdpr.api.subjects import masked
from gdpr.erasure import actors, approvals, deadlines, transitions
from gdpr.models import ErasurePlan, ErasureRequest
from gdpr.states import (
    Channel,
    Decision,
    Ground,
    IdentityMethod,
    RequestState,
    RestrictionReason,
    StepState,
)

_NEXT: Mapping[str, str] = {
    RequestState.RECEIVED: "POST identity/ where it isn't noted yet, then plan/.",
    RequestState.IDENTITY_CHECK: "POST identity/ once it is sure who asks.",
    RequestState.PLANNED: f"Another person with {actors.APPROVE} posts approve/ or reject/.",
    RequestState.APPROVED: "gdpr_process or a worker carries it out; no HTTP request waits for that.",
    RequestState.RETRY_WAIT: "gdpr_process tries again by itself; POST resume/ for now.",
    RequestState.BLOCKED_HOLD: "Another person than the one who placed the hold releases it; a restriction "
    "is lifted once the person was told.",
    RequestState.NEEDS_OPERATOR: "See the steps; then POST resume/, confirm/ for what was done by hand, "
    "or whose/ where something has a key that somebody else may have by now.",
    **dict.fromkeys(transitions.COMPLETE, "GET receipt/."),
    RequestState.DUPLICATE: "Go on with the request that it counts as.",
}


class RequestAnswer(serializers.Serializer):
    """A demand for erasure, as a list shows it."""

    reference = serializers.CharField()
    state = serializers.ChoiceField(RequestState.choices)
    person = serializers.SerializerMethodField(help_text="Masked: kind, and the end of a keyed hash.")
    kind = serializers.CharField(source="subject_kind")
    ground = serializers.ChoiceField(Ground.choices)
    channel = serializers.ChoiceField(Channel.choices)
    counts_as = serializers.CharField(
        source="canonical.reference",
        default=None,
        allow_null=True,
        help_text="Of a duplicate: the request that goes on.",
    )
    identity = serializers.ChoiceField(IdentityMethod.choices, source="identity_method", allow_blank=True)
    plan_digest = serializers.CharField(allow_blank=True)
    received_at = MomentField()
    due_at = MomentField()
    extended_at = MomentField(allow_null=True)
    days_left = serializers.SerializerMethodField(help_text="Negative when overdue; null when it is over.")
    approval_expires_at = MomentField(allow_null=True)
    next_attempt_at = MomentField(allow_null=True)
    completed_at = MomentField(allow_null=True)
    closed_at = MomentField(allow_null=True)
    trouble = serializers.CharField(allow_blank=True, help_text="Code of the last error.")
    filed_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    planned_by = serializers.SerializerMethodField()
    approved_by = serializers.SerializerMethodField()
    filed_by_you = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField(help_text="What somebody can do now.")

    def get_person(self, shown: ErasureRequest) -> str:
        return masked(shown.subject_kind, shown.subject_tag)

    def get_days_left(self, shown: ErasureRequest) -> int | None:
        if shown.state not in transitions.OPEN:
            return None
        return deadlines.days_left(shown.due_at, clock.now())

    def get_filed_by(self, shown: ErasureRequest) -> str | None:
        return self._reference(shown.filed_by_id)

    def get_planned_by(self, shown: ErasureRequest) -> str | None:
        return self._reference(shown.planned_by_id)

    def get_approved_by(self, shown: ErasureRequest) -> str | None:
        return self._reference(shown.approved_by_id)

    def get_filed_by_you(self, shown: ErasureRequest) -> bool:
        return bool(shown.filed_by_id == self.context["person"].pk)

    def get_next(self, shown: ErasureRequest) -> str:
        return _NEXT.get(shown.state, "")

    def _reference(self, key: object) -> str | None:
        return None if key is None else self.context["people"].get(str(key))


class ErasurePlanLine(serializers.Serializer):
    """What would happen to one entry of the data map."""

    entry = serializers.CharField()
    store = serializers.CharField()
    target = serializers.CharField()
    action = serializers.CharField()
    found = serializers.IntegerField()
    delete = serializers.IntegerField()
    anonymise = serializers.IntegerField()
    keep = serializers.IntegerField()
    again = serializers.BooleanField(help_text="Once more at the end, for what a late indexer wrote.")
    article = serializers.CharField(required=False)
    basis = serializers.CharField(required=False)
    until = serializers.CharField(required=False)
    instructions = serializers.CharField(required=False)
    reason = serializers.CharField(required=False)


class RestrictedAnswer(serializers.Serializer):
    """That the person's data must not be used (Art. 18)."""

    reason = serializers.ChoiceField(RestrictionReason.choices)
    since = MomentField()


class ErasurePlanAnswer(serializers.Serializer):
    """The plan that counts."""

    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="An approval has to name it.")
    map_digest = serializers.CharField()
    made_at = MomentField()
    entries = ErasurePlanLine(many=True)
    restricted = RestrictedAnswer(many=True, help_text="As it was when it was planned; most often empty.")

    def to_representation(self, instance: ErasurePlan) -> Any:
        """Add the lines."""
        return super().to_representation(
            {
                "number": instance.number,
                "digest": instance.digest,
                "map_digest": instance.map_digest,
                "made_at": instance.made_at,
                "entries": instance.document["entries"],
                "restricted": [
                    {**one, "since": datetime.fromisoformat(one["since"])}
                    for one in instance.document.get("restricted", [])
                ],
            }
        )


class ErasureStepAnswer(serializers.Serializer):
    """How far one entry is."""

    entry = serializers.CharField()
    store = serializers.CharField()
    target = serializers.CharField()
    action = serializers.CharField()
    again = serializers.BooleanField()
    state = serializers.ChoiceField(StepState.choices)
    found = serializers.IntegerField()
    changed = serializers.IntegerField(source="affected")
    residue = serializers.IntegerField(allow_null=True)
    kept = serializers.IntegerField()
    attempts = serializers.IntegerField(source="attempt")
    error_code = serializers.CharField(allow_blank=True)
    next_attempt_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)


class DecisionAnswer(serializers.Serializer):
    """A decision about a plan. Its reason stays sealed."""

    decision = serializers.ChoiceField(Decision.choices)
    plan_digest = serializers.CharField(allow_blank=True)
    decided_by = serializers.SerializerMethodField()
    decided_at = MomentField()
    expires_at = MomentField(allow_null=True)
    voided_at = MomentField(allow_null=True)

    def get_decided_by(self, shown: Any) -> str | None:
        return self.context["people"].get(str(shown.decided_by_id))


class YesesAnswer(serializers.Serializer):
    """How far the yes-es to a plan are."""

    given = serializers.IntegerField(help_text="How many count of those that are needed.")
    needed = serializers.IntegerField()
    missing = serializers.ListField(
        child=serializers.CharField(),
        source="lacking",
        help_text="Groups of which nobody has said yes yet.",
    )


class RequestDetail(RequestAnswer):
    """A demand for erasure with its plan, steps and decisions."""

    plan = ErasurePlanAnswer(allow_null=True)
    steps = ErasureStepAnswer(many=True)
    approvals = DecisionAnswer(many=True)
    standing = YesesAnswer(allow_null=True, help_text="While it waits for approval, or for its beginning.")
    held = serializers.BooleanField(help_text="Whether a legal hold stops it.")

    def to_representation(self, instance: ErasureRequest) -> Any:
        """Read what belongs to it."""
        instance.plan = instance.plans.order_by("-number").first()  # type: ignore[attr-defined]  # shown with it
        waits = instance.state in (RequestState.PLANNED, RequestState.APPROVED)
        instance.standing = approvals.standing(instance) if waits else None  # type: ignore[attr-defined]  # shown with it
        instance.held = instance.state == RequestState.BLOCKED_HOLD  # type: ignore[attr-defined]  # shown with it
        return super().to_representation(instance)


def summaries(shown: Sequence[ErasureRequest], person: Account) -> Any:
    """Describe requests for a list."""
    keys = {key for one in shown for key in (one.filed_by_id, one.planned_by_id, one.approved_by_id)}
    context = {"person": person, "people": references(keys)}
    return RequestAnswer(shown, many=True, context=context).data


def detail(request: ErasureRequest, person: Account) -> Any:
    """Describe a request as it is now."""
    shown = ErasureRequest.objects.select_related("canonical").get(pk=request.pk)
    keys = {shown.filed_by_id, shown.planned_by_id, shown.approved_by_id}
    keys |= set(shown.approvals.values_list("decided_by_id", flat=True))
    return RequestDetail(shown, context={"person": person, "people": references(keys)}).data
