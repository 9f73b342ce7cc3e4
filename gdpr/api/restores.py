"""Restores over HTTP: what a restore of a store undid, and having it erased again. Workers carry that out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accord.api.bodies import Sent
from accord.api.described import extend_schema
from accord.api.moments import MomentField
from accord.api.views import Api
from gdpr import replaying, restore_state
from gdpr.erasure import actors
from gdpr.register import restored

VIEW = ("gdpr.view_registermark", actors.EXECUTE)


class TroubleAnswer(serializers.Serializer):
    """Why something can't be asked."""

    code = serializers.CharField()
    detail = serializers.CharField(source="message")
    next = serializers.CharField(source="hint", allow_blank=True)


class RegisterAnswer(serializers.Serializer):
    """The register of erasures."""

    where = serializers.CharField()
    last = serializers.IntegerField(help_text="Number of its last entry; 0 for none.")
    at = MomentField(allow_null=True)
    done = serializers.IntegerField(allow_null=True, help_text="Erasures that it says are complete.")
    kept = serializers.IntegerField(help_text="Entries that still lead to a person.")
    trouble = TroubleAnswer(source="error", allow_null=True, help_text="Nothing is erased then.")


class StoreAnswer(serializers.Serializer):
    """What a store knows of the register."""

    store = serializers.CharField(source="alias")
    knows = serializers.IntegerField(allow_null=True, help_text="The last entry that it knows.")
    told = serializers.IntegerField(help_text="What the database was told that it knows.")
    state = serializers.ChoiceField(restore_state.STATES)
    trouble = TroubleAnswer(source="error", allow_null=True)


class ErasureAnswer(serializers.Serializer):
    """An erasure that a restore undid."""

    reference = serializers.CharField()
    waits = serializers.CharField(allow_blank=True, help_text="Code of why; empty: nobody is needed.")

    def to_representation(self, instance: tuple[str, str]) -> Any:
        """Name a row's two parts."""
        return dict(zip(("reference", "waits"), instance, strict=True))


class BroughtAnswer(serializers.Serializer):
    """Whom the restore of a store brought back."""

    store = serializers.CharField(source="found.store")
    since = serializers.IntegerField(source="found.since", help_text="The last entry that it still knew of.")
    people = serializers.IntegerField(source="found.total")
    asked = serializers.IntegerField(help_text="How many wait for an answer about who has the key.")
    erasures = ErasureAnswer(source="rows", many=True)
    more = serializers.IntegerField(help_text="How many aren't listed.")


class RestoresAnswer(serializers.Serializer):
    """How restores stand."""

    register = RegisterAnswer()
    stores = StoreAnswer(many=True)
    brought_back = BroughtAnswer(source="brought", many=True, help_text="Unknown while a store is away.")
    away = serializers.BooleanField(help_text="Whether a store can't be asked.")
    waits_to_begin = serializers.BooleanField()
    begun = serializers.BooleanField()


class WhoseKeyBody(Sent):
    """Who has the key of an erased person now."""

    reference = serializers.RegexField(
        r"^[0-9a-f]{32}$", help_text="Of the erasure.", error_messages={"invalid": "32 hexadecimal digits."}
    )
    same_person = serializers.BooleanField(help_text="True erases them again; false leaves them alone.")


@extend_schema(tags=["restores"])
class RestoresView(Api, APIView):
    """What restores undid."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"get": VIEW}

    @extend_schema(responses={200: RestoresAnswer}, operation_id="restores")
    def get(self, request: Request) -> Response:
        """Show the register, what each store knows of it, and whom a restore brought back."""
        return Response(_now())


@extend_schema(tags=["restores"])
class BeginReplayView(Api, APIView):
    """The beginning of a replay."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"post": actors.EXECUTE}
    proves: ClassVar[frozenset[str]] = frozenset({"post"})

    @extend_schema(request=None, responses={202: RestoresAnswer}, operation_id="restores_begin")
    def post(self, request: Request) -> Response:
        """Begin the replay of what was restored. Accepted: the next `gdpr_process` erases again."""
        replaying.begin(by=request.user)
        return Response(_now(), 202)


@extend_schema(tags=["restores"])
class WhoseKeyView(Api, APIView):
    """The answer to who has a key."""

    needs: ClassVar[Mapping[str, str | tuple[str, ...]]] = {"post": actors.EXECUTE}
    decides: ClassVar[frozenset[str]] = frozenset({"post"})
    proves: ClassVar[frozenset[str]] = decides

    @extend_schema(request=WhoseKeyBody, responses={202: RestoresAnswer}, operation_id="restores_answer")
    def post(self, request: Request) -> Response:
        """Say whose the row with the key of an erased person is. A replay that began goes on."""
        sent = self.sent(WhoseKeyBody)
        word = restored.SAME if sent["same_person"] else restored.ANOTHER
        replaying.answer(sent["reference"], word, by=request.user)
        return Response(_now(), 202)


def _now() -> Any:
    return RestoresAnswer(restore_state.look()).data
