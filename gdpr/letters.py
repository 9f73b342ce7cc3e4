"""
Letters to the person: that the answer takes longer, is no, or is done; that a restriction will be lifted.

A letter is written from a Django template in the person's language, which a project may override. Neither its
text nor an address is kept: the trail has that one was made, and that one was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy, override

from accord import clock, conf
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.wording import say
from gdpr.erasure import actors, receipts, restrictions, state_changes, transitions
from gdpr.errors import IllegalTransition, RequestError
from gdpr.models import ErasureRequest, Restriction
from gdpr.states import RequestState

ABOUT_REQUESTS = (actors.FILE, actors.APPROVE)
"""Of which one is enough to write about an erasure request."""
ABOUT_RESTRICTIONS = (actors.LIFT,)
"""Of which one is enough to write about a restriction."""


class LetterKind(models.TextChoices):
    """What a person has to be told, and by which article."""

    EXTENSION = "extension", gettext_lazy("More time is needed to answer you")
    """Art. 12(3): within a month of receipt, with the reason."""
    REFUSAL = "refusal", gettext_lazy("Why your request is refused")
    """Art. 12(4): with where to complain."""
    COMPLETION = "completion", gettext_lazy("Your personal data are erased")
    """Art. 12(3): what was done, what is kept, and until when backups hold it."""
    LIFTING = "lifting", gettext_lazy("The restriction of the processing of your data ends")
    """Art. 18(3): before a restriction is lifted."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """
    A letter to a person; it names nobody.

    Attributes:
        subject: What a mail is headed by.
        text: What it says.
        reference: Of the request or restriction.
        kind: Which letter.
    """

    subject: str
    text: str
    reference: str
    kind: LetterKind


def write(reference: str, kind: LetterKind, *, language: str, by: Account) -> Letter:
    """
    Write a letter, and record that it was.

    Args:
        reference: Of the request, or of the restriction, or the beginning of it.
        kind: Which letter.
        language: In which language, such as `fr`.
        by: Who has it written.

    Raises:
        UnknownRequest: There is no such request or restriction.
        NotAllowed: The account may neither file nor decide.
        IllegalTransition: There is nothing of this kind to tell.
    """
    with override(language):
        if kind is LetterKind.LIFTING:
            restriction = restrictions.find(reference)
            actors.require(by, *ABOUT_RESTRICTIONS, kind=ObjectKind.SUBJECT.value)
            whole, told = restriction.reference, _lifting(restriction)
        else:
            request = state_changes.find(reference)
            actors.require(by, *ABOUT_REQUESTS, about=request)
            whole, told = request.reference, _TOLD[kind](request)
        text = render_to_string(f"gdpr/letters/{kind.value}.txt", {**_always(whole), **told})
        subject = str(kind.label)
    letter = Letter(subject=subject, text=text.strip() + "\n", reference=whole, kind=kind)
    _record(letter, EventKind.LETTER_MADE, by)
    return letter


def possible(about: ErasureRequest | Restriction) -> Sequence[LetterKind]:
    """Return the letters that tell what is true of a request or a restriction as it stands."""
    if isinstance(about, Restriction):
        return [] if about.lifted_at is not None else [LetterKind.LIFTING]
    return [kind for kind, told in _TOLD.items() if _is_true(told, about)]


def _is_true(told: Callable[[ErasureRequest], Mapping[str, Any]], request: ErasureRequest) -> bool:
    try:
        told(request)
    except IllegalTransition:
        return False
    return True


def send(letter: Letter, address: str, *, by: Account) -> None:
    """
    Send a letter by mail. The address is used and not kept.

    Raises:
        RequestError: The mail wasn't taken.
    """
    message = EmailMessage(subject=letter.subject, body=letter.text, to=[address])
    try:
        message.send()
    except (SMTPException, OSError) as exc:
        raise RequestError(
            say("The letter about {reference} was not taken by the mail server.", reference=letter.reference),
            hint="See EMAIL_HOST and its siblings in the settings of Django, and send it again.",
        ) from exc
    _record(letter, EventKind.LETTER_SENT, by)


def _record(letter: Letter, event: EventKind, by: Account) -> None:
    is_request = letter.kind is not LetterKind.LIFTING
    with transaction.atomic(using=state_changes.alias()):
        trail.record(
            event,
            actor=actor(by),
            object_kind=ObjectKind.ERASURE_REQUEST if is_request else ObjectKind.SUBJECT,
            object_ref=letter.reference,
            request_ref=letter.reference if is_request else "",
            using=state_changes.alias(),
        )


# --- what a letter says ---------------------------------------------------------------------------


def _always(reference: str) -> Mapping[str, Any]:
    return {"project": conf.load().project, "reference": reference[:8], "today": _day(clock.now())}


def _extension(request: ErasureRequest) -> Mapping[str, Any]:
    if request.extended_at is None:
        raise _nothing(request.reference)
    reason = request.get_extension_reason_display()
    return {"received": _day(request.received_at), "due": _day(request.due_at), "reason": reason}


def _refusal(request: ErasureRequest) -> Mapping[str, Any]:
    if request.state != RequestState.REJECTED:
        raise _nothing(request.reference)
    ground = f"{request.get_rejection_ground_display()} (Art. {request.rejection_ground})"
    return {"received": _day(request.received_at), "ground": ground}


def _completion(request: ErasureRequest) -> Mapping[str, Any]:
    if request.state not in transitions.COMPLETE or request.completed_at is None:
        raise _nothing(request.reference)
    receipt = receipts.latest(request)
    if receipt is None:
        raise _nothing(request.reference)
    document = receipt.document
    kept = {(line["basis"], line["article"], str(line["until"])): line for line in document["kept"]}
    return {
        "received": _day(request.received_at),
        "completed": _day(request.completed_at),
        "kept": list(kept.values()),
        "backups_until": document.get("backups_until"),
        "recipients": [line["recipient"] for line in document.get("recipients", [])],
    }


def _lifting(restriction: Restriction) -> Mapping[str, Any]:
    if restriction.lifted_at is not None:
        raise _nothing(restriction.reference)
    return {"restricted": _day(restriction.restricted_at), "reason": restriction.get_reason_display()}


_TOLD = {
    LetterKind.EXTENSION: _extension,
    LetterKind.REFUSAL: _refusal,
    LetterKind.COMPLETION: _completion,
}


def _nothing(reference: str) -> IllegalTransition:
    return IllegalTransition(
        say("There is nothing of this kind to tell about {reference}.", reference=reference),
        hint="A letter tells what has happened: extend, reject or complete the request first.",
    )


def _day(moment: datetime) -> str:
    """Write a day by the project's clock, in the language that is active."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
