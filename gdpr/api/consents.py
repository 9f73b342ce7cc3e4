"""Consents and the notices that they are given to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema
from accord.api.moments import MomentField
from accord.api.views import Api
from gdpr.api import subjects
from gdpr.consent import receipts, register
from gdpr.consent.register import Someone
from gdpr.errors import UnknownNotice
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.states import ConsentChannel, ConsentMethod, ConsentType, GivenBy

VIEW, ADD = "gdpr.view_consentevent", "gdpr.add_consentevent"
_METHODS = [(value, label) for value, label in ConsentMethod.choices if value != ConsentMethod.SYSTEM]
_CHANNELS = [(value, label) for value, label in ConsentChannel.choices if value != ConsentChannel.CLOCK]


class NoticeKey(Sent):
    """Which notice the person was shown; it names the purpose."""

    purpose = Text(max_length=100)
    version = Text(max_length=40)
    language = Text(max_length=10)


class NoticeBody(NoticeKey):
    """The words of a notice. Other words need another version."""

    text = Text(max_length=40_000)
    consents_stay = serializers.BooleanField(
        default=None,
        allow_null=True,
        help_text="Whether consents to earlier versions still count: said of every version but the first.",
    )


class NoticeAnswer(serializers.Serializer):
    """A notice."""

    purpose = serializers.CharField()
    version = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    text_hash = serializers.CharField()
    published_at = MomentField()
    consents_stay = serializers.BooleanField()


class _Act(Sent):
    """Who, and by which act."""

    subject = subjects.SubjectBody()
    method = Word(_METHODS)
    channel = Word(_CHANNELS)
    given_by = Word(GivenBy.choices, default=str(GivenBy.SELF))


class GiveBody(_Act):
    """A yes."""

    notice = NoticeKey()
    explicit = serializers.BooleanField(default=False, help_text="As Art. 9 asks for.")
    valid_until = MomentField(default=None, allow_null=True)


class RefuseBody(_Act):
    """A no."""

    notice = NoticeKey()


class WithdrawBody(_Act):
    """A consent taken back."""

    purpose = Text(max_length=100)


class SearchBody(Sent):
    """Whose consents."""

    subject = subjects.SubjectBody()


class ReceiptBody(SearchBody):
    """Whose consent, and to what."""

    purpose = Text(max_length=100)


class ShownNotice(serializers.Serializer):
    """The notice that was shown."""

    version = serializers.CharField()
    language = serializers.CharField()
    text_hash = serializers.CharField()


class EventAnswer(serializers.Serializer):
    """One thing that happened to a consent."""

    reference = serializers.CharField()
    purpose = serializers.CharField()
    number = serializers.IntegerField()
    type = serializers.ChoiceField(ConsentType.choices)
    notice = ShownNotice()
    explicit = serializers.BooleanField()
    method = serializers.ChoiceField(ConsentMethod.choices)
    channel = serializers.ChoiceField(ConsentChannel.choices)
    given_by = serializers.ChoiceField(GivenBy.choices)
    at = MomentField()
    valid_until = MomentField(allow_null=True)
    granted = serializers.SerializerMethodField(
        help_text="Whether data may be used on this ground now, if no later event follows."
    )

    def get_granted(self, event: ConsentEvent) -> bool:
        return register.grants(event)


class ConsentsAnswer(serializers.Serializer):
    """A person's consents."""

    person = serializers.CharField(help_text="Masked.")
    current = EventAnswer(many=True, help_text="The newest event of each purpose: what counts.")
    history = EventAnswer(many=True, help_text="Everything, the oldest first.")
    intact = serializers.BooleanField(help_text="Whether the events follow each other by hash.")


@extend_schema(tags=["consents"])
class ConsentViewSet(Api, GenericViewSet):
    """Consents. People are named in bodies alone, so reading is a POST, too."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        **dict.fromkeys(("search", "receipt"), VIEW),
        **dict.fromkeys(("give", "renew", "refuse", "withdraw"), ADD),
    }
    reading: ClassVar[frozenset[str]] = frozenset({"search", "receipt"})
    queryset = ConsentEvent.objects.none()
    serializer_class = EventAnswer

    @extend_schema(request=SearchBody, responses={200: ConsentsAnswer})
    @action(detail=False, methods=["post"])
    def search(self, request: Request) -> Response:
        """
        Show what a person consented to, and everything that happened to it.

        An erased person is found by the primary key that they had: the proof stays (Art. 7(1)).
        """
        who = subjects.someone(self.sent(SearchBody)["subject"])
        events = register.history(who)
        shown = {
            "person": subjects.masked(who.kind, who.tag),
            "current": _newest(events),
            "history": events,
            "intact": register.verify_history(who),
        }
        return Response(ConsentsAnswer(shown).data)

    @extend_schema(request=ReceiptBody, responses={200: OpenApiTypes.OBJECT})
    @action(detail=False, methods=["post"])
    def receipt(self, request: Request) -> Response:
        """
        Give a signed receipt of what a person consented to, for them to keep.

        In the shape of ISO/IEC TS 27560; `accord.consent.receipt/1`.
        """
        sent = self.sent(ReceiptBody)
        _check_purpose(sent["purpose"])
        return Response(receipts.issue(subjects.someone(sent["subject"]), sent["purpose"]))

    @extend_schema(request=GiveBody, responses={201: EventAnswer})
    @action(detail=False, methods=["post"])
    def give(self, request: Request) -> Response:
        """Record a yes. A yes of a person who said yes before is a renewal."""
        return self._said_yes(request, register.give)

    @extend_schema(request=GiveBody, responses={201: EventAnswer})
    @action(detail=False, methods=["post"])
    def renew(self, request: Request) -> Response:
        """Record a yes again; refused where there is no consent to renew."""
        return self._said_yes(request, register.renew)

    @extend_schema(request=RefuseBody, responses={201: EventAnswer})
    @action(detail=False, methods=["post"])
    def refuse(self, request: Request) -> Response:
        """Record a no."""
        sent = self.sent(RefuseBody)
        event = register.refuse(_who(sent), notice_of(sent["notice"]), **_act(sent), by=request.user)
        return Response(EventAnswer(event).data, 201)

    @extend_schema(request=WithdrawBody, responses={201: EventAnswer})
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        """Record that a consent is taken back; once more changes nothing."""
        sent = self.sent(WithdrawBody)
        _check_purpose(sent["purpose"])
        event = register.withdraw(_who(sent), sent["purpose"], **_act(sent), by=request.user)
        return Response(EventAnswer(event).data, 201)

    def _said_yes(self, request: Request, act: Callable[..., ConsentEvent]) -> Response:
        sent = self.sent(GiveBody)
        event = act(
            _who(sent),
            notice_of(sent["notice"]),
            **_act(sent),
            explicit=sent["explicit"],
            valid_until=sent["valid_until"],
            by=request.user,
        )
        return Response(EventAnswer(event).data, 201)


@extend_schema(tags=["consents"])
class NoticeViewSet(Api, GenericViewSet):
    """The words that people are shown."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": "gdpr.view_consentnotice",
        "create": "gdpr.add_consentnotice",
    }
    queryset = ConsentNotice.objects.none()
    serializer_class = NoticeAnswer

    @extend_schema(responses=NoticeAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show the notices, the newest of each purpose first."""
        page = self.paginate_queryset(ConsentNotice.objects.all())
        return self.get_paginated_response(NoticeAnswer(page, many=True).data)

    @extend_schema(request=NoticeBody, responses={201: NoticeAnswer})
    def create(self, request: Request) -> Response:
        """Put the words of a notice on record. The same words again are the same notice."""
        return Response(NoticeAnswer(register.publish_notice(**self.sent(NoticeBody))).data, 201)


def notice_of(named: Mapping[str, Any]) -> ConsentNotice:
    """
    Find a notice.

    Raises:
        UnknownNotice: It isn't on record.
    """
    found = ConsentNotice.objects.filter(**named).first()
    if found is None:
        raise UnknownNotice(
            "No notice of this purpose, version and language is on record.",
            hint="Put its words on record first: POST consent-notices/.",
        )
    return found


def _check_purpose(purpose: str) -> None:
    """
    Make sure that a purpose exists; what was sent isn't repeated.

    Raises:
        UnknownNotice: No notice was ever about it.
    """
    if not ConsentNotice.objects.filter(purpose=purpose).exists():
        raise UnknownNotice(
            "No notice of this purpose is on record.", hint="GET consent-notices/ lists them."
        )


def _who(sent: Mapping[str, Any]) -> Someone:
    keys = subjects.resolve(sent["subject"])
    return subjects.living(keys)


def _act(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "method": ConsentMethod(sent["method"]),
        "channel": sent["channel"],
        "given_by": GivenBy(sent["given_by"]),
    }


def _newest(events: Sequence[ConsentEvent]) -> list[ConsentEvent]:
    newest: dict[str, ConsentEvent] = {}
    for event in events:
        known = newest.get(event.purpose)
        if known is None or known.number < event.number:
            newest[event.purpose] = event
    return [newest[purpose] for purpose in sorted(newest)]
