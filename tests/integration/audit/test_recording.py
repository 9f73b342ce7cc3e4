"""Writing audit events to a real PostgreSQL: numbers, transactions, rivals, kills, and what is not taken."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connections, transaction

from accord import guards
from accord.audit import trail as audit
from accord.audit.chain import FIELDS
from accord.audit.events import EventKind, ObjectKind
from accord.audit.problems import ProblemKind
from accord.audit.verification import verify
from accord.errors import OutsideTransaction, PersonalDataRefused
from accord.models import ActorReference, AuditEvent
from tests.fix_engine import Coordinator
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

CANARY = "Zoe.Quetzal@canary.example"
HASH = "0" * 64
BETWEEN = ", ".join(FIELDS[1:-1])
NEXT = "(SELECT coalesce(max(seq), 0) + 1 FROM accord_auditevent)"


def numbers(trail: Trail) -> list[int]:
    """Give the numbers of all events in order."""
    return [seq for (seq,) in trail.rows("SELECT seq FROM accord_auditevent ORDER BY seq")]


def test_event_needs_a_transaction(trail: Trail) -> None:
    """An event that no act stands beside is refused."""
    with pytest.raises(OutsideTransaction):
        audit.record(EventKind.RUN_STARTED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN)


def record_and_fail(trail: Trail) -> None:
    """Record an event in an act that then fails."""
    with contextlib.suppress(ZeroDivisionError), transaction.atomic(using=trail.alias):
        audit.record(EventKind.RUN_STARTED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN)
        raise ZeroDivisionError


def test_event_is_there_with_its_act_or_not_at_all(trail: Trail) -> None:
    """A rollback takes the event away and leaves no gap; so does that of a savepoint."""
    trail.record()
    record_and_fail(trail)
    with transaction.atomic(using=trail.alias):
        record_and_fail(trail)
        audit.record(EventKind.RUN_FINISHED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN)

    assert numbers(trail) == [1, 2]
    assert verify().intact
    # One a commit.
    assert len(trail.file.read_text().splitlines()) == 2


def test_eight_processes_write_one_chain(trail: Trail) -> None:
    """Writers at the same moment take turns: no number is missing or used twice."""
    writers = [trail.start("25") for _ in range(8)]
    for writer in writers:
        writer.communicate(timeout=120)

    report = verify()

    assert [writer.returncode for writer in writers] == [0] * 8
    assert numbers(trail) == list(range(1, 201))
    assert report.intact
    assert report.anchored == 200
    assert ActorReference.objects.using(trail.alias).count() == 1


def test_writer_killed_before_its_commit_blocks_nobody(trail: Trail) -> None:
    """The number of an event that was never committed goes to the next one."""
    trail.record()
    writer = trail.start("pause")
    assert writer.stdout is not None
    assert writer.stdout.readline() == "recorded\n"

    writer.kill()
    writer.wait()

    assert trail.record() == 2
    assert verify().intact


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_writers_killed_anywhere_leave_an_intact_trail(trail: Trail, seed: int) -> None:
    """SIGKILL between any two lines neither breaks the chain nor the file of heads."""
    chance = random.Random(seed)
    for _ in range(3):
        writers = [trail.start("0") for _ in range(2)]
        for writer in writers:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 12)):
                assert writer.stdout.readline()
            writer.kill()
        for writer in writers:
            writer.wait()

    trail.record()
    report = verify()

    assert report.intact, f"seed {seed}: {report.problems}"
    assert report.anchored == report.last == max(numbers(trail))


def test_reference_stays_until_it_is_forgotten(trail: Trail) -> None:
    """A person has one random reference; once forgotten, a new one says nothing of the old."""
    first = audit.reference_for("auth.user", 7)
    trail.record(request_ref=first)

    assert audit.reference_for("auth.user", "7") == first
    assert audit.forget("auth.user", 7) == 1
    assert audit.forget("auth.user", 7) == 0
    assert audit.reference_for("auth.user", 7) != first
    assert verify().intact


@pytest.mark.parametrize(
    "wrong",
    [
        {"object_ref": CANARY},
        {"request_ref": "42"},
        {"plan_digest": CANARY},
        {"counters": {CANARY: 1}},
        {"counters": {"found": CANARY}},
        {"counters": {"found": True}},
        {"counters": {"found": -1}},
        {"counters": {"found": 33_612_345_678}},
        {"counters": {"found": [1]}},
    ],
)
def test_record_takes_no_personal_data(trail: Trail, wrong: dict[str, Any]) -> None:
    """What isn't a reference, digest or number is refused, and not repeated in the message."""
    with pytest.raises(PersonalDataRefused) as refused, transaction.atomic(using=trail.alias):
        audit.record(EventKind.RUN_STARTED, actor=audit.SYSTEM, object_kind=ObjectKind.RUN, **wrong)

    assert CANARY not in f"{refused.value}{refused.value.hint}"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("event", f"'{CANARY}'"),
        ("outcome", "'zoe'"),
        ("actor_kind", "'zoe'"),
        ("object_kind", "'zoe'"),
        ("actor_ref", "'Zoe Quetzal'"),
        ("object_ref", f"'{'A' * 32}'"),
        ("object_ref", "repeat('a', 31) || chr(10)"),
        ("request_ref", "'42'"),
        ("plan_digest", f"'{CANARY}'"),
        ("prev_hash", f"'{CANARY}'"),
        ("hash", f"'{CANARY}'"),
        ("counters", f'\'{{"found": "{CANARY}"}}\''),
        ("counters", f"'{{\"{CANARY}\": 1}}'"),
        ("counters", f'\'{{"found": ["{CANARY}"]}}\''),
        ("counters", "'{\"found\": [1]}'"),
        ("counters", '\'{"found": {"zoe": 1}}\''),
        ("counters", "'{\"found\": null}'"),
        ("counters", "'{\"found\": true}'"),
        ("counters", "'{\"found\": 1.5}'"),
        ("counters", "'{\"found\": 33612345678}'"),
        ("counters", "'{\"found\": -1}'"),
        ("counters", f"'[\"{CANARY}\"]'"),
        ("counters", f"'\"{CANARY}\"'"),
        ("counters", "'19800101'"),
    ],
)
def test_raw_sql_puts_no_personal_data_in(trail: Trail, column: str, value: str) -> None:
    """PostgreSQL itself refuses every place where something personal could stand."""
    values = {
        "seq": NEXT,
        "at": "now()",
        "event": "'run.started'",
        "outcome": "'done'",
        "actor_kind": "'system'",
        "actor_ref": "''",
        "object_kind": "'run'",
        "object_ref": "''",
        "request_ref": "''",
        "counters": '\'{"found": 3, "steps": 0}\'',
        "plan_digest": "''",
        "prev_hash": f"'{HASH}'",
        "hash": f"'{HASH}'",
    }
    insert = "INSERT INTO accord_auditevent ({}) VALUES ({})"
    wrong = {**values, column: value}

    with pytest.raises((psycopg2.IntegrityError, psycopg2.DataError)):
        trail.sql(insert.format(", ".join(wrong), ", ".join(wrong.values())))
    trail.sql(insert.format(", ".join(values), ", ".join(values.values())))

    assert numbers(trail) == [1]


def test_trail_has_no_column_without_a_constraint() -> None:
    """Every column is an enumeration, a reference, a digest, a number or a time."""
    held = {check.name for check in AuditEvent._meta.constraints}
    free = {field.name for field in AuditEvent._meta.fields if f"accord_auditevent_{field.name}" not in held}

    assert free == {"at"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accord_auditevent SET outcome = 'failed'",
        "UPDATE accord_auditevent SET outcome = 'failed' WHERE false",
        "DELETE FROM accord_auditevent",
        "TRUNCATE accord_auditevent",
        "UPDATE accord_auditcheckpoint SET size = 2",
        "DELETE FROM accord_auditcheckpoint",
        "TRUNCATE accord_auditcheckpoint",
        f"INSERT INTO accord_auditevent SELECT seq + 2, {BETWEEN}, hash, hash FROM accord_auditevent",
        f"INSERT INTO accord_auditevent SELECT seq + 1, {BETWEEN}, prev_hash, hash FROM accord_auditevent",
    ],
)
def test_trail_is_only_ever_added_to(trail: Trail, statement: str) -> None:
    """Neither the owner nor a superuser changes, removes, skips or forks while the triggers stand."""
    trail.record()

    with pytest.raises(psycopg2.IntegrityError, match="audit trail"):
        trail.sql(statement)

    assert verify().intact


def test_database_of_tests_can_be_emptied(coordinator: Coordinator) -> None:
    """Django's test runner empties all tables; UPDATE and DELETE stay refused there."""
    call_command("migrate", "accord", database=coordinator.alias, verbosity=0, skip_checks=True)

    with connections[coordinator.alias].cursor() as cursor:
        cursor.execute("TRUNCATE accord_auditevent")

    assert AuditEvent.objects.using(coordinator.alias).count() == 0


def test_migration_can_be_undone(trail: Trail) -> None:
    """Reverting leaves neither tables nor functions, and applying again works."""
    call_command("migrate", "accord", "zero", database=trail.alias, verbosity=0, skip_checks=True)
    left = trail.rows("SELECT proname FROM pg_proc WHERE proname LIKE 'accord%'")
    call_command("migrate", "accord", database=trail.alias, verbosity=0, skip_checks=True)

    assert left == []
    assert guards.missing(connections[trail.alias]) == []


def test_head_file_that_cannot_be_written_stops_no_act(trail: Trail) -> None:
    """The act and its event stand; that the file is gone is found, and nothing else."""
    trail.record()
    trail.file.unlink()
    Path(trail.file).mkdir()

    trail.record()
    trail.file.rmdir()
    report = verify()

    assert [problem.kind for problem in report.problems] == [ProblemKind.HEADS_MISSING]
    assert (report.last, report.anchored) == (2, 0)
