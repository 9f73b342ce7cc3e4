"""Plans of retention over HTTP: what waits for a second person, and the yes or no to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered
from accord.api.views import Api
from gdpr.erasure import actors
from gdpr.models import RetentionPlan
from gdpr.retention import deciding
from gdpr.states import LapseKind, RetentionPlanState

VIEW = ("gdpr.view_retentionplan", actors.APPROVE)
"""Whoever may decide may look, as in the admin."""
REFERENCE = "[0-9a-f]{4,32}"


class PlanQuery(serializers.Serializer):
    """Which plans."""

    state = Word(RetentionPlanState.choices, required=False)


class RejectPlanBody(Sent):
    """Why nothing of it goes."""

    reason = Text(max_length=2000, help_text="Kept encrypted.")


class PlannedTerm(serializers.Serializer):
    """How much goes by one term."""

    entry = serializers.CharField()
    store = serializers.CharField()
    kind = serializers.ChoiceField(LapseKind.choices, help_text="Of whom.")
    rule = serializers.CharField(help_text="The term, in words.")
    rows = serializers.IntegerField(help_text="Rows and documents.")


class RetentionPlanAnswer(serializers.Serializer):
    """What has run out by a day, and what was decided about it. Its content never changes."""

    reference = serializers.CharField()
    state = serializers.ChoiceField(RetentionPlanState.choices)
    entry = serializers.CharField(help_text="Empty: every entry.")
    day = serializers.DateField(help_text="By which it has run out.")
    digest = serializers.CharField()
    terms = PlannedTerm(many=True, source="document.terms")
    planned_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    planned_at = MomentField()
    decided_by = serializers.SerializerMethodField()
    decided_at = MomentField(allow_null=True)
    expires_at = MomentField()
    ended_at = MomentField(allow_null=True)

    def get_planned_by(self, plan: RetentionPlan) -> str | None:
        return self.context["people"].get(str(plan.planned_by_id))

    def get_decided_by(self, plan: RetentionPlan) -> str | None:
        return self.context["people"].get(str(plan.decided_by_id))


_answer = partial(answered, RetentionPlanAnswer, ("planned_by_id", "decided_by_id"))


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the plan; its beginning is enough while it is unique."
)


@extend_schema(tags=["retention"])
class RetentionPlanViewSet(Api, GenericViewSet):
    """What retention lets go once a second person approved it."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": VIEW,
        "retrieve": VIEW,
        "approve": actors.APPROVE,
        "reject": actors.APPROVE,
    }
    decides: ClassVar[frozenset[str]] = frozenset({"approve", "reject"})
    queryset = RetentionPlan.objects.none()
    serializer_class = RetentionPlanAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[PlanQuery], responses=RetentionPlanAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show plans, the newest first."""
        state = self.asked(PlanQuery).get("state")
        found = RetentionPlan.objects.filter(**({"state": state} if state else {}))
        return self.get_paginated_response(_answer(self.paginate_queryset(found), many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a plan."""
        return Response(_answer(deciding.find(reference)))

    @extend_schema(parameters=[_BY_REFERENCE], request=None, responses={202: RetentionPlanAnswer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, reference: str) -> Response:
        """Let a plan go. Accepted: the next `gdpr_retention` carries it out, and no more than it says."""
        return Response(_answer(deciding.approve(deciding.find(reference), by=request.user)), 202)

    @extend_schema(parameters=[_BY_REFERENCE], request=RejectPlanBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, reference: str) -> Response:
        """Refuse a plan: nothing of it goes, and the next run asks anew."""
        plan, reason = deciding.find(reference), self.sent(RejectPlanBody)["reason"]
        return Response(_answer(deciding.reject(plan, by=request.user, reason=reason)))
