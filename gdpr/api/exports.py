"""Exports over HTTP: made for their reader, encrypted before they are written, downloaded a few times."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accord.api.bodies import Sent, Text, Word
from accord.api.described import extend_schema, in_path
from accord.api.moments import MomentField
from accord.api.rows import answered, by_reference
from accord.api.views import Api
from gdpr import kept_exports
from gdpr.api import subjects
from gdpr.envelopes.age import Envelope
from gdpr.erasure import actors
from gdpr.export import ExportFormat
from gdpr.models import KeptExport

REFERENCE = "[0-9a-f]{32}"
_FORMS = [form.value for form in ExportFormat]


class ExportBody(Sent):
    """Whose data, how they are written, and who can open the file: a public key or a password."""

    subject = subjects.SubjectBody()
    form = Word(_FORMS)
    portable = serializers.BooleanField(
        default=False, help_text="Only what the person may take along (Art. 20)."
    )
    recipient = Text(max_length=200, default="", allow_blank=True, help_text="A public key of age: age1…")
    password = Text(
        max_length=300,
        default="",
        allow_blank=True,
        trim_whitespace=False,
        style={"input_type": "password"},
        help_text="In the place of a key; tell it to the reader by another way. Not kept.",
    )


class ExportAnswer(serializers.Serializer):
    """An export. What is in the file is nowhere else."""

    reference = serializers.CharField()
    person = serializers.SerializerMethodField(help_text="Masked.")
    form = serializers.ChoiceField(_FORMS)
    portable = serializers.BooleanField()
    made_by = serializers.SerializerMethodField(help_text="Reference of the audit trail.")
    made_at = MomentField()
    expires_at = MomentField()
    downloads = serializers.IntegerField()
    over = serializers.SerializerMethodField(help_text="Whether it can't be downloaded any more.")
    deleted_at = MomentField(allow_null=True)

    def get_person(self, one: KeptExport) -> str:
        return subjects.masked(one.subject_kind, one.subject_tag)

    def get_made_by(self, one: KeptExport) -> str | None:
        return self.context["people"].get(str(one.made_by_id))

    def get_over(self, one: KeptExport) -> bool:
        return kept_exports.is_over(one)


_answer = partial(answered, ExportAnswer, ("made_by_id",))


class Sealed(BaseRenderer):
    """Lets a client ask for the file as what it is."""

    media_type = "application/octet-stream"
    format = "age"
    charset = None
    render_style = "binary"


_BY_REFERENCE = in_path("reference", REFERENCE)


@extend_schema(tags=["exports"])
class ExportViewSet(Api, GenericViewSet):
    """Files with everything that is kept of a person (Art. 15), encrypted for their reader."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = dict.fromkeys(
        ("list", "retrieve", "create", "download", "destroy"), actors.EXPORT
    )
    proves: ClassVar[frozenset[str]] = frozenset({"create"})
    queryset = KeptExport.objects.none()
    serializer_class = ExportAnswer
    lookup_field = "reference"
    lookup_value_regex = REFERENCE

    @extend_schema(responses=ExportAnswer(many=True))
    def list(self, request: Request) -> Response:
        """Show exports, the newest first."""
        page = self.paginate_queryset(KeptExport.objects.all())
        return self.get_paginated_response(_answer(page, many=True))

    @extend_schema(parameters=[_BY_REFERENCE])
    def retrieve(self, request: Request, reference: str) -> Response:
        """Show an export."""
        return Response(_answer(by_reference(KeptExport, reference)))

    @extend_schema(request=ExportBody, responses={201: ExportAnswer})
    def create(self, request: Request) -> Response:
        """
        Read every store, and keep what is there of a person for some days, encrypted.

        A store that can't be reached is an error: an export with holes is none.
        """
        sent = self.sent(ExportBody)
        keys = subjects.resolve(sent["subject"])
        envelope = Envelope(recipients=tuple(filter(None, [sent["recipient"]])), password=sent["password"])
        form = ExportFormat(sent["form"])
        made = kept_exports.make(keys, envelope, form, by=request.user, portable=sent["portable"])
        return Response(_answer(made), 201)

    @extend_schema(
        parameters=[_BY_REFERENCE],
        request=None,
        responses={(200, Sealed.media_type): OpenApiTypes.BINARY},
    )
    @action(detail=True, methods=["post"], renderer_classes=[Sealed, JSONRenderer])
    def download(self, request: Request, reference: str) -> HttpResponse:
        """Hand the encrypted file over. Each download counts, and stands in the audit trail."""
        found = by_reference(KeptExport, reference)
        content = kept_exports.download(found, by=request.user)
        answer = HttpResponse(content, content_type=Sealed.media_type)
        answer["Content-Disposition"] = f'attachment; filename="{kept_exports.path_of(found).name}"'
        return answer

    @extend_schema(parameters=[_BY_REFERENCE], responses={204: None})
    def destroy(self, request: Request, reference: str) -> Response:
        """Delete the file before its time. That there was one stays on record."""
        kept_exports.delete(by_reference(KeptExport, reference), by=request.user)
        return Response(status=204)
