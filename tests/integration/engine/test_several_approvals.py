"""Several persons' yes-es to a plan, by group, and taking one back: before the run, and while it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction

from accord import conf
from accord.approvals.quorum import Quorum
from accord.errors import ConfigurationError
from migrator.engine.request import Request
from migrator.errors import ApprovalClosed, NotEntitled, PlanNotApproved
from migrator.governance.approvals import Approvals
from migrator.governance.policy import Policy
from migrator.models import ApprovalState, PlanYes
from tests.fix_trail import Trail
from tests.integration.engine.test_exits import (
    STEPS,
    Hooked,
    accounts,
    at_nothing,
    journal,
    migrations,
    person,
    work_of,
)

__all__ = ["accounts", "journal"]
pytestmark = pytest.mark.usefixtures("accounts")
BY_GROUP = Quorum(places=("dba", "security"))


@pytest.fixture
def book(journal: Trail) -> Approvals:
    """Give approvals that take one of each group; 2 is in both, 3 in security, 4 in none."""
    for key in (3, 4):
        person(key).save(using=journal.alias)
    for name, members in {"dba": (2,), "security": (2, 3)}.items():
        group = Group.objects.using(journal.alias).create(name=name)
        for key in members:
            person(key).groups.through.objects.using(journal.alias).create(user_id=key, group_id=group.pk)
    settings = replace(conf.load(), environment="test")
    return Approvals(settings, Policy(approval=True, approvals=BY_GROUP))


def yes(book: Approvals, reference: str, key: int) -> ApprovalState:
    """Let an account say yes, and give what became of the request."""
    return ApprovalState(book.approve(reference, person(key), "read", at_nothing).state)


def test_plan_runs_when_one_of_each_group_has_said_yes(book: Approvals) -> None:
    """What is missing is told, a person counts once, and one of neither group is refused."""
    asked = book.request(work_of(STEPS), person(1), "release")

    with pytest.raises(NotEntitled, match=r"none of the groups .* dba, security"):
        yes(book, asked.reference, 4)
    assert yes(book, asked.reference, 2) is ApprovalState.REQUESTED
    with pytest.raises(ApprovalClosed, match="already: 1 of 2; security is missing"):
        yes(book, asked.reference, 2)
    with pytest.raises(PlanNotApproved, match="1 of 2; security is missing"):
        book.covering(work_of(STEPS))
    assert yes(book, asked.reference, 3) is ApprovalState.APPROVED
    assert book.covering(work_of(STEPS)).reference == asked.reference


def test_account_that_left_its_group_said_yes_in_vain(book: Approvals, journal: Trail) -> None:
    """Groups are read when it begins; another one of the group completes it again."""
    asked = book.request(work_of(STEPS), person(1), "release")
    for key in (2, 3):
        yes(book, asked.reference, key)
    members = person(1).groups.through.objects.using(journal.alias)
    members.filter(user_id=3).delete()

    with pytest.raises(PlanNotApproved, match="1 of 2; security is missing"):
        book.covering(work_of(STEPS))
    members.create(user_id=4, group_id=Group.objects.using(journal.alias).get(name="security").pk)
    assert yes(book, asked.reference, 4) is ApprovalState.APPROVED
    assert book.covering(work_of(STEPS)).reference == asked.reference


@pytest.mark.parametrize(("name", "said"), [("nobody", "doesn't exist"), ("dba", "has 1 active accounts")])
def test_policy_that_nobody_can_keep_is_an_error(book: Approvals, name: str, said: str) -> None:
    """When it is asked for, and not when everybody has waited."""
    policy = Policy(approval=True, approvals=Quorum(places=(name, name)))
    hopeless = Approvals(replace(conf.load(), environment="test"), policy)

    with pytest.raises(ConfigurationError, match=said):
        hopeless.request(work_of(STEPS), person(1), "release")


def test_yes_that_was_taken_back_counts_no_more(book: Approvals, journal: Trail) -> None:
    """One's own alone, with its event; it can be given again, and what was taken back stays on record."""
    asked = book.request(work_of(STEPS), person(1), "release")
    for key in (2, 3):
        yes(book, asked.reference, key)

    assert book.revoke(asked.reference, person(3), "found a lock").state == ApprovalState.REQUESTED
    with pytest.raises(PlanNotApproved, match="1 of 2; security is missing"):
        book.covering(work_of(STEPS))
    with pytest.raises(DatabaseError, match="only be taken back"), transaction.atomic(using=journal.alias):
        PlanYes.objects.using(journal.alias).filter(account_key="3").update(revoked_at=None)
    assert yes(book, asked.reference, 3) is ApprovalState.APPROVED
    assert book.revoke(asked.reference, person(4), "all of it").state == ApprovalState.REQUESTED
    assert book.standing(asked)[asked.pk].given == 0
    with pytest.raises(ApprovalClosed, match="no yes to take back"):
        book.revoke(asked.reference, person(4), "again")
    rows = PlanYes.objects.using(journal.alias).values_list("account_key", "revoker_key")
    assert sorted(rows) == [("2", "4"), ("3", "3"), ("3", "4")]


def test_run_whose_approval_is_taken_back_stops_before_its_next_step(journal: Trail) -> None:
    """What is done stays done and is struck off; once it is approved again, the same call continues."""
    made = migrations(Hooked(), policy={"test": {"approval": True}})
    book = made.gate().approvals
    asked = book.request(work_of(STEPS), person(1), "release")
    book.approve(asked.reference, person(2), "read", at_nothing)

    def after_one(event: Any) -> None:
        if type(event).__name__ == "StepFinished" and book.find(asked.reference).state == "approved":
            book.revoke(asked.reference, person(2), "found a lock")

    stopped = made.run(Request(), report=after_one)

    left = book.find(asked.reference)
    assert isinstance(stopped.error, PlanNotApproved), stopped.error
    assert "taken back while the run went on" in stopped.error.message
    assert len(stopped.execution.outcomes) == 1
    assert (left.state, len(left.remaining)) == (ApprovalState.REQUESTED, len(STEPS) - 1)
    with pytest.raises(PlanNotApproved, match="waits for another person's approval"):
        made.run(Request())
    book.approve(asked.reference, person(2), "mended", at_nothing)
    assert made.run(Request()).error is None
    assert book.find(asked.reference).state == ApprovalState.USED
    with pytest.raises(ApprovalClosed, match="it is used"):
        book.revoke(asked.reference, person(2), "too late")
