"""The triggers that protect evidence: each way in which one no longer stands shows, and can be undone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import chain

import pytest
from django.core.management import call_command
from django.db import connections
from psycopg2.errors import RestrictViolation

from accord import guards
from accord.audit.problems import ProblemKind
from accord.audit.verification import verify
from accord.health.runner import Finding, Level, discover, run_checks, select
from gdpr.guards import EVIDENCE
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

STAND = {"guards.accord": Level.OK, "guards.gdpr": Level.OK, "guards.migrator": Level.OK}
DROPPED = {
    "guards.accord": "accord_auditevent_refuse",
    "guards.gdpr": "gdpr_receipt_guard",
    "guards.migrator": "migrator_planapproval_guard",
}


@pytest.fixture
def guarded(trail: Trail) -> Trail:
    """Give a database with the evidence of every app."""
    trail.with_tables("gdpr", "migrator")
    return trail


def found(*names: str) -> Mapping[str, Finding]:
    """Ask the health checks of these names."""
    return {one.name: one for one in run_checks(select(discover(), names or ["guards"])).findings}


def levels() -> Mapping[str, Level]:
    """Tell how the guards of each app stand."""
    return {name: one.level for name, one in found().items()}


def table_of(trigger: str) -> str:
    """Name the table of a trigger."""
    return dict(chain.from_iterable(one.tables.items() for one in guards.declared().values()))[trigger]


def sqlguards() -> str:
    """Print what would put the triggers back."""
    printed = io.StringIO()
    call_command("sqlguards", stdout=printed, stderr=io.StringIO())
    return printed.getvalue()


def test_trigger_that_no_longer_stands_is_named(guarded: Trail) -> None:
    """Dropped, disabled, or calling another text; all stand after the migrations."""
    connection = connections[guarded.alias]
    assert EVIDENCE.missing(connection) == []

    guarded.sql(
        "DROP TRIGGER gdpr_receipt_guard ON gdpr_receipt",
        "ALTER TABLE gdpr_approval DISABLE TRIGGER gdpr_approval_guard",
        "CREATE OR REPLACE FUNCTION gdpr_guard_step() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NEW; END$$",
    )

    assert EVIDENCE.missing(connection) == [
        "gdpr_approval_guard",
        "gdpr_erasurestep_guard",
        "gdpr_receipt_guard",
    ]


def test_health_check_names_a_dropped_or_disabled_trigger_of_each_app(guarded: Trail) -> None:
    """It is critical, one finding an app; what sqlguards prints puts all of them back."""
    assert levels() == STAND
    assert sqlguards() == ""

    for statement in ("DROP TRIGGER {0} ON {1}", "ALTER TABLE {1} DISABLE TRIGGER {0}"):
        guarded.sql(*(statement.format(name, table_of(name)) for name in DROPPED.values()))
        for check, finding in found().items():
            assert finding.level is Level.CRITICAL, check
            assert finding.message.endswith(f"changed: {DROPPED[check]}.")
            assert "manage.py sqlguards | manage.py dbshell" in finding.hint

        guarded.sql(sqlguards())

        assert levels() == STAND


def test_check_constraint_that_no_longer_stands_is_put_back(guarded: Trail) -> None:
    """Dropped, or put back without looking at what is there: it is named, and restored to the letter."""
    before = checks_of(guarded)
    for table, name in checks().values():
        guarded.sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    guarded.sql(
        "ALTER TABLE accord_auditevent ADD CONSTRAINT accord_auditevent_counters CHECK (true) NOT VALID"
    )

    for check, finding in found().items():
        assert finding.level is Level.CRITICAL, check
        assert checks()[check][1] in finding.message

    guarded.sql(sqlguards())

    assert levels() == STAND
    assert sqlguards() == ""
    assert checks_of(guarded) == before


def checks() -> Mapping[str, tuple[str, str]]:
    """Name a check constraint of each app that guards something, with its table."""
    first = {f"guards.{label}": next(wanted._checks()) for label, wanted in guards.declared().items()}
    return {
        check: (model._meta.db_table, constraint.name) for check, (model, constraint) in first.items()
    } | {"guards.accord": ("accord_auditevent", "accord_auditevent_counters")}


def checks_of(guarded: Trail) -> list[tuple[str, str]]:
    """Read the definitions of every check constraint."""
    with connections[guarded.alias].cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' ORDER BY 1"
        )
        return list(cursor.fetchall())


def test_one_app_without_its_trigger_leaves_the_others_alone(guarded: Trail) -> None:
    """Only what is missing is told and put back."""
    guarded.sql("DROP TRIGGER gdpr_receipt_guard ON gdpr_receipt")

    assert levels() == {**STAND, "guards.gdpr": Level.CRITICAL}
    assert found("guards.migrator").keys() == {"guards.migrator"}
    assert "planapproval" not in sqlguards()


def test_tables_that_are_not_there_yet_cannot_be_told(trail: Trail) -> None:
    """Before the first migration nothing was taken away, and nothing can be put back."""
    assert levels() == {**STAND, "guards.gdpr": Level.UNKNOWN, "guards.migrator": Level.UNKNOWN}
    assert "gdpr_receipt" in found()["guards.gdpr"].message
    assert sqlguards() == ""


TABLES = sorted({table for one in guards.declared().values() for table in one.tables.values()})


def test_no_evidence_can_be_emptied(guarded: Trail) -> None:
    """TRUNCATE, which no trigger for a row sees, is refused for each table; tombstones and holds stay."""
    refused = {}
    for table in TABLES:
        with pytest.raises(RestrictViolation) as caught:
            guarded.sql(f"TRUNCATE {table} CASCADE")
        refused[table] = "refused" in str(caught.value)
    for table in ("accord_tombstone", "gdpr_legalhold"):
        with pytest.raises(RestrictViolation):
            guarded.sql(f"DELETE FROM {table}")

    assert len(TABLES) > 10
    assert set(refused.values()) == {True}


def test_audit_verify_names_the_lost_guard_of_any_evidence(guarded: Trail) -> None:
    """A receipt's trigger counts as the trail's own do."""
    guarded.sql(
        "DROP TRIGGER gdpr_receipt_whole ON gdpr_receipt",
        "DROP TRIGGER accord_tombstone_whole ON accord_tombstone",
    )

    report = verify(using=guarded.alias)

    told = [problem.text for problem in report.problems]
    assert [problem.kind for problem in report.problems] == [ProblemKind.UNPROTECTED] * 2
    assert "accord_tombstone_whole" in told[0]
    assert "gdpr_receipt_whole" in told[1]
