"""Recipients of data, and what they are told, over HTTP. Sending is `gdpr_process`'s business."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accord.api.bodies import Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered, by_reference
from accord.api.views import Api
from gdpr.erasure import actors
from gdpr.models import RecipientNotice
from gdpr.notices import declared, delivery
from gdpr.notices.declared import Declared
from gdpr.states import NoticeKind, NoticeState, NoticeTrouble

VIEW = ("gdpr.view_recipientnotice", actors.EXECUTE)
REFERENCE = "[0-9a-f]{32}"


class CountsAnswer(serializers.Serializer):
    """How many notices stand where."""

    waiting = serializers.IntegerField()
    by_hand = serializers.IntegerField(help_text="A person has to act.")
    informed = serializers.IntegerField()
    later = serializers.IntegerField(help_text="Once a restriction is lifted.")
    needless = serializers.IntegerField(help_text="Nothing was to be told.")


class RecipientAnswer(serializers.Serializer):
    """Somebody who gets data, by the data map."""

    id = serializers.CharField(source="recipient.id")
    way = serializers.ChoiceField(("mail", "webhook"), source="recipient.way")
    place = serializers.CharField(source="recipient.place", help_text="An address of mail, or a host.")
    entries = serializers.ListField(child=serializers.CharField(), source="recipient.of")
    notices = CountsAnswer(source="counts")


class RecipientsAnswer(serializers.Serializer):
    """Everybody who gets data."""

    recipients = RecipientAnswer(many=True)


class NoticeQuery(serializers.Serializer):
    """Which notices."""

    state = Word(NoticeState.choices, required=False)
    recipient = serializers.RegexField(r"^[a-z0-9][a-z0-9._-]{0,99}$", required=False)


class RecipientNoticeAnswer(serializers.Serializer):
    """What one recipient is told of one act. Whom it is about stands nowhere in it."""

    reference = serializers.CharField(help_text="The idempotency key under which it is sent.")
    kind = serializers.ChoiceField(NoticeKind.choices, help_text="What happened.")
    cause = serializers.CharField(help_text="Reference of the request or restriction.")
    recipient = serializers.CharField()
    state = serializers.ChoiceField(NoticeState.choices)
    attempts = serializers.IntegerField()
    trouble = serializers.ChoiceField(NoticeTrouble.choices, allow_blank=True)
    answer = serializers.IntegerField(allow_null=True, help_text="Status of its last answer over HTTP.")
    entered_at = MomentField()
    next_attempt_at = MomentField(allow_null=True)
    informed_at = MomentField(allow_null=True)
    informed_by = serializers.SerializerMethodField(help_text="Who told it by hand, in the audit trail.")
    digest = serializers.CharField(allow_blank=True, help_text="SHA-256 of what was sent.")

    def get_informed_by(self, one: RecipientNotice) -> str | None:
        return self.context["people"].get(str(one.informed_by_id))


_answer = partial(answered, RecipientNoticeAnswer, ("informed_by_id",))


@extend_schema(tags=["recipients"])
class RecipientsView(Api, APIView):
    """Who gets data."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": VIEW}

    @extend_schema(responses={200: RecipientsAnswer}, operation_id="recipients")
    def get(self, request: Request) -> Response:
        """Show who gets data by the data map, how they are told, and where their notices stand."""
        found: list[Declared] = list(declared.recipients())
        return Response(RecipientsAnswer({"recipients": found}).data)


_BY_REFERENCE = in_path("reference", REFERENCE)


@extend_schema(tags=["recipients"])
class RecipientNoticeViewSet(Api, GenericViewSet):
    """What recipients are told (Art. 19)."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        **dict.fromkeys(("list", "retrieve"), VIEW),
        **dict.fromkeys(("retry", "confirm"), actors.EXECUTE),
    }
    decides: ClassVar[frozenset[str]] = frozenset({"confirm"})
    queryset = RecipientNotice.objects.none()
    serializer_class = RecipientNoticeAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[NoticeQuery], responses=RecipientNoticeAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show notices, the newest first."""
        page = self.paginate_queryset(RecipientNotice.objects.filter(**self.asked(NoticeQuery)))
        return self.get_paginated_response(_answer(page, many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a notice."""
        return Response(_answer(by_reference(RecipientNotice, reference)))

    @extend_schema(parameters=[_BY_REFERENCE], request=None, responses={202: RecipientNoticeAnswer})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, reference: str) -> Response:
        """Have a notice tried again. Accepted: the next `gdpr_process` sends it."""
        return Response(
            _answer(delivery.retry(by_reference(RecipientNotice, reference), by=request.user)), 202
        )

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, reference: str) -> Response:
        """Note that you told the recipient yourself. Who it was about isn't kept any more then."""
        return Response(_answer(delivery.confirm(by_reference(RecipientNotice, reference), by=request.user)))
