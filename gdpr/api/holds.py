"""Legal holds over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord import clock
from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered, by_reference
from accord.api.views import Api
from accord.errors import UnknownTarget
from gdpr.api import subjects
from gdpr.datamap.map import load_data_map
from gdpr.erasure import actors, encryption, holds
from gdpr.models import LegalHold
from gdpr.states import HoldReason

VIEW = ("gdpr.view_legalhold", actors.RELEASE_HOLD)
REFERENCE = "[0-9a-f]{32}"


class HoldBody(Sent):
    """Whose data must stay, and why."""

    subject = subjects.SubjectBody()
    reason = Word(HoldReason.choices)
    entry = Text(
        max_length=200, default="", allow_blank=True, help_text="Entry of the data map; else everything."
    )
    review_at = MomentField(default=None, allow_null=True, help_text="In 90 days unless given.")

    def validate_review_at(self, value: Any) -> Any:
        """Refuse a review that is over before it begins."""
        if value is not None and clock.aware(value) <= clock.now():
            raise serializers.ValidationError("This has to lie ahead.")
        return value


class HoldQuery(serializers.Serializer):
    """Which holds."""

    active = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that count, or only the others."
    )


class HoldAnswer(serializers.Serializer):
    """A legal hold."""

    reference = serializers.CharField()
    active = serializers.SerializerMethodField()
    person = serializers.SerializerMethodField(help_text="Masked.")
    entry = serializers.CharField(allow_blank=True, help_text="Empty: everything.")
    reason = serializers.ChoiceField(HoldReason.choices)
    placed_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    placed_at = MomentField()
    review_at = MomentField()
    released_by = serializers.SerializerMethodField()
    released_at = MomentField(allow_null=True)

    def get_active(self, hold: LegalHold) -> bool:
        return hold.released_at is None

    def get_person(self, hold: LegalHold) -> str:
        return subjects.masked(hold.subject_kind, hold.subject_tag)

    def get_placed_by(self, hold: LegalHold) -> str | None:
        return self.context["people"].get(str(hold.placed_by_id))

    def get_released_by(self, hold: LegalHold) -> str | None:
        return self.context["people"].get(str(hold.released_by_id))


_answer = partial(answered, HoldAnswer, ("placed_by_id", "released_by_id"))


_BY_REFERENCE = in_path("reference", REFERENCE)


@extend_schema(tags=["legal holds"])
class LegalHoldViewSet(Api, GenericViewSet):
    """Reasons to keep data for the time being."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": VIEW,
        "retrieve": VIEW,
        "create": actors.PLACE_HOLD,
        "release": actors.RELEASE_HOLD,
    }
    decides: ClassVar[frozenset[str]] = frozenset({"create", "release"})
    queryset = LegalHold.objects.none()
    serializer_class = HoldAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[HoldQuery], responses=HoldAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show holds, the next review first."""
        active = self.asked(HoldQuery)["active"]
        found = LegalHold.objects.all()
        if active is not None:
            found = found.filter(released_at__isnull=active)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(_answer(page, many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a hold."""
        return Response(_answer(by_reference(LegalHold, reference)))

    @extend_schema(request=HoldBody, responses={201: HoldAnswer})
    def create(self, request: Request) -> Response:
        """Keep a person's data for the time being. An open request about them stops."""
        sent = self.sent(HoldBody)
        keys = subjects.resolve(sent["subject"])
        _check_entry(sent["entry"], keys.kind)
        placed = holds.place_hold(
            keys.kind,
            encryption.tag_of(keys),
            HoldReason(sent["reason"]),
            by=request.user,
            entry=sent["entry"],
            review_at=sent["review_at"],
        )
        return Response(_answer(placed), 201)

    @extend_schema(parameters=[_BY_REFERENCE], request=None)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, reference: str) -> Response:
        """End a hold that another person placed."""
        return Response(_answer(holds.release_hold(by_reference(LegalHold, reference), by=request.user)))


def _check_entry(entry: str, kind: str) -> None:
    """
    Make sure that a hold holds something.

    Raises:
        UnknownTarget: The data map has no such entry; what was sent isn't repeated.
    """
    if entry and entry not in load_data_map().of(kind).by_id:
        raise UnknownTarget(
            "The data map has no such entry.", hint="A request's plan names them; so does gdpr_datamap show."
        )
