"""
Naming a person again, because the key of their request was lost: PostgreSQL crashed or failed over.

Nobody can slip another person in: the primary key is held against the request's tag. What can't be held
against it, an e-mail address say, comes from the person's own row; once the fence is up that row may be
changed or gone, so it is asked for, and whatever it finds is a question (ACC-829) before it is erased.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from accord.acting import Account
from accord.audit.events import EventKind
from accord.errors import UsageError
from accord.wording import say
from gdpr.datamap.keys import Plain
from gdpr.datamap.kinds import Subject
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, approvals, encryption, state_changes
from gdpr.errors import IllegalTransition, InvalidDataMap, KeysLost, NotThatPerson, UnknownSubject
from gdpr.models import ErasureRequest
from gdpr.states import RequestState

_Stated = Mapping[str, Plain | None]


def name_again(request: ErasureRequest, given: Sequence[str], *, by: Account) -> ErasureRequest:
    """
    Seal a person's keys with a new key of their request. An approval that wasn't used is void.

    Args:
        request: One whose key is lost.
        given: Keys as typed: one alone, as at filing, and others as `NAME=VALUE`; an empty value says that
            the person never had one.
        by: Who says so.

    Raises:
        IllegalTransition: Nothing of the request is lost, or it is over.
        KeysLost: More of the person's keys are needed.
        NotThatPerson: They are those of another person.
    """
    actors.require(by, actors.FILE, about=request)
    with state_changes.locked(request) as held:
        _require_lost(held)
        keys = _keys(held, given)
        if held.fenced_at is not None:
            # What was collected is lost, too: whoever has these keys now may be somebody else.
            keys = keys.settle(load_data_map().reusable)
        encryption.reseal([held], {held.pk: keys})
        state_changes.record([state_changes.act(held, EventKind.ERASURE_RESUMED)], by=by)
        if held.state == RequestState.APPROVED:
            approvals.take_back([held])
    return held


def _require_lost(held: ErasureRequest) -> None:
    """Raise unless the key of a request is the only thing that is missing."""
    with suppress(KeysLost):
        encryption.keys_of(held)
        raise IllegalTransition(
            say("Request {reference} knows whom it is about.", reference=held.reference),
            hint="Nothing needs to be done.",
        )


def _keys(held: ErasureRequest, given: Sequence[str]) -> SubjectKeys:
    subject = load_data_map().subject
    if subject is None:
        raise InvalidDataMap("No app declares whose data these are.", hint="Write SUBJECT into a privacy.py.")
    stated, row = _stated(subject, given), _row(subject, given)
    primary = stated.get(subject.key) if row is None else row.primary
    if primary is None or not _is_person(held, primary):
        raise NotThatPerson(
            say(
                "What was given is not a key of the person whom request {reference} is about.",
                reference=held.reference,
            ),
            hint="Give the key that the person was filed with, or their primary key.",
        )
    if row is not None and held.fenced_at is None:
        return row
    _require_all(held, subject, stated)
    known = {**stated, subject.key: primary}
    alternates = {name: value for name, value in known.items() if value is not None}
    return SubjectKeys(kind=held.subject_kind, primary=primary, alternates=alternates)


def _is_person(held: ErasureRequest, primary: Plain) -> bool:
    return held.subject_tag in encryption.tags_of_key(held.subject_kind, primary)


def _require_all(held: ErasureRequest, subject: Subject, stated: _Stated) -> None:
    lacking = [name for name in subject.names if name not in stated and name != subject.key]
    if lacking:
        raise KeysLost(
            say(
                "The person of request {reference} has no row any more that tells: {names}.",
                reference=held.reference,
                names=", ".join(lacking),
            ),
            hint=say(
                "Give each: gdpr_erase --request {reference} --key KEY --key NAME=VALUE, with nothing after "
                "the = for what the person never had.",
                reference=held.reference,
            ),
        )


def _stated(subject: Subject, given: Sequence[str]) -> dict[str, Plain | None]:
    """Read what names its key; and what doesn't as a primary key, if it can be one."""
    stated: dict[str, Plain | None] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if mark and name in subject.names:
            stated[name] = subject.parsed(name, value) if value else None
        else:
            with suppress(UsageError):
                stated[subject.key] = subject.parsed(subject.key, text)
    return stated


def _row(subject: Subject, given: Sequence[str]) -> SubjectKeys | None:
    """Find the person's row by the key that is given alone, or by the one that is named first."""
    for text in given:
        name, mark, value = text.partition("=")
        named = bool(mark) and name in subject.names
        with suppress(UnknownSubject):
            return subject.resolve(value, name) if named else subject.resolve(text)
    return None
