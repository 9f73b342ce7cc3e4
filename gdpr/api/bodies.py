"""What is sent about erasure requests."""

from __future__ import annotations

from rest_framework import serializers

from accord.api.bodies import Sent, Text, Word
from gdpr.api import subjects
from gdpr.states import ExtensionReason, Ground, IdentityMethod, RejectionGround


class FileBody(Sent):
    """A demand for erasure."""

    subject = subjects.SubjectBody()
    ground = Word(Ground.choices, default=Ground.NO_LONGER_NECESSARY.value)
    identity = Word(
        IdentityMethod.choices, required=False, help_text="How it was made sure who asks, if it was already."
    )
    received_on = serializers.DateField(
        required=False, help_text="The day on which it came in, if before today: the month counts from there."
    )


class IdentityBody(Sent):
    """How it was made sure who asks. The proof itself is never kept."""

    method = Word(IdentityMethod.choices)


class ApproveBody(Sent):
    """A yes to the plan that was seen, and to no other."""

    digest = serializers.RegexField(r"^[0-9a-f]{64}$", error_messages={"invalid": "64 hexadecimal digits."})
    reason = Text(max_length=2000, help_text="Kept encrypted.")


class RevokeBody(Sent):
    """Why a yes is taken back."""

    reason = Text(max_length=2000, help_text="Kept encrypted.")


class RejectBody(Sent):
    """A no, on a legal ground."""

    ground = Word(RejectionGround.choices)
    reason = Text(max_length=2000, help_text="Kept encrypted.")


class ExtendBody(Sent):
    """Why two more months are needed."""

    reason = Word(ExtensionReason.choices)


class ConfirmBody(Sent):
    """An entry whose instructions were followed."""

    entry = Text(max_length=200)


class WhoseBody(Sent):
    """Whose the rows of an entry are that came after the erasure."""

    entry = Text(max_length=200)
    same_person = serializers.BooleanField(
        help_text="True erases them; false leaves them alone, as somebody else's."
    )


class WhoseRequestsBody(Sent):
    """Whose requests."""

    subject = subjects.SubjectBody()
