"""Runs that went ahead without approval, and their review by another person, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord import conf
from accord.api.bodies import Sent, Text
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.views import Api
from migrator.cli.render_approvals import break_document
from migrator.governance import people
from migrator.governance.break_glass import Breaks
from migrator.models import BreakGlass, RunKind

VIEW = ("migrator.view_breakglass", people.APPROVE)
"""Whoever may review may look, as in the admin."""
REFERENCE = "[0-9a-f]{4,32}"


class BreakQuery(serializers.Serializer):
    """Which runs."""

    open = serializers.BooleanField(
        required=False, default=False, help_text="Only those that wait for their review."
    )


class ReviewBody(Sent):
    """What was found when somebody looked at what ran."""

    reason = Text(max_length=2000, help_text="Kept with the review. Name no private person.")


class BreakAnswer(serializers.Serializer):
    """A run without approval (`accord.break/1`)."""

    schema = serializers.CharField()
    reference = serializers.CharField()
    environment = serializers.CharField()
    kind = serializers.ChoiceField(RunKind.choices)
    direction = serializers.CharField()
    digest = serializers.CharField()
    steps = serializers.ListField(child=serializers.CharField())
    run = serializers.CharField()
    reason = serializers.CharField()
    by = serializers.CharField(help_text="Reference of the audit trail.")
    at = MomentField()
    reviewed_by = serializers.CharField(allow_null=True)
    reviewed_at = MomentField(allow_null=True)
    review = serializers.CharField(allow_blank=True)

    def to_representation(self, instance: BreakGlass) -> Any:
        """Describe a run as the command does."""
        return break_document(instance)


_BY_REFERENCE = in_path(
    "reference", REFERENCE, "Reference of the run; its beginning is enough while it is unique."
)


@extend_schema(tags=["migrations"])
class BreakViewSet(Api, GenericViewSet):
    """What ran without approval in this environment."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"list": VIEW, "review": people.APPROVE}
    decides: ClassVar[frozenset[str]] = frozenset({"review"})
    queryset = BreakGlass.objects.none()
    serializer_class = BreakAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(parameters=[BreakQuery], responses=BreakAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show runs that went ahead without approval, newest first."""
        breaks = Breaks(conf.load())
        page: Any = self.paginate_queryset(breaks.open() if self.asked(BreakQuery)["open"] else breaks.all())
        return self.get_paginated_response(BreakAnswer(page, many=True).data)

    @extend_schema(parameters=[_BY_REFERENCE], request=ReviewBody)
    @action(detail=True, methods=["post"])
    def review(self, request: Request, reference: str) -> Response:
        """Note, as another person, what you found. Nothing else runs in this environment before."""
        reason = self.sent(ReviewBody)["reason"]
        return Response(BreakAnswer(Breaks(conf.load()).review(reference, request.user, reason)).data)
