"""Restrictions of processing over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord.api.bodies import Sent, Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered
from accord.api.views import Api
from gdpr import letters
from gdpr.api import letters as writing
from gdpr.api import subjects
from gdpr.erasure import actors, restrictions
from gdpr.models import Restriction
from gdpr.states import RestrictionReason

VIEW = ("gdpr.view_restriction", actors.LIFT)
REFERENCE = "[0-9a-f]{4,32}"


class RestrictBody(Sent):
    """Whose data are kept and not used, and why."""

    subject = subjects.SubjectBody()
    reason = Word(RestrictionReason.choices)


class LiftBody(Sent):
    """On which day the person was told that it will be lifted (Art. 18(3))."""

    told_on = serializers.DateField()


class RestrictionQuery(serializers.Serializer):
    """Which restrictions."""

    active = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only those that count, or only the others."
    )


class RestrictionAnswer(serializers.Serializer):
    """A restriction of processing."""

    reference = serializers.CharField()
    active = serializers.SerializerMethodField()
    person = serializers.SerializerMethodField(help_text="Masked.")
    reason = serializers.ChoiceField(RestrictionReason.choices)
    restricted_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    restricted_at = MomentField()
    told_at = MomentField(allow_null=True)
    lifted_by = serializers.SerializerMethodField()
    lifted_at = MomentField(allow_null=True)

    def get_active(self, one: Restriction) -> bool:
        return one.lifted_at is None

    def get_person(self, one: Restriction) -> str:
        return subjects.masked(one.subject_kind, one.subject_tag)

    def get_restricted_by(self, one: Restriction) -> str | None:
        return self.context["people"].get(str(one.restricted_by_id))

    def get_lifted_by(self, one: Restriction) -> str | None:
        return self.context["people"].get(str(one.lifted_by_id))


_answer = partial(answered, RestrictionAnswer, ("restricted_by_id", "lifted_by_id"))


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the restriction; its beginning is enough while it is unique."
)


@extend_schema(tags=["restrictions"])
class RestrictionViewSet(Api, GenericViewSet):
    """People whose data are kept and not used (Art. 18)."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {
        "list": VIEW,
        "retrieve": VIEW,
        "create": actors.RESTRICT,
        "lift": actors.LIFT,
        "letter": letters.ABOUT_RESTRICTIONS,
    }
    decides: ClassVar[frozenset[str]] = frozenset({"create", "lift"})
    proves: ClassVar[frozenset[str]] = decides
    queryset = Restriction.objects.none()
    serializer_class = RestrictionAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[RestrictionQuery], responses=RestrictionAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show restrictions, the newest first."""
        active = self.asked(RestrictionQuery)["active"]
        found = Restriction.objects.all()
        if active is not None:
            found = found.filter(lifted_at__isnull=active)
        return self.get_paginated_response(_answer(self.paginate_queryset(found), many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show a restriction."""
        return Response(_answer(restrictions.find(reference)))

    @extend_schema(request=RestrictBody, responses={201: RestrictionAnswer})
    def create(self, request: Request) -> Response:
        """
        Put on record that a person's data are kept and not used.

        An erasure that the person didn't demand afterwards waits. The same again is the same restriction.
        """
        sent = self.sent(RestrictBody)
        keys = subjects.resolve(sent["subject"])
        made = restrictions.restrict(keys, RestrictionReason(sent["reason"]), by=request.user)
        return Response(_answer(made), 201)

    @extend_schema(parameters=[_BY_REFERENCE], request=LiftBody)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, reference: str) -> Response:
        """Let the data be used again, once the person was told."""
        found = restrictions.find(reference)
        told_at = restrictions.told_on(self.sent(LiftBody)["told_on"], found)
        return Response(_answer(restrictions.lift(found, told_at=told_at, by=request.user)))

    @extend_schema(
        parameters=[_BY_REFERENCE], request=writing.LiftingBody, responses={201: writing.LetterAnswer}
    )
    @action(detail=True, methods=["post"])
    def letter(self, request: Request, reference: str) -> Response:
        """Write to the person that the restriction will be lifted, and send it if that is asked."""
        return writing.write(request, reference, self.sent(writing.LiftingBody))
