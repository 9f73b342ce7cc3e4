"""Retention over HTTP: what has a term, what has run out by it, what the last runs did. Nothing goes here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accord.api.described import extend_schema
from accord.api.moments import MomentField
from accord.api.views import Api
from accord.errors import UnknownTarget
from gdpr.datamap.lapses import by_words
from gdpr.datamap.map import load_data_map
from gdpr.models import RetentionRun
from gdpr.retention import due
from gdpr.states import LapseKind, RetentionState
from gdpr.stores.base import opened_stores

VIEW = "gdpr.view_retentionrun"
_COUNTED = 1_000
"""Rows of each term that are counted at most, as in the admin."""


class DueQuery(serializers.Serializer):
    """Which term."""

    entry = serializers.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$", required=False, help_text="Id of one entry of the data map."
    )


class DueAnswer(serializers.Serializer):
    """What is due of one entry."""

    entry = serializers.CharField()
    store = serializers.CharField()
    kind = serializers.ChoiceField(LapseKind.choices, help_text="Of whom.")
    rule = serializers.CharField(help_text="The term, in words.")
    due = serializers.IntegerField(help_text="Rows that have run out, and go.")
    held = serializers.IntegerField(help_text="Rows that have run out, and that a hold or restriction keeps.")
    more = serializers.BooleanField(help_text="Whether there are more than were counted.")
    trouble = serializers.CharField(
        allow_blank=True,
        help_text="Code of what kept the store from being asked; `untold`: rows don't say whose.",
    )


class RetentionAnswer(serializers.Serializer):
    """What is due now."""

    due = DueAnswer(many=True)
    by_words = serializers.ListField(
        child=serializers.CharField(), help_text="Entries that are kept by words, which end nothing."
    )


class RetentionRunAnswer(serializers.Serializer):
    """What became of one term in one run."""

    reference = serializers.CharField()
    run = serializers.CharField()
    entry = serializers.CharField()
    store = serializers.CharField()
    kind = serializers.ChoiceField(LapseKind.choices)
    state = serializers.ChoiceField(RetentionState.choices)
    changed = serializers.IntegerField(help_text="Rows that are gone or changed.")
    held = serializers.IntegerField()
    trouble = serializers.CharField(allow_blank=True)
    started_at = MomentField()
    finished_at = MomentField(allow_null=True)


@extend_schema(tags=["retention"])
class RetentionView(Api, APIView):
    """What has run out."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": VIEW}

    @extend_schema(parameters=[DueQuery], responses={200: RetentionAnswer}, operation_id="retention")
    def get(self, request: Request) -> Response:
        """
        Count what is due by each term; 1,000 rows of each at most.

        A store that is away is said to be under `trouble`; the others are counted all the same.
        """
        entry = _known(self.asked(DueQuery).get("entry", ""))
        with opened_stores() as stores:
            found = list(due.look(stores, entry=entry, most=_COUNTED))
        words = [] if entry else [one.id for one in by_words(load_data_map())]
        return Response(RetentionAnswer({"due": found, "by_words": words}).data)


@extend_schema(tags=["retention"])
class RetentionRunViewSet(Api, GenericViewSet):
    """What runs of retention did."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"list": VIEW}
    queryset = RetentionRun.objects.none()
    serializer_class = RetentionRunAnswer

    @extend_schema(responses=RetentionRunAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show what became of each term, the newest run first."""
        page: Any = self.paginate_queryset(RetentionRun.objects.all())
        return self.get_paginated_response(RetentionRunAnswer(page, many=True).data)


def _known(entry: str) -> str:
    """
    Make sure that there is an entry; what was sent isn't repeated.

    Raises:
        UnknownTarget: The data map has no such entry.
    """
    if entry and entry not in load_data_map().by_id:
        raise UnknownTarget("The data map has no such entry.", hint="GET retention/ names those with a term.")
    return entry
