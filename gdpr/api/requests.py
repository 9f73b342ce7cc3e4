"""Erasure requests over HTTP. The erasure itself never runs in a request: workers carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.viewsets import GenericViewSet

from accord import clock
from accord.api.bodies import Word
from accord.api.described import extend_schema, in_path
from accord.api.views import Api
from gdpr import letters
from gdpr.api import answers, idempotency, subjects
from gdpr.api import letters as writing
from gdpr.api.answers import RequestAnswer, RequestDetail
from gdpr.api.bodies import (
    ApproveBody,
    ConfirmBody,
    ExtendBody,
    FileBody,
    IdentityBody,
    RejectBody,
    RevokeBody,
    WhoseBody,
    WhoseRequestsBody,
)
from gdpr.erasure import (
    actors,
    approvals,
    deadlines,
    encryption,
    newer,
    planning,
    receipts,
    requests,
    saga,
    state_changes,
    transitions,
    undecided,
)
from gdpr.errors import IllegalTransition, KeyReused, UnknownSubject
from gdpr.models import ErasureRequest
from gdpr.states import (
    Channel,
    ExtensionReason,
    Ground,
    IdentityMethod,
    RejectionGround,
    RequestState,
    StepState,
)

VIEW = ("gdpr.view_erasurerequest", actors.APPROVE)
"""Whoever may decide may look, as in the admin."""
REFERENCE = "[0-9a-f]{4,32}"
WEEK = timedelta(days=7)
_RESUMABLE = transitions.EXECUTABLE | {RequestState.NEEDS_OPERATOR}


class RequestQuery(serializers.Serializer):
    """Which requests."""

    state = serializers.ListField(
        child=Word(RequestState.choices), required=False, help_text="May be given several times."
    )
    due = Word(("over", "week", "later"), required=False, help_text="How soon open requests are due.")
    store_failing = serializers.RegexField(
        r"^[A-Za-z0-9_-]{1,60}$", required=False, help_text="A store that steps failed in or wait for."
    )
    mine_to_approve = serializers.BooleanField(
        required=False, help_text="Those whose plan waits for your approval, which would count."
    )


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the request; its beginning is enough while it is unique."
)


@extend_schema(tags=["erasure requests"])
class ErasureRequestViewSet(Api, GenericViewSet):
    """Demands for erasure."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": VIEW,
        "retrieve": VIEW,
        "search": VIEW,
        "receipt": VIEW,
        "create": actors.FILE,
        "ask_identity": (actors.FILE, actors.APPROVE),
        "identity": actors.FILE,
        "plan": actors.FILE,
        "extend": actors.FILE,
        "cancel": actors.FILE,
        "approve": actors.APPROVE,
        "revoke": actors.APPROVE,
        "reject": actors.APPROVE,
        "resume": actors.EXECUTE,
        "confirm": actors.EXECUTE,
        "whose": actors.EXECUTE,
        "letter": letters.ABOUT_REQUESTS,
    }
    reading: ClassVar[frozenset[str]] = frozenset({"search"})
    paged: ClassVar[frozenset[str]] = frozenset({"list", "search"})
    decides: ClassVar[frozenset[str]] = frozenset({"approve", "revoke", "reject", "confirm", "whose"})
    queryset = ErasureRequest.objects.none()
    serializer_class = RequestDetail
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[RequestQuery], responses=RequestAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show requests: open ones by their deadline, those that are over behind, the newest first."""
        found = _found(self.asked(RequestQuery), request.user)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(answers.summaries(page, request.user))

    @extend_schema(request=WhoseRequestsBody, responses=RequestAnswer(many=True))
    @action(detail=False, methods=["post"])
    def search(self, request: Request) -> Response:
        """
        Show the requests about a person, who is named in the body alone.

        An erased person is found by the primary key that they had.
        """
        kind, tags = subjects.whose_requests(self.sent(WhoseRequestsBody)["subject"])
        found = ErasureRequest.objects.filter(subject_kind__iexact=kind, subject_tag__in=tags)
        page = self.paginate_queryset(found.prefetch_related("canonical"))
        return self.get_paginated_response(answers.summaries(page, request.user))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a request with its plan, steps and decisions."""
        return Response(answers.detail(state_changes.find(reference), request.user))

    @extend_schema(request=FileBody, responses={201: RequestDetail}, parameters=[idempotency.PARAMETER])
    def create(self, request: Request) -> Response:
        """
        Put a demand on record. The clock of Art. 12(3) starts.

        Where a request about the person is open, the new one is a `duplicate`, and `counts_as` names
        the one that goes on.
        """
        made = _file(self.sent(FileBody), request)
        address = reverse(f"{request.resolver_match.namespace}:request-detail", args=[made.reference])
        return Response(answers.detail(made, request.user), 201, headers={"Location": address})

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"], url_path="ask-identity")
    def ask_identity(self, request: Request, reference: str) -> Response:
        """Ask for proof of who asks, because there is reasonable doubt (Art. 12(6))."""
        moved = requests.ask_identity(state_changes.find(reference), by=request.user)
        return Response(answers.detail(moved, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=IdentityBody)
    @action(detail=True, methods=["post"])
    def identity(self, request: Request, reference: str) -> Response:
        """Note how it was made sure who asks."""
        method = IdentityMethod(self.sent(IdentityBody)["method"])
        moved = requests.check_identity(state_changes.find(reference), method, by=request.user)
        return Response(answers.detail(moved, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, reference: str) -> Response:
        """Count in every store what would happen, for another person to approve. Voids an older approval."""
        found = state_changes.find(reference)
        planning.plan(found, by=request.user)
        return Response(answers.detail(found, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=ApproveBody, responses={202: RequestDetail})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, reference: str) -> Response:
        """Agree to exactly the plan of that digest. Accepted: `gdpr_process` or a worker carries it out."""
        found, sent = state_changes.find(reference), self.sent(ApproveBody)
        approvals.approve(found, by=request.user, digest=sent["digest"], reason=sent["reason"])
        return Response(answers.detail(found, request.user), 202)

    @extend_schema(parameters=[_BY_REFERENCE], request=RevokeBody)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, reference: str) -> Response:
        """
        Take a yes back before the erasure begins: one's own, or else those of all others.

        What has begun is stopped by a legal hold.
        """
        found, reason = state_changes.find(reference), self.sent(RevokeBody)["reason"]
        approvals.revoke(found, by=request.user, reason=reason)
        return Response(answers.detail(found, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=RejectBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, reference: str) -> Response:
        """Refuse a request before anything was done."""
        found, sent = state_changes.find(reference), self.sent(RejectBody)
        requests.reject(found, RejectionGround(sent["ground"]), by=request.user, reason=sent["reason"])
        return Response(answers.detail(found, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, reference: str) -> Response:
        """Take a request back before anything was done."""
        moved = requests.cancel(state_changes.find(reference), by=request.user)
        return Response(answers.detail(moved, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=ExtendBody)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, reference: str) -> Response:
        """Take two more months; once, within the first, and the person must be told why."""
        reason = ExtensionReason(self.sent(ExtendBody)["reason"])
        moved = requests.extend(state_changes.find(reference), reason, by=request.user)
        return Response(answers.detail(moved, request.user))

    @extend_schema(parameters=[_BY_REFERENCE], request=None, responses={202: RequestDetail})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, reference: str) -> Response:
        """Allow what waits or was given up to be tried now. Accepted: `gdpr_process` or a worker does."""
        found = state_changes.find(reference)
        if found.state not in _RESUMABLE:
            raise IllegalTransition(
                f"Request {found.reference} is “{found.state}”; there is nothing to resume.",
                hint="What can be done now stands under “next” in the request.",
            )
        saga.retry(found, by=request.user)
        return Response(answers.detail(found, request.user), 202)

    @extend_schema(parameters=[_BY_REFERENCE], request=ConfirmBody, responses={202: RequestDetail})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, reference: str) -> Response:
        """Note that the instructions of a manual entry were followed; a worker goes on."""
        found, entry = state_changes.find(reference), self.sent(ConfirmBody)["entry"]
        if not found.steps.filter(entry=entry).exists():
            raise NotFound
        saga.confirm_manual(found, entry, by=request.user)
        return Response(answers.detail(found, request.user), 202)

    @extend_schema(parameters=[_BY_REFERENCE], request=WhoseBody, responses={202: RequestDetail})
    @action(detail=True, methods=["post"])
    def whose(self, request: Request, reference: str) -> Response:
        """Say whose what came after the erasure is, with a key that is given again; a worker goes on."""
        found, sent = state_changes.find(reference), self.sent(WhoseBody)
        newer.tell(found, sent["entry"], same_person=sent["same_person"], by=request.user)
        return Response(answers.detail(found, request.user), 202)

    @extend_schema(
        parameters=[_BY_REFERENCE], request=writing.LetterBody, responses={201: writing.LetterAnswer}
    )
    @action(detail=True, methods=["post"])
    def letter(self, request: Request, reference: str) -> Response:
        """Write to the person that it takes longer, is refused or complete; send it if that is asked."""
        return writing.write(request, reference, self.sent(writing.LetterBody))

    @extend_schema(parameters=[_BY_REFERENCE], responses={200: OpenApiTypes.OBJECT})
    @action(detail=True, methods=["get"])
    def receipt(self, request: Request, reference: str) -> Response:
        """Return the newest receipt, signed (`accord.receipt/2`)."""
        found = state_changes.find(reference)
        made = receipts.latest(found)
        if made is None:
            raise NotFound
        return Response(receipts.signed_document(made))


def _found(query: Mapping[str, Any], person: Any) -> QuerySet[ErasureRequest]:
    # Not joined: a later page would be sorted whole instead of being read from the index.
    found = ErasureRequest.objects.prefetch_related("canonical")
    if states := query.get("state"):
        found = found.filter(state__in=states)
    if due := query.get("due"):
        found = found.filter(state__in=transitions.OPEN, **_limits(due))
    if store := query.get("store_failing"):
        troubled = (StepState.RETRY_WAIT, StepState.FAILED)
        found = found.filter(steps__store=store, steps__state__in=troubled).distinct()
    return found.filter(undecided.by(person)) if query.get("mine_to_approve") else found


def _limits(due: str) -> dict[str, Any]:
    now = clock.now()
    limits: dict[str, dict[str, Any]] = {
        "over": {"due_at__lt": now},
        "week": {"due_at__gte": now, "due_at__lt": now + WEEK},
        "later": {"due_at__gte": now + WEEK},
    }
    return limits[due]


def _file(sent: Mapping[str, Any], request: Request) -> ErasureRequest:
    """
    File a request, once for each idempotency key.

    Raises:
        KeyReused: The key came with something else before.
    """
    key = idempotency.key_of(request)
    try:
        keys = subjects.resolve(sent["subject"])
    except UnknownSubject:
        # Sent again after the erasure: the person can't be found any more, and the answer is the same.
        known = ErasureRequest.objects.filter(idempotency_key=key).first() if key else None
        if known is None:
            raise
        return known
    identity = IdentityMethod(sent["identity"]) if "identity" in sent else None
    received = sent.get("received_on")
    made = requests.file_request(
        keys,
        by=request.user,
        channel=Channel.API,
        ground=Ground(sent["ground"]),
        identity=identity,
        idempotency_key=key,
        received_at=deadlines.received_on(received, clock.now()) if received else None,
    )
    if (made.subject_tag, made.ground) != (encryption.tag_of(keys), sent["ground"]):
        raise KeyReused(
            "This idempotency key was sent before, with another demand.",
            hint="Make a new key for each demand; send a key again only with the same body.",
        )
    return made
