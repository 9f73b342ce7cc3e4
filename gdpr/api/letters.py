"""Letters over HTTP: written, answered, and sent where an address is named. Neither is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accord import conf
from accord.api.bodies import Sent, Word
from gdpr import letters
from gdpr.letters import LetterKind

_LANGUAGES = conf.languages()
_ABOUT_REQUESTS = [(kind.value, kind.label) for kind in LetterKind if kind is not LetterKind.LIFTING]


class LiftingBody(Sent):
    """In which language, and where it goes."""

    language = Word(_LANGUAGES, default=_LANGUAGES[0], help_text="Of the person.")
    to = serializers.EmailField(
        max_length=320, default="", allow_blank=True, help_text="Sends it, too. Used once and not kept."
    )


class LetterBody(LiftingBody):
    """Which letter."""

    kind = Word(_ABOUT_REQUESTS, help_text="It has to be true: extended, refused or completed.")


class LetterAnswer(serializers.Serializer):
    """A letter; it names nobody."""

    reference = serializers.CharField(help_text="Of the request or restriction.")
    kind = serializers.ChoiceField(LetterKind.choices)
    language = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    sent = serializers.BooleanField()


def write(request: Request, reference: str, sent: Mapping[str, Any]) -> Response:
    """Write the letter that a body asks for, and send it if it names an address."""
    kind = LetterKind(sent.get("kind", LetterKind.LIFTING))
    letter = letters.write(reference, kind, language=sent["language"], by=request.user)
    if sent["to"]:
        letters.send(letter, sent["to"], by=request.user)
    shown = {
        "reference": letter.reference,
        "kind": letter.kind,
        "language": sent["language"],
        "subject": letter.subject,
        "text": letter.text,
        "sent": bool(sent["to"]),
    }
    return Response(LetterAnswer(shown).data, 201)
