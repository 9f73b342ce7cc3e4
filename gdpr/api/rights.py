"""Requests for correction, and objections, over HTTP. What is done about them is the project's act."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord import clock
from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered
from accord.api.views import Api
from gdpr.api import subjects
from gdpr.erasure import deadlines
from gdpr.models import RightsRequest
from gdpr.rights import requests
from gdpr.states import Channel, RightKind, RightRefusal, RightState

VIEW = ("gdpr.view_rightsrequest", requests.ANSWER)
REFERENCE = "[0-9a-f]{4,32}"


class FileRightBody(Sent):
    """Who asks, and for what."""

    subject = subjects.SubjectBody()
    kind = Word(RightKind.choices)
    words = Text(max_length=2000, help_text="What the person asks for. Kept encrypted until it is answered.")
    received_on = serializers.DateField(
        required=False, help_text="The day on which it came in, if before today: the month counts from there."
    )


class AnswerRightBody(Sent):
    """What was done."""

    note = Text(max_length=2000, help_text="Kept encrypted.")


class RefuseRightBody(AnswerRightBody):
    """Why nothing is done."""

    ground = Word(RightRefusal.choices)


class RightsQuery(serializers.Serializer):
    """Which requests."""

    state = Word(RightState.choices, required=False)
    kind = Word(RightKind.choices, required=False)


class RightAnswer(serializers.Serializer):
    """A request of a right."""

    reference = serializers.CharField()
    kind = serializers.ChoiceField(RightKind.choices)
    state = serializers.ChoiceField(RightState.choices)
    person = serializers.SerializerMethodField(help_text="Masked.")
    channel = serializers.ChoiceField(Channel.choices)
    refused_because = serializers.ChoiceField(
        RightRefusal.choices, source="refusal_ground", allow_blank=True, help_text="Empty: it isn't."
    )
    received_at = MomentField()
    due_at = MomentField()
    closed_at = MomentField(allow_null=True)
    filed_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    taken_by = serializers.SerializerMethodField()
    answered_by = serializers.SerializerMethodField()

    def get_person(self, one: RightsRequest) -> str:
        return subjects.masked(one.subject_kind, one.subject_tag)

    def get_filed_by(self, one: RightsRequest) -> str | None:
        return self.context["people"].get(str(one.filed_by_id))

    def get_taken_by(self, one: RightsRequest) -> str | None:
        return self.context["people"].get(str(one.taken_by_id))

    def get_answered_by(self, one: RightsRequest) -> str | None:
        return self.context["people"].get(str(one.answered_by_id))


_answer = partial(answered, RightAnswer, ("filed_by_id", "taken_by_id", "answered_by_id"))


class AskedAnswer(serializers.Serializer):
    """What is kept encrypted of a request, for whoever answers it."""

    words = serializers.CharField(allow_null=True, help_text="Null once it is over: it is destroyed.")
    identifiers = serializers.DictField(
        child=serializers.JSONField(), allow_null=True, help_text="The person's keys; null once it is over."
    )
    note = serializers.CharField(allow_blank=True, help_text="What was done, once it is over.")


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the request; its beginning is enough while it is unique."
)


@extend_schema(tags=["rights"])
class RightsViewSet(Api, GenericViewSet):
    """Requests for correction (Art. 16), and objections (Art. 21)."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        **dict.fromkeys(("list", "retrieve"), VIEW),
        **dict.fromkeys(("create", "withdraw"), requests.FILE),
        **dict.fromkeys(("asked_for", "take", "answer", "refuse"), requests.ANSWER),
    }
    decides: ClassVar[frozenset[str]] = frozenset({"answer", "refuse"})
    queryset = RightsRequest.objects.none()
    serializer_class = RightAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[RightsQuery], responses=RightAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show requests, the next deadline first."""
        page = self.paginate_queryset(RightsRequest.objects.filter(**self.asked(RightsQuery)))
        return self.get_paginated_response(_answer(page, many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a request."""
        return Response(_answer(requests.find(reference)))

    @extend_schema(request=FileRightBody, responses={201: RightAnswer})
    def create(self, request: Request) -> Response:
        """Put a request on record. The clock of Art. 12(3) starts."""
        sent = self.sent(FileRightBody)
        received = sent.get("received_on")
        made = requests.file(
            subjects.resolve(sent["subject"]),
            RightKind(sent["kind"]),
            words=sent["words"],
            by=request.user,
            channel=Channel.API,
            received_at=deadlines.received_on(received, clock.now()) if received else None,
        )
        return Response(_answer(made), 201)

    @extend_schema(parameters=[_BY_REFERENCE], responses=AskedAnswer)
    @action(detail=True, methods=["get"], url_path="asked-for")
    def asked_for(self, request: Request, reference: str) -> Response:
        """Show what the person asks for and who they are, or what was done once it is over. Personal data."""
        found = requests.find(reference)
        if found.state not in requests.OPEN:
            kept = {"words": None, "identifiers": None, "note": requests.note_of(found)}
            return Response(AskedAnswer(kept).data)
        said = requests.asked(found)
        return Response(
            AskedAnswer({"words": said.words, "identifiers": said.keys.alternates, "note": ""}).data
        )

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def take(self, request: Request, reference: str) -> Response:
        """Take a request up, so that others see who works on it."""
        return Response(_answer(requests.take(requests.find(reference), by=request.user)))

    @extend_schema(parameters=[_BY_REFERENCE], request=AnswerRightBody)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, reference: str) -> Response:
        """Note that the project did what was asked for, and told the person. Who asked is destroyed."""
        found, note = requests.find(reference), self.sent(AnswerRightBody)["note"]
        return Response(_answer(requests.answer(found, note, by=request.user)))

    @extend_schema(parameters=[_BY_REFERENCE], request=RefuseRightBody)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, reference: str) -> Response:
        """Refuse a request; the person has to be told why, and where to complain (Art. 12(4))."""
        found, sent = requests.find(reference), self.sent(RefuseRightBody)
        refused = requests.refuse(found, RightRefusal(sent["ground"]), sent["note"], by=request.user)
        return Response(_answer(refused))

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, reference: str) -> Response:
        """Take a request back, because the person says so."""
        return Response(_answer(requests.withdraw(requests.find(reference), by=request.user)))
