"""Events are authenticated by a key that the database doesn't hold: what SQL says to the trail is found."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import transaction
from pytest_django.fixtures import Settings

from accord.audit import marks, renewal, sealed, witness
from accord.audit import trail as audit
from accord.audit.chain import FIELDS, GENESIS, Link
from accord.audit.events import EventKind, ObjectKind
from accord.audit.problems import ProblemKind
from accord.audit.verification import Report, verify, verify_tail
from accord.models import AuditEvent, AuditSeal
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

THING, DIGEST = "b" * 32, "d" * 64


def kinds(report: Report) -> set[tuple[ProblemKind, int]]:
    """Give what a report found, and where."""
    return {(problem.kind, problem.seq) for problem in report.problems}


def insert(trail: Trail, **values: Any) -> int:
    """Add an event that continues the chain, by SQL alone; no trigger refuses it."""
    last = AuditEvent.objects.using(trail.alias).order_by("-seq").first()
    link = Link(
        seq=last.seq + 1 if last else 1,
        at=max(datetime.now(UTC), last.at) if last else datetime.now(UTC),
        prev_hash=last.hash if last else GENESIS,
        **{"event": "run.started", "outcome": "done", "actor_kind": "system", "object_kind": "run", **values},
    )
    columns = ", ".join((*FIELDS, "hash"))
    given = ", ".join(
        [
            "'{}'" if one == {} else f"'{one}'"
            for one in (*(getattr(link, name) for name in FIELDS), link.digest())
        ]
    )
    trail.sql(f"INSERT INTO accord_auditevent ({columns}) VALUES ({given})")
    return link.seq


def record_together(trail: Trail, count: int) -> None:
    """Write events of one transaction at once."""
    act = audit.Act(event=EventKind.STEP_APPLIED, object_kind=ObjectKind.STEP)
    with transaction.atomic(using=trail.alias):
        audit.record_all([act] * count, actor=audit.SYSTEM)


def test_events_are_sealed_by_the_call_that_wrote_them(trail: Trail) -> None:
    """One row a call, whatever the number of its events."""
    trail.record(2)
    record_together(trail, 500)
    trail.record()

    rows = AuditSeal.objects.using(trail.alias).order_by("last").values_list("first", "last")
    assert list(rows) == [(1, 1), (2, 2), (3, 502), (503, 503)]
    assert (kinds(verify()), verify().before_key) == (set(), 0)
    assert kinds(verify_tail()) == set()


def test_event_of_a_transaction_that_failed_leaves_no_seal(trail: Trail) -> None:
    """Neither does that of a savepoint."""
    trail.record()
    with transaction.atomic(using=trail.alias):
        with contextlib.suppress(ZeroDivisionError), transaction.atomic(using=trail.alias):
            audit.record(EventKind.RUN_STARTED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN)
            raise ZeroDivisionError
        audit.record(EventKind.RUN_FINISHED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN)

    assert list(AuditSeal.objects.using(trail.alias).values_list("first", "last")) == [(2, 2), (1, 1)]
    assert kinds(verify()) == set()


@pytest.mark.parametrize("after", [0, 2])
def test_event_that_sql_added_is_found(trail: Trail, after: int) -> None:
    """Its hash is right and it continues the chain; what the project writes behind it covers it not."""
    trail.record(2)

    assert insert(trail) == 3
    trail.record(after)

    assert kinds(verify()) == {(ProblemKind.UNSEALED, 3)}
    assert kinds(verify_tail()) == {(ProblemKind.UNSEALED, 3)}


@pytest.mark.parametrize(
    "forged",
    [
        "INSERT INTO accord_auditseal SELECT 3, 3, key_id, mac FROM accord_auditseal WHERE last = 2",
        "INSERT INTO accord_auditseal SELECT 3, 3, repeat('0', 16), mac FROM accord_auditseal WHERE last = 2",
        "INSERT INTO accord_auditseal SELECT 3, 1, key_id, mac FROM accord_auditseal WHERE last = 2",
    ],
)
def test_seal_that_sql_added_is_found(trail: Trail, forged: str) -> None:
    """A copy of another event's, one under no key, and one that claims more."""
    trail.record(2)
    insert(trail)

    trail.sql(forged)

    assert {kind for kind, _ in kinds(verify())} == {ProblemKind.UNSEALED}


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        ("DELETE FROM accord_auditseal WHERE last = 3", (ProblemKind.UNSEALED, 3)),
        ("UPDATE accord_auditseal SET first = 1 WHERE last = 3", (ProblemKind.UNSEALED, 1)),
        ("UPDATE accord_auditseal SET mac = repeat('0', 64) WHERE last = 3", (ProblemKind.UNSEALED, 3)),
        ("DELETE FROM accord_auditseal", (ProblemKind.UNSEALED, 1)),
        ("UPDATE accord_auditseal SET last = 9 WHERE last = 5", (ProblemKind.CUT_OFF, 6)),
    ],
)
def test_seal_that_was_changed_is_found(trail: Trail, attack: str, found: tuple[ProblemKind, int]) -> None:
    """Missing is as bad as wrong."""
    trail.record(5)

    trail.attack(attack)

    assert found in kinds(verify())


def test_trail_rewritten_with_all_hashes_is_found_by_its_seals_alone(trail: Trail) -> None:
    """Without any head outside: the key is enough."""
    trail.record(1)
    insert_at = AuditEvent.objects.using(trail.alias).get(seq=1)
    link = Link(**{**{name: getattr(insert_at, name) for name in FIELDS}, "outcome": "failed"})

    trail.attack(
        f"UPDATE accord_auditevent SET outcome = 'failed', hash = '{link.digest()}'",
        "UPDATE accord_trailmark SET reach = 0",
    )
    trail.file.unlink()

    assert kinds(verify()) == {(ProblemKind.UNSEALED, 1)}


def test_seal_of_an_event_that_is_gone_is_found(trail: Trail) -> None:
    """The end was cut with every head, and the seals were forgotten."""
    trail.record(4)

    trail.attack("DELETE FROM accord_auditevent WHERE seq > 2", "UPDATE accord_trailmark SET reach = 0")
    trail.file.unlink()

    assert kinds(verify()) == {(ProblemKind.CUT_OFF, 3)}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accord_auditseal SET first = 1",
        "DELETE FROM accord_auditseal",
        "TRUNCATE accord_auditseal",
        "INSERT INTO accord_auditseal SELECT 9, 9, key_id, mac FROM accord_auditseal LIMIT 1",
    ],
)
def test_seals_are_only_ever_added_to(trail: Trail, statement: str) -> None:
    """And only for the newest event: nobody takes the place of one to come."""
    trail.record(2)

    with pytest.raises(psycopg2.IntegrityError):
        trail.sql(statement)


def test_seals_stay_good_after_the_secret_was_replaced(trail: Trail, settings: Settings) -> None:
    """The old secret is kept among the fallbacks; new events are sealed with the new one."""
    trail.record(2)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    trail.record(2)

    assert kinds(verify()) == set()
    assert AuditSeal.objects.using(trail.alias).values("key_id").distinct().count() == 2


# --- before the key -------------------------------------------------------------------------------------


def test_events_before_the_key_are_told_as_that(trail: Trail) -> None:
    """A trail of an earlier version, which the migration meets."""
    call_command("migrate", "accord", "0009", database=trail.alias, verbosity=0, skip_checks=True)
    trail.record(3)
    call_command("migrate", "accord", database=trail.alias, verbosity=0, skip_checks=True)
    trail.record(2)

    assert (kinds(verify()), verify().before_key) == (set(), 3)
    [mark] = marks.all_of(trail.alias)
    assert mark.since == 4


def test_start_of_the_key_cannot_be_moved(trail: Trail) -> None:
    """Not by the table's owner with the triggers off: the mark is sealed."""
    trail.record(2)
    insert(trail)

    trail.attack("UPDATE accord_trailmark SET since = 4")

    assert ProblemKind.MARK in {kind for kind, _ in kinds(verify())}


def test_new_beginning_forgives_what_has_no_seal_and_says_how_much(trail: Trail) -> None:
    """Programs of an earlier version may have written on after the migration."""
    trail.record(2)
    insert(trail)

    renewal.renew("an old worker wrote on", actor=audit.SYSTEM, using=trail.alias)
    assert (kinds(verify()), verify().before_key) == (set(), 1)
    insert(trail)
    assert kinds(verify()) == {(ProblemKind.UNSEALED, 5)}


# --- what counts ------------------------------------------------------------------------------------------


def granted(trail: Trail, using: str) -> frozenset[witness.Told]:
    """Ask which approvals the trail tells of."""
    return witness.told(EventKind.APPROVAL_GRANTED, [THING], using=using)


def grant(trail: Trail) -> audit.Actor:
    """Record an approval as the project does."""
    with transaction.atomic(using=trail.alias):
        actor = audit.person(7)
        audit.record(
            EventKind.APPROVAL_GRANTED,
            actor=actor,
            object_kind=ObjectKind.APPROVAL,
            object_ref=THING,
            plan_digest=DIGEST,
        )
    return actor


def test_approval_that_sql_told_the_trail_counts_for_nothing(trail: Trail) -> None:
    """The project's own does, under the same reference."""
    trail.record()
    with transaction.atomic(using=trail.alias):
        actor = audit.person(7)
    by_hand = {"object_kind": "approval", "object_ref": THING, "plan_digest": DIGEST}
    insert(trail, event="approval.granted", actor_kind="person", actor_ref=actor.ref, **by_hand)
    assert granted(trail, trail.alias) == frozenset()

    grant(trail)
    told = witness.Told(object_ref=THING, plan_digest=DIGEST, actor_ref=actor.ref)
    assert granted(trail, trail.alias) == {told}


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE accord_auditevent SET plan_digest = repeat('e', 64) WHERE event = 'approval.granted'",
        "DELETE FROM accord_auditseal",
        "UPDATE accord_auditseal SET mac = repeat('0', 64)",
        "DELETE FROM accord_trailmark",
    ],
)
def test_approval_whose_event_was_touched_counts_for_nothing(trail: Trail, attack: str) -> None:
    """Whatever is wrong with its seal, nobody runs on it."""
    grant(trail)
    assert len(granted(trail, trail.alias)) == 1

    trail.attack(attack)

    assert granted(trail, trail.alias) == frozenset()


def test_many_events_are_asked_about_at_once(trail: Trail) -> None:
    """Of a batch, of single ones and of such that nobody sealed; the chain is read from each to its seal."""
    trail.record(3)
    record_together(trail, 300)
    insert(trail)
    everything = range(1, 305)
    assert sealed.among(everything, trail.alias) == frozenset(range(1, 304))

    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 200")
    assert sealed.among(everything, trail.alias) == frozenset({1, 2, 3, *range(201, 304)})


def test_trail_of_an_earlier_version_is_believed_until_the_seals_come(trail: Trail) -> None:
    """A run that was approved is the one that brings them."""
    call_command("migrate", "accord", "0009", database=trail.alias, verbosity=0, skip_checks=True)
    grant(trail)
    assert len(granted(trail, trail.alias)) == 1

    call_command("migrate", "accord", database=trail.alias, verbosity=0, skip_checks=True)
    assert granted(trail, trail.alias) == frozenset()
