"""
The audit trail: who did what, in words from lists, numbers and random references.

An event is written in the transaction of the act that it records: both are there, or neither.
Events are chained by hash, numbered without gaps, sealed with a key that no database holds
(:mod:`accord.audit.sealed`), and signed heads of the chain leave the database
(:mod:`accord.audit.signed_heads`), so that a change shows however it was made
(:mod:`accord.audit.verification`).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial

from django.db import connections, transaction
from django.db.models import TextChoices

from accord import arrays, conf
from accord.audit import marks, sealed, signed_heads
from accord.audit.chain import FIELDS, GENESIS, Link, digest_of
from accord.audit.events import BIGGEST, ActorKind, Counter, EventKind, EventOutcome, ObjectKind
from accord.audit.marks import Mark
from accord.errors import OutsideTransaction, PersonalDataRefused
from accord.models import ActorReference
from accord.patterns import DIGEST, REFERENCE

_COUNTERS = frozenset(Counter.values)
_REFERENCE, _DIGEST = re.compile(REFERENCE), re.compile(DIGEST)
# An earlier version has neither; a run may be about to bring them.
_LOCK = """
    SELECT pg_advisory_xact_lock(%s),
        to_regclass('accord_trailmark') IS NOT NULL AND to_regclass('accord_auditseal') IS NOT NULL
"""
# In UTC, because the driver leaves out the zone where USE_TZ is off.
_HEAD = """
    SELECT coalesce(last.seq, 0), coalesce(last.hash, %s),
        greatest(last.at, clock_timestamp()) AT TIME ZONE 'UTC'
    FROM (SELECT 1) AS one
    LEFT JOIN (SELECT seq, hash, at FROM accord_auditevent ORDER BY seq DESC LIMIT 1) AS last ON true
"""
_HEAD_AND_MARK = f"""
    SELECT head.*, mark.* FROM ({_HEAD}) AS head LEFT JOIN ({marks.NEWEST}) AS mark ON true
"""  # noqa: S608 - constants
# Thousands of rows as a few arrays; the ORM would take several times as long as the server.
_INSERT = """
    INSERT INTO accord_auditevent (
        seq, at, event, outcome, actor_kind, actor_ref, object_kind, object_ref, request_ref,
        counters, plan_digest, prev_hash, hash
    )
    SELECT * FROM unnest(
        %(seq)s::bigint[], %(at)s::timestamptz[], %(event)s::text[], %(outcome)s::text[],
        %(actor_kind)s::text[], %(actor_ref)s::text[], %(object_kind)s::text[], %(object_ref)s::text[],
        %(request_ref)s::text[], %(counters)s::jsonb[], %(plan_digest)s::text[], %(prev_hash)s::text[],
        %(hash)s::text[]
    )
"""
_INSERT_AND_SEAL = f"""
    WITH written AS ({_INSERT} RETURNING seq)
    {sealed.ADD} SELECT max(seq), min(seq), %(key_id)s, %(mac)s FROM written {sealed.UNLESS_THERE}
"""  # noqa: S608 - constants


@dataclass(frozen=True, kw_only=True)
class Actor:
    """
    Who acts.

    Attributes:
        kind: Which kind of actor.
        ref: Random reference of an account, from :func:`reference_for`; empty for Accord itself.
    """

    kind: ActorKind
    ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Act:
    """
    What was done, in the words of the trail; see :func:`record` for each.

    Attributes:
        event: What happened.
        object_kind: What it was done to.
        outcome: How it ended.
        object_ref: Random reference of what it was done to.
        request_ref: Random reference of the request that it belongs to.
        counters: Names to whole numbers.
        plan_digest: Digest of the plan that is approved or carried out.
    """

    event: EventKind
    object_kind: ObjectKind
    outcome: EventOutcome = EventOutcome.DONE
    object_ref: str = ""
    request_ref: str = ""
    counters: Mapping[str, int] = field(default_factory=dict)
    plan_digest: str = ""


@dataclass(frozen=True, kw_only=True)
class _End:
    """What the next event continues: number and hash of the last one, its own time, and the mark."""

    seq: int
    hash: str
    at: datetime
    mark: Mark | None


SYSTEM = Actor(kind=ActorKind.SYSTEM)
"""Accord itself: a cron job, a worker."""


def person(key: object, *, kind: str = "auth.user", using: str | None = None) -> Actor:
    """
    Return the actor for a signed-in account.

    Args:
        key: Primary key of the user.
        kind: Label of the user's model.
        using: Database of the audit trail.
    """
    return Actor(kind=ActorKind.PERSON, ref=reference_for(kind, key, using=using))


def record(  # noqa: PLR0913 - an event has this many parts, all but two by keyword and optional
    event: EventKind,
    *,
    actor: Actor,
    object_kind: ObjectKind,
    outcome: EventOutcome = EventOutcome.DONE,
    object_ref: str = "",
    request_ref: str = "",
    counters: Mapping[str, int] | None = None,
    plan_digest: str = "",
    using: str | None = None,
) -> int:
    """
    Write an audit event in the transaction of the act that it records.

    From here to the end of the transaction no other event can be written, so record last and
    commit soon. Nothing that could name a person is taken.

    Args:
        event: What happened.
        actor: Who did it.
        object_kind: What it was done to.
        outcome: How it ended.
        object_ref: Random reference of what it was done to: 32 hexadecimal digits.
        request_ref: Random reference of the request that it belongs to.
        counters: Names out of :class:`~accord.audit.events.Counter` to whole numbers.
        plan_digest: Digest of the plan that is approved or carried out: 64 hexadecimal digits.
        using: Database of the act; the coordinator by default.

    Returns:
        Number of the event.

    Raises:
        OutsideTransaction: There is no transaction to write in.
        PersonalDataRefused: A reference, digest or counter is not one.
    """
    act = Act(
        event=event,
        object_kind=object_kind,
        outcome=outcome,
        object_ref=object_ref,
        request_ref=request_ref,
        counters=counters or {},
        plan_digest=plan_digest,
    )
    return record_all([act], actor=actor, using=using)


def record_all(acts: Sequence[Act], *, actor: Actor, using: str | None = None) -> int:
    """
    Write the events of many acts of one transaction at once. See :func:`record`.

    Args:
        acts: What was done, in order; at least one.
        actor: Who did all of it.
        using: Database of the acts; the coordinator by default.

    Returns:
        Number of the last event.

    Raises:
        OutsideTransaction: There is no transaction to write in.
        PersonalDataRefused: A reference, digest or counter is not one.
    """
    alias = using or conf.load().coordinator
    _require_transaction(alias)
    for act in acts:
        _check(act, actor)
    end = _end(alias)
    rows: list[tuple[str, ...]] = []
    head = end.hash
    for seq, act in enumerate(acts, end.seq + 1):
        rows.append(_link(act, actor, seq, head, end.at).texts())
        head = digest_of(rows[-1])
    _write(alias, end, rows, head)
    return end.seq + len(rows)


def reference_for(kind: str, key: object, *, using: str | None = None) -> str:
    """
    Return the random reference of a person or thing; the same one each time, until it is forgotten.

    Args:
        kind: What it is, usually the label of a model: `auth.user`.
        key: Its key.
        using: Database of the audit trail.

    Returns:
        32 hexadecimal digits, which nothing can be computed from.
    """
    references = ActorReference.objects.using(using or conf.load().coordinator)
    found = references.filter(kind=kind, key=str(key)).values_list("ref", flat=True).first()
    if found is not None:
        return found
    made = ActorReference(ref=uuid.uuid4().hex, kind=kind, key=str(key))
    # Another process may have made one a moment ago: theirs stays.
    references.bulk_create([made], ignore_conflicts=True)
    return references.values_list("ref", flat=True).get(kind=kind, key=str(key))


def forget(kind: str, key: object, *, using: str | None = None) -> int:
    """
    Delete the link between a person and their reference; the trail stays valid and names no one.

    Args:
        kind: What :func:`reference_for` was given.
        key: Likewise.
        using: Database of the audit trail.

    Returns:
        How many links there were: 1 or 0.
    """
    references = ActorReference.objects.using(using or conf.load().coordinator)
    return references.filter(kind=kind, key=str(key)).delete()[0]


def _require_transaction(alias: str) -> None:
    if not connections[alias].in_atomic_block:
        raise OutsideTransaction(
            f"An audit event was to be written to “{alias}” outside of any transaction.",
            hint="Put the act and its audit.record(...) into one transaction.atomic().",
        )


def _check(act: Act, actor: Actor) -> None:
    """Refuse what PostgreSQL would refuse; values stay out of the message, they may be personal."""
    wrong = [
        f"counter {number}"
        for number, (name, value) in enumerate(act.counters.items())
        if not _counts(name, value)
    ]
    refs = (("actor.ref", actor.ref), ("object_ref", act.object_ref), ("request_ref", act.request_ref))
    wrong += [name for name, ref in refs if ref and not _REFERENCE.fullmatch(ref)]
    if act.plan_digest and not _DIGEST.fullmatch(act.plan_digest):
        wrong.append("plan_digest")
    if wrong:
        raise PersonalDataRefused(
            f"An audit event does not take this {' or this '.join(wrong)}.",
            hint="References are 32 hexadecimal digits (audit.reference_for), digests 64, "
            f"counters whole numbers up to {BIGGEST} named {', '.join(Counter.values)}.",
        )


def _counts(name: str, value: object) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return name in _COUNTERS and 0 <= value <= BIGGEST


def _end(alias: str) -> _End:
    """Take the chain's lock, then read what the next event continues."""
    with connections[alias].cursor() as cursor:
        cursor.execute(_LOCK, [marks.CHAIN_LOCK])
        marked = cursor.fetchone()[1]
        # A statement of its own: what was committed while we waited must be seen.
        cursor.execute(_HEAD_AND_MARK if marked else _HEAD, [GENESIS])
        seq, prev_hash, at, *newest = cursor.fetchone()
        mark = marks.for_next(cursor, seq, newest) if marked else None
    return _End(seq=seq, hash=prev_hash, at=at.replace(tzinfo=UTC), mark=mark)


def _link(act: Act, actor: Actor, seq: int, prev_hash: str, at: datetime) -> Link:
    return Link(
        seq=seq,
        at=at,
        event=_word(EventKind, act.event),
        outcome=_word(EventOutcome, act.outcome),
        actor_kind=_word(ActorKind, actor.kind),
        actor_ref=actor.ref,
        object_kind=_word(ObjectKind, act.object_kind),
        object_ref=act.object_ref,
        request_ref=act.request_ref,
        counters=dict(act.counters),
        plan_digest=act.plan_digest,
        prev_hash=prev_hash,
    )


@lru_cache(maxsize=256)
def _word(kind: type[TextChoices], word: str) -> str:
    """Return a word of a list as plain text; refuses any other."""
    return str(kind(word).value)


def _write(alias: str, end: _End, rows: Sequence[tuple[str, ...]], head: str) -> None:
    """Write events and their seal, and have their head signed once they are committed."""
    columns = dict(zip(FIELDS, map(arrays.of_texts, zip(*rows, strict=True)), strict=True))
    columns["at"] = arrays.of_texts([end.at.isoformat()] * len(rows))
    columns["hash"] = arrays.of_texts([*(prev_hash for *_, prev_hash in rows[1:]), head])
    last = end.seq + len(rows)
    with connections[alias].cursor() as cursor:
        if end.mark is None:
            cursor.execute(_INSERT, columns)
        else:
            made = sealed.over(end.mark, end.seq + 1, last, head)
            cursor.execute(_INSERT_AND_SEAL, {**columns, "key_id": made.key_id, "mac": made.mac})
    if end.mark is not None:
        note = partial(signed_heads.note, alias, end.mark, last, head)
        transaction.on_commit(note, using=alias, robust=True)
