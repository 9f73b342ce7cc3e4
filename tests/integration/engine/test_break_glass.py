"""Break-glass: a run without approval stands on record first, and nothing else runs until it is reviewed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, transaction

from accord import conf
from accord.audit.verification import verify
from accord.errors import UsageError
from accord.health.runner import Level
from accord.models import AuditEvent
from migrator import break_health
from migrator.engine.api import Migrations
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.errors import NotEntitled, OwnPlan, PlanNotApproved, ReviewMissing
from migrator.governance.break_glass import Breaks
from migrator.models import BreakGlass, RunKind
from tests.fix_trail import Trail
from tests.integration.engine.test_exits import STEPS, Hooked, accounts, journal, migrations, person

__all__ = ["accounts", "journal"]
pytestmark = pytest.mark.usefixtures("accounts")
POLICY = {"test": {"approval": True}}
EMERGENCY = Request(break_glass=True, reason="the shop is down", account=person(1))


@pytest.fixture
def made(journal: Trail) -> Migrations:
    """Give a project whose plans need an approval."""
    return migrations(Hooked(), policy=POLICY)


@pytest.fixture
def breaks(made: Migrations) -> Breaks:
    """Give what ran without approval there."""
    return made.gate().breaks


class Killed(BaseException):
    """Ends a process in the middle, as a test sees it."""


def rows(journal: Trail) -> Any:
    return BreakGlass.objects.using(journal.alias)


def events(journal: Trail) -> list[str]:
    found = AuditEvent.objects.using(journal.alias).filter(event__startswith="policy.").order_by("seq")
    return list(found.values_list("event", flat=True))


def test_run_goes_ahead_on_record_and_nothing_follows_before_its_review(
    made: Migrations, breaks: Breaks, journal: Trail
) -> None:
    """Nor what whoever broke it breaks next; once another person has looked, runs go on as ever."""
    with pytest.raises(PlanNotApproved):
        made.run(Request())
    assert made.run(EMERGENCY).error is None
    [row] = rows(journal)
    back = Request(kind=RunKind.REVERT, target=Target(to="zero"))

    for request in (back, replace(back, break_glass=True, reason="undo", account=person(1))):
        with pytest.raises(ReviewMissing, match=f"Run {row.short} went ahead without approval"):
            made.run(request)
    with pytest.raises(OwnPlan, match="another person has to review"):
        breaks.review(row.reference, person(1), "fine")
    with pytest.raises(UsageError, match="reason"):
        breaks.review(row.reference, person(2), " ")
    breaks.review(row.short, person(2), "read all of it")

    assert breaks.open() == []
    with pytest.raises(PlanNotApproved):
        made.run(back)
    assert events(journal) == ["policy.break_glass", "policy.reviewed"]
    assert verify(using=journal.alias).intact


def test_record_stands_before_the_first_step_and_a_killed_run_goes_on_under_it(journal: Trail) -> None:
    """By the same account and with the same steps; another one, or another plan, waits for the review."""

    def killed() -> None:
        assert rows(journal).count() == 1
        raise Killed

    dies = Hooked(effects={STEPS[1].key.name: killed})
    dying = migrations(dies, policy=POLICY)
    with pytest.raises(Killed):
        dying.run(EMERGENCY)
    made = migrations(Hooked(server=dies.server), policy=POLICY)

    with pytest.raises(ReviewMissing):
        made.run(Request())
    with pytest.raises(ReviewMissing):
        made.run(replace(EMERGENCY, account=person(2)))
    assert made.run(EMERGENCY).error is None
    assert rows(journal).count() == 1
    assert events(journal) == ["policy.break_glass"]


def test_who_may_not_and_where_nothing_is_asked_for(made: Migrations, journal: Trail) -> None:
    """A permission of its own, a reason, an account; and no glass where there is none. Nothing is written."""
    powerless = get_user_model()(pk=7, username="powerless")
    powerless.save(using=journal.alias)
    free = migrations(Hooked(), policy={"test": {"approval": False}})

    with pytest.raises(NotEntitled):
        made.run(replace(EMERGENCY, account=powerless))
    for request in (replace(EMERGENCY, reason=""), replace(EMERGENCY, account=None)):
        with pytest.raises(UsageError):
            made.run(request)
    with pytest.raises(UsageError, match="asks for no approval"):
        free.run(EMERGENCY)
    assert (rows(journal).count(), events(journal)) == (0, [])


def test_review_that_the_trail_does_not_tell_of_is_none(
    made: Migrations, breaks: Breaks, journal: Trail
) -> None:
    """Written by SQL it lets nothing run; the record can't be changed or deleted."""
    made.run(EMERGENCY)
    with pytest.raises(DatabaseError, match="only be reviewed"), transaction.atomic(using=journal.alias):
        rows(journal).all().delete()
    rows(journal).update(reviewed_at="2026-01-01T00:00Z", reviewer_ref="0" * 32, reviewer_key="2")

    assert len(breaks.open()) == 1
    with pytest.raises(ReviewMissing):
        made.run(Request(kind=RunKind.REVERT, target=Target(to="zero")))


def test_health_is_critical_until_the_review(
    made: Migrations, breaks: Breaks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that reviews it."""
    settings = replace(conf.load(), environment="test")
    monkeypatch.setattr(conf, "load", lambda: settings)
    assert [found.level for found in break_health.look()] == [Level.OK]
    made.run(EMERGENCY)
    [row] = breaks.open()
    [found] = break_health.look()

    assert (found.level, found.value) == (Level.CRITICAL, 1)
    assert f"migration_approval review {row.short}" in found.hint
    breaks.review(row.reference, person(2), "read")
    assert [found.level for found in break_health.look()] == [Level.OK]
