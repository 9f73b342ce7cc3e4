"""
The outbox: which recipients have to be told of what (Art. 19), written with what they are told of.

A recipient is told of an erasure if data went that it had got. By which key it knows the person is sealed
with a key of the notice's own, because those of the request are destroyed a day later, and the recipient may
not answer for longer. Sending is :mod:`gdpr.notices`' business.

Of a correction or a restriction each is told who has got data of the person; that is asked when it is sent,
because no store that is away may be in a restriction's way.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from accord import clock
from gdpr.datamap import actions
from gdpr.datamap.actions import Manual
from gdpr.datamap.keys import Plain
from gdpr.datamap.map import load_data_map
from gdpr.datamap.recipients import Recipient
from gdpr.datamap.subjects import SubjectKeys
from gdpr.documents import PlanLine, RecipientLine
from gdpr.erasure import encryption, planning, request_keys, transitions
from gdpr.erasure.refusals import raise_first
from gdpr.models import ErasureRequest, ErasureStep, RecipientNotice, Restriction
from gdpr.states import NoticeKind, NoticeState, NoticeTrouble

_BY_HAND = actions.name(Manual(instructions=""))


def enter(held: Sequence[ErasureRequest]) -> None:
    """
    Enter whom to tell of erasures that are complete, each once, whatever is completed again.

    Args:
        held: Requests whose rows are held, complete since the open transaction.

    Raises:
        KeysDestroyed: The keys of a person can't be opened; nothing is complete then.
    """
    _forget_later([one.subject_tag for one in held])
    the_map = load_data_map()
    recipients = the_map.recipients
    if not recipients or not held or not the_map.subjects:
        return
    keys = [one.pk for one in held]
    erased = _erased(keys)
    people, refused = encryption.people_of(keys, *transitions.COMPLETE)
    raise_first(refused)
    known = _known(held)
    made = {
        (one.pk, recipient.id): _notice(
            cause_of(one),
            recipient,
            people[one.pk],
            recipient.knows or the_map.of(one.subject_kind).kind().key,
        )
        for one in held
        for recipient in recipients
        if erased[one.pk].intersection(recipient.of) and (cause_of(one), recipient.id) not in known
    }
    _keep(made.values())


def announce(cause: str, keys: SubjectKeys, *kinds: NoticeKind) -> None:
    """
    Enter whom to tell of a correction or a restriction, inside of the transaction that makes it.

    Args:
        cause: Reference of the request or restriction.
        keys: The person's.
        kinds: What to tell; of the end of a restriction once :func:`release` is called.
    """
    the_map = load_data_map()
    own = the_map.of(keys.kind)
    made = [
        _unasked(cause, kind, one, keys, one.knows or own.kind().key)
        for one in the_map.recipients
        for kind in kinds
        if own.by_id.keys() & set(one.of)
    ]
    _keep(made)


def release(cause: str) -> None:
    """Let what waits for the end of a restriction be sent."""
    later = RecipientNotice.objects.filter(cause=cause, state=NoticeState.LATER)
    later.update(state=NoticeState.WAITING, next_attempt_at=clock.now())


def _forget_later(tags: Collection[str]) -> None:
    """Destroy who the end of a restriction would be told of, once they are erased."""
    causes = Restriction.objects.filter(subject_tag__in=tags).values("reference")
    later = RecipientNotice.objects.filter(cause__in=causes, state=NoticeState.LATER)
    later.update(state=NoticeState.NEEDLESS, sealed_person=None)


def _keep(made: Iterable[tuple[RecipientNotice, bytes]]) -> None:
    notices = list(made)
    request_keys.keep({notice.reference: key for notice, key in notices if key})
    RecipientNotice.objects.bulk_create([notice for notice, _key in notices], batch_size=500)


def cause_of(request: ErasureRequest) -> str:
    """Return what a notice tells of: the erasure itself, where a request repeats one after a restore."""
    return str(request.replays or request.reference)


def lines(held: Sequence[ErasureRequest]) -> Mapping[int, list[RecipientLine]]:
    """Describe for receipts which recipients of each request have been told, and which not yet."""
    causes = {cause_of(one): one.pk for one in held}
    found: dict[int, list[RecipientLine]] = {}
    for notice in RecipientNotice.objects.filter(cause__in=causes).order_by("recipient"):
        at = notice.informed_at
        found.setdefault(causes[notice.cause], []).append(
            {
                "recipient": notice.recipient,
                "state": notice.state,
                "informed_at": at.isoformat() if at else None,
            }
        )
    return found


def reference_of(cause: str, kind: NoticeKind, recipient: str) -> str:
    """
    Return the reference of a notice, which is its idempotency key as well.

    It is the same when a restore has made us forget that the recipient was told.
    """
    return hashlib.sha256(f"{cause}/{kind.value}/{recipient}".encode()).hexdigest()[:32]


def _known(held: Sequence[ErasureRequest]) -> Collection[tuple[str, str]]:
    rows = RecipientNotice.objects.filter(cause__in=[cause_of(one) for one in held], kind=NoticeKind.ERASURE)
    return set(rows.values_list("cause", "recipient"))


def _erased(requests: Collection[int]) -> Mapping[int, set[str]]:
    """Find the entries of which something went, by what was planned and by what was done."""
    plans = planning.current_among(requests)
    found = {
        key: {line["entry"] for line in plan.document["entries"] if _goes(line)}
        for key, plan in plans.items()
    }
    # A killed step may have counted nothing of what it did; the plan knows of that.
    done = ErasureStep.objects.filter(request__in=requests, affected__gt=0) | ErasureStep.objects.filter(
        request__in=requests, action=_BY_HAND, found__gt=0
    )
    for key, entry in done.values_list("request_id", "entry"):
        found[key].add(entry)
    return found


def _goes(line: PlanLine) -> bool:
    return bool(line["delete"] or line["anonymise"] or (line["action"] == _BY_HAND and line["found"]))


def _notice(
    cause: str, recipient: Recipient, person: SubjectKeys, name_of_key: str
) -> tuple[RecipientNotice, bytes]:
    """Write a notice and make its key; neither is sealed where the recipient knows the person by none."""
    values = person.values(name_of_key)
    key = request_keys.new_key() if values else b""
    now = clock.now()
    return RecipientNotice(
        reference=reference_of(cause, NoticeKind.ERASURE, recipient.id),
        kind=NoticeKind.ERASURE,
        cause=cause,
        recipient=recipient.id,
        state=NoticeState.WAITING if values else NoticeState.BY_HAND,
        trouble="" if values else NoticeTrouble.NO_KEY,
        sealed_person=request_keys.seal(_named(name_of_key, values), key) if values else None,
        next_attempt_at=now if values else None,
        entered_at=now,
    ), key


def _unasked(
    cause: str, kind: NoticeKind, recipient: Recipient, person: SubjectKeys, name_of_key: str
) -> tuple[RecipientNotice, bytes]:
    """Write a notice to somebody of whom it isn't known yet whether they got data of the person."""
    key, now = request_keys.new_key(), clock.now()
    later = kind is NoticeKind.LIFTING
    named = _named(name_of_key, person.values(name_of_key), person)
    return RecipientNotice(
        reference=reference_of(cause, kind, recipient.id),
        kind=kind,
        cause=cause,
        recipient=recipient.id,
        state=NoticeState.LATER if later else NoticeState.WAITING,
        sealed_person=request_keys.seal(named, key),
        next_attempt_at=None if later else now,
        entered_at=now,
    ), key


def _named(name_of_key: str, values: Sequence[Plain], whole: SubjectKeys | None = None) -> str:
    """
    Name a person as a recipient knows them; by the salt nobody guesses at what has the digest.

    Args:
        name_of_key: By which key the recipient knows them.
        values: What that key is and was.
        whole: All of their keys, where the stores are still to be asked about them; never sent.
    """
    said: dict[str, Any] = {"key": name_of_key, "values": list(values), "salt": secrets.token_hex(16)}
    if whole is not None:
        said["keys"] = whole.to_json()
    return json.dumps(said, sort_keys=True)
