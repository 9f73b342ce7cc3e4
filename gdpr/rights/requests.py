"""Requests for correction and objections: on record, taken up, answered, refused, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.fernet import InvalidToken
from django.db import transaction

from accord import clock, conf
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, EventOutcome, ObjectKind
from accord.denied import Denial
from accord.wording import say
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, deadlines, encryption, outbox, own_accounts, request_keys
from gdpr.errors import IllegalTransition, KeysDestroyed, KeysLost, OwnRequest, UnknownRequest
from gdpr.models import RightsRequest
from gdpr.states import Channel, NoticeKind, RightKind, RightRefusal, RightState

FILE = "gdpr.add_rightsrequest"
ANSWER = "gdpr.change_rightsrequest"
OPEN = frozenset({RightState.RECEIVED, RightState.IN_WORK})
_SHORTEST = 4
_EVENTS: Mapping[RightState, EventKind] = {
    RightState.IN_WORK: EventKind.RIGHT_TAKEN,
    RightState.ANSWERED: EventKind.RIGHT_ANSWERED,
    RightState.REFUSED: EventKind.RIGHT_REFUSED,
    RightState.WITHDRAWN: EventKind.RIGHT_WITHDRAWN,
}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """
    Who asks, and for what.

    Attributes:
        keys: The person's.
        words: What they ask for.
    """

    keys: SubjectKeys = field(repr=False)
    words: str = field(repr=False)


def file(
    keys: SubjectKeys,
    kind: RightKind,
    *,
    words: str,
    by: Account,
    channel: Channel,
    received_at: datetime | None = None,
) -> RightsRequest:
    """
    Put a request on record. The clock of Art. 12(3) starts.

    Args:
        keys: Whom it is about.
        kind: Which right.
        words: What the person asks for; kept sealed until it is answered.
        by: Who files it: the person themselves where they are signed in, or staff.
        channel: How it came in.
        received_at: When it came in, if that was before now.

    Raises:
        NotAllowed: The account may not file requests for others.
        UsageError: It would have come in later than now.
    """
    if not own_accounts.is_theirs(by, keys):
        actors.require(by, FILE, kind=ObjectKind.RIGHTS_REQUEST.value)
    now = clock.now()
    received = clock.aware(received_at) if received_at else now
    deadlines.refuse_future(received, now)
    key = request_keys.new_key()
    request = RightsRequest(
        kind=kind,
        subject_kind=keys.kind,
        subject_tag=encryption.tag_of(keys),
        sealed_keys=request_keys.seal(json.dumps({"keys": keys.to_json(), "words": words}), key),
        channel=channel,
        filed_by_id=by.pk,
        received_at=received,
        due_at=deadlines.due(received),
    )
    with transaction.atomic(using=_alias()):
        request.save(using=_alias(), force_insert=True)
        request_keys.keep({request.reference: key})
        _record(EventKind.RIGHT_RECEIVED, request, by)
    return request


def asked(request: RightsRequest) -> Asked:
    """
    Open who asks, and for what.

    Raises:
        KeysDestroyed: It is answered, and what was sealed is gone.
        KeysLost: The request's own key is gone.
    """
    if request.sealed_keys is None:
        raise KeysDestroyed(
            "Who asked, and for what, was destroyed when the request was closed.",
            hint="The note says what was done.",
        )
    try:
        key = request_keys.ring([request.reference]).key(request.reference)
        said = json.loads(request_keys.unseal(bytes(request.sealed_keys), key))
    except (KeysLost, InvalidToken) as exc:
        raise KeysLost(
            say("The key of request {reference} is lost.", reference=request.reference),
            hint="Ask the person again, refuse this request, and file what they say anew.",
        ) from exc
    return Asked(keys=SubjectKeys.from_json(said["keys"]), words=said["words"])


def note_of(request: RightsRequest) -> str:
    """
    Open what was noted when it was answered or refused; empty where nothing was.

    Raises:
        KeysDestroyed: The secret that it was sealed with is gone.
    """
    return encryption.unseal(request.sealed_note) if request.sealed_note is not None else ""


def take(request: RightsRequest, *, by: Account) -> RightsRequest:
    """
    Take a request up, so that others see who works on it.

    Raises:
        NotAllowed, OwnRequest: The account may not, or it is their own.
        IllegalTransition: It is over.
    """
    with _held(request, by, RightState.IN_WORK) as held:
        held.taken_by_id = by.pk
    return held


def answer(request: RightsRequest, note: str, *, by: Account) -> RightsRequest:
    """
    Note that the project did what was asked for, and told the person.

    Recipients that got data of the person are told of a correction (Art. 19).

    Args:
        request: Which.
        note: What was done; kept sealed.
        by: Who answers for it.

    Raises:
        NotAllowed, OwnRequest: The account may not, or it is their own.
        IllegalTransition: It is over.
        KeysLost: Nobody knows any more whose data recipients would have to correct.
    """
    with _held(request, by, RightState.ANSWERED) as held:
        if held.kind == RightKind.CORRECTION:
            outbox.announce(held.reference, asked(held).keys, NoticeKind.RECTIFICATION)
        _close(held, by, note)
    return held


def refuse(request: RightsRequest, ground: RightRefusal, note: str, *, by: Account) -> RightsRequest:
    """
    Refuse a request on a ground; the person is told it, and where to complain (Art. 12(4)).

    Args:
        request: Which.
        ground: The legal ground.
        note: In words; kept sealed.
        by: Who answers for it.

    Raises:
        NotAllowed, OwnRequest: The account may not, or it is their own.
        IllegalTransition: It is over.
    """
    with _held(request, by, RightState.REFUSED) as held:
        _close(held, by, note)
        held.refusal_ground = ground
    return held


def withdraw(request: RightsRequest, *, by: Account) -> RightsRequest:
    """
    Take a request back, because the person says so.

    Raises:
        NotAllowed: The account may not file requests, and isn't the person's.
        IllegalTransition: It is over.
    """
    with _held(request, by, RightState.WITHDRAWN) as held:
        _close(held, by, "")
    return held


def find(reference: str) -> RightsRequest:
    """
    Find a request by its reference, or by the beginning of it.

    Raises:
        UnknownRequest: There is none, or more than one.
    """
    text = reference.strip().lower()
    found = (
        list(RightsRequest.objects.filter(reference__startswith=text)[:2]) if len(text) >= _SHORTEST else []
    )
    if len(found) != 1:
        raise UnknownRequest(
            "No request has a reference that begins so, or more than one has.", hint="See gdpr_rights list."
        )
    return found[0]


@contextmanager
def _held(request: RightsRequest, by: Account, target: RightState) -> Iterator[RightsRequest]:
    """Hold a request's row while it changes, make sure that it may, and put it on record."""
    _require(request, by, target)
    with transaction.atomic(using=_alias()):
        held = RightsRequest.objects.select_for_update().get(pk=request.pk)
        if held.state not in OPEN or held.state == target:
            raise IllegalTransition(
                say(
                    "Request {reference} is over, or is so already: {state}.",
                    reference=held.reference,
                    state=RightState(held.state).value,
                ),
                hint="File a new one.",
            )
        held.state = target
        yield held
        held.save(using=_alias())
        outcome = EventOutcome.REFUSED if target is RightState.REFUSED else EventOutcome.DONE
        _record(_EVENTS[target], held, by, outcome)
    request_keys.destroy_ended()


def _require(request: RightsRequest, by: Account, target: RightState) -> None:
    theirs = _is_theirs(request, by)
    if target is RightState.WITHDRAWN:
        if not theirs:
            actors.require(by, FILE, kind=ObjectKind.RIGHTS_REQUEST.value)
        return
    actors.require(by, ANSWER, kind=ObjectKind.RIGHTS_REQUEST.value)
    if theirs:
        raise OwnRequest(
            say(
                "Request {reference} is about yourself; another person has to decide.",
                reference=request.reference,
            ),
            hint="Ask somebody else who may answer requests of rights.",
        ).told(Denial(by=by, kind=ObjectKind.RIGHTS_REQUEST.value, ref=request.reference))


def _is_theirs(request: RightsRequest, by: Account) -> bool:
    """Return whether a request is about whoever has an account; without its keys only the tag says so."""
    try:
        return own_accounts.is_theirs(by, asked(request).keys)
    except (KeysDestroyed, KeysLost):
        return encryption.tag_of_key(by._meta.label, by.pk) == request.subject_tag


def _close(held: RightsRequest, by: Account, note: str) -> None:
    held.answered_by_id, held.closed_at = by.pk, clock.now()
    held.sealed_keys = None
    held.sealed_note = encryption.seal(note) if note else None


def _record(
    event: EventKind, request: RightsRequest, by: Account, outcome: EventOutcome = EventOutcome.DONE
) -> None:
    trail.record(
        event,
        actor=actor(by),
        object_kind=ObjectKind.RIGHTS_REQUEST,
        outcome=outcome,
        object_ref=request.reference,
        request_ref=request.reference,
        using=_alias(),
    )


def _alias() -> str:
    return conf.load().coordinator
