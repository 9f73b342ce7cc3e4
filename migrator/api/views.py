"""Runs, the plan, and approvals, by the functions that commands and admin use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request as HttpRequest
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accord import conf
from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema, in_path
from accord.api.views import Api
from accord.clock import SystemClock
from accord.seam.registry import opened
from migrator.api.answers import ApprovalAnswer, ApprovalDetail, PlanAnswer, RunAnswer, RunDetail
from migrator.cli import render_json
from migrator.engine import abandoned
from migrator.engine.api import Migrations
from migrator.engine.gate import Gate
from migrator.engine.request import Request
from migrator.governance import people
from migrator.governance.approvals import Approvals
from migrator.governance.requests import OPEN
from migrator.models import ApprovalState, PlanApproval, Run, RunKind, RunOutcome
from migrator.review import approve, review

VIEW_RUNS = "migrator.view_run"
VIEW_APPROVALS = ("migrator.view_planapproval", people.APPROVE)
"""Whoever may decide may look, as in the admin."""
REFERENCE = "[0-9a-f]{4,32}"
RUN_ID = "[0-9A-Za-z-]{1,40}"


_BY_ID = in_path("id", RUN_ID)


class RunQuery(serializers.Serializer):
    """Which runs."""

    outcome = Word(RunOutcome.choices, required=False)
    kind = Word(RunKind.choices, required=False)


@extend_schema(tags=["migrations"])
class RunViewSet(Api, GenericViewSet):
    """The journal of runs."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"list": VIEW_RUNS, "retrieve": VIEW_RUNS}
    queryset = Run.objects.none()
    serializer_class = RunDetail
    lookup_field = "id"
    lookup_value_regex = RUN_ID

    @extend_schema(parameters=[RunQuery], responses=RunAnswer(many=True))
    def list(self, request: HttpRequest) -> Response:
        """Show runs, newest first."""
        page = self.paginate_queryset(_runs().filter(**self.asked(RunQuery)))
        return self.get_paginated_response(RunAnswer(page, many=True).data)

    @extend_schema(parameters=[_BY_ID])
    def retrieve(self, request: HttpRequest, id: str) -> Response:  # noqa: A002 - the field's name
        """Show a run with its steps."""
        run = _runs().prefetch_related("steps").filter(pk=id).first()
        if run is None:
            raise NotFound
        return Response(RunDetail(run).data)


def _runs() -> QuerySet[Run]:
    abandoned.close_dead(conf.load())
    done = Count("steps", filter=Q(steps__outcome=RunOutcome.SUCCEEDED))
    return Run.objects.using(conf.load().coordinator).annotate(done=done)


class PlanView(Api, APIView):
    """What would run now."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": VIEW_RUNS}

    @extend_schema(responses={200: PlanAnswer}, tags=["migrations"], operation_id="plan")
    def get(self, request: HttpRequest) -> Response:
        """Plan what `migrate_all` would apply now. Nothing is changed; files and ledgers are read."""
        with opened() as stores:
            migrations = Migrations(stores)
            situation = migrations.situation()
            plan = migrations.plan(Request(), situation)
            return Response(render_json.plan_document(plan, situation))


class ApprovalQuery(serializers.Serializer):
    """Which approvals."""

    state = Word(ApprovalState.choices, required=False, help_text="As it is at this moment.")


class DecisionBody(Sent):
    """Why."""

    reason = Text(max_length=2000, help_text="Kept with the decision. Name no private person.")


class ApprovePlanBody(DecisionBody):
    """Why, and that what goes was seen."""

    seen = serializers.BooleanField(
        default=False,
        help_text="That you have seen what goes with the plan (`losses`, `uncounted`), and that it may go. "
        "Has to be true where `asks_seen` is; else the answer is 409, `ACC-928`.",
    )


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the request; its beginning is enough while it is unique."
)


@extend_schema(tags=["migrations"])
class PlanApprovalViewSet(Api, GenericViewSet):
    """Plans that wait for another person, and what became of them."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": VIEW_APPROVALS,
        "retrieve": VIEW_APPROVALS,
        "approve": people.APPROVE,
        "reject": people.APPROVE,
        "revoke": people.APPROVE,
    }
    decides: ClassVar[frozenset[str]] = frozenset({"approve", "reject", "revoke"})
    queryset = PlanApproval.objects.none()
    serializer_class = ApprovalAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[ApprovalQuery], responses=ApprovalAnswer(many=True))
    def list(self, request: HttpRequest) -> Response:
        """Show the requests of this environment, newest first."""
        approvals = _approvals()
        page = self.paginate_queryset(_in_state(approvals, self.asked(ApprovalQuery).get("state")))
        shown = ApprovalAnswer(page, many=True, context={"approvals": approvals})
        return self.get_paginated_response(shown.data)

    @extend_schema(parameters=[_BY_REFERENCE], responses=ApprovalDetail)
    def retrieve(self, request: HttpRequest, reference: str) -> Response:
        """Show a request with what each step would send, by store, and findings."""
        approvals = _approvals()
        approval = approvals.find(reference)
        context = {"approvals": approvals, "review": review(approval)}
        return Response(ApprovalDetail(approval, context=context).data)

    @extend_schema(parameters=[_BY_REFERENCE], request=ApprovePlanBody)
    @action(detail=True, methods=["post"])
    def approve(self, request: HttpRequest, reference: str) -> Response:
        """
        Say yes to another person's plan. It is run by `migrate_all`, not here.

        Where the plan undoes steps and drops what holds data, `seen` has to be true.
        """
        approvals, sent = _approvals(), self.sent(ApprovePlanBody)
        decided = approve(approvals, reference, request.user, sent["reason"], seen=sent["seen"])
        return Response(ApprovalAnswer(decided, context={"approvals": approvals}).data)

    @extend_schema(parameters=[_BY_REFERENCE], request=DecisionBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: HttpRequest, reference: str) -> Response:
        """Say no, as long as it isn't used up. The request stays closed."""
        approvals = _approvals()
        decided = approvals.reject(reference, request.user, self.sent(DecisionBody)["reason"])
        return Response(ApprovalAnswer(decided, context={"approvals": approvals}).data)

    @extend_schema(parameters=[_BY_REFERENCE], request=DecisionBody)
    @action(detail=True, methods=["post"])
    def revoke(self, request: HttpRequest, reference: str) -> Response:
        """
        Take a yes back that isn't used up: one's own, or else those of all others.

        The request waits for approval again. A run that goes on under it stops before its next step.
        """
        approvals = _approvals()
        decided = approvals.revoke(reference, request.user, self.sent(DecisionBody)["reason"])
        return Response(ApprovalAnswer(decided, context={"approvals": approvals}).data)


def _approvals() -> Approvals:
    return Gate(conf.load(), SystemClock()).approvals


def _in_state(approvals: Approvals, state: str | None) -> Any:
    """Keep the requests that are in a state now: one that ran out of time is expired, written down or not."""
    found = approvals.all()
    if state is None:
        return found
    if state == ApprovalState.EXPIRED or state in OPEN:
        return [one for one in found if approvals.state_of(one) == state]
    return found.filter(state=state)
