"""Approvals of erasures: several persons by group, taking a yes back, and clocks that were set back."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

SHORT = "from django.conf import settings; settings.ACCORD['POLICY'] = {'erasure': {'approval_days': 0}}\n"
TWO_DAYS_BACK = """
from datetime import timedelta
from accord import clock
from gdpr.errors import ApprovalVoid
own = clock.now
clock.now = lambda: own() - timedelta(days=2)
"""
TRIED = """
try:
    said = saga.work(state_changes.find("{reference}")).state
except ApprovalVoid as exc:
    said = str(exc)
say(said)
"""


def test_approval_that_expired_stays_so_where_the_clock_of_the_machine_is_set_back(erasing: Erasing) -> None:
    """The server of the row says what time it is; the neighbour, in time by that clock, is carried out."""
    late = erasing.call(SHORT + "say(approved(3).reference)")
    in_time = erasing.reference("approved(4)")

    tried = [erasing.call(TWO_DAYS_BACK + TRIED.format(reference=one)) for one in (late, in_time)]

    assert "no approval that still counts" in tried[0]
    assert erasing.state(late) == "planned"
    assert tried[1].startswith("completed")


SEVERAL = """
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from accord.errors import AccordError
settings.ACCORD["POLICY"] = {"erasure": {"approvals": {"dpo": 1, "security": 1}}}
def member(name, group):
    user, _ = get_user_model().objects.get_or_create(username=name, defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr"))
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    return user
def approve(request, who):
    try:
        held = ErasureRequest.objects.get(pk=request.pk)
        approvals.approve(held, by=who, digest=request.plan_digest, reason="x")
    except AccordError as exc:
        return str(exc)
    held = ErasureRequest.objects.get(pk=request.pk)
    return [held.state, approvals.standing(held).words]
def carried_out(request):
    try:
        return saga.work(ErasureRequest.objects.get(pk=request.pk)).state
    except AccordError as exc:
        return str(exc)
"""
BOTH = """
hopeless = approve(planned(5), approver)
dpo, guard = member("dpo", "dpo"), member("guard", "security")
request = planned(6)
said = [hopeless, *(approve(request, who) for who in (approver, dpo, dpo, guard))]
guard.groups.clear()
left = carried_out(request)
guard.groups.add(Group.objects.get(name="security"))
again = [approve(request, dpo), approve(request, guard), carried_out(request)]
say([said, left, again])
"""


def test_erasure_begins_when_one_of_each_group_has_said_yes(erasing: Erasing) -> None:
    """Whoever left the group meanwhile said yes in vain, and everybody is asked again."""
    said, left, again = erasing.call(SEVERAL + BOTH)

    assert "names the group “dpo”, which doesn't exist" in said[0]
    assert "none of the groups whose approval is asked for: dpo, security" in said[1]
    assert said[2] == ["planned", "1 of 2; security is missing"]
    assert "already: 1 of 2; security is missing" in said[3]
    assert said[4] == ["approved", "2 of 2"]
    assert "it has 1 of 2; security is missing" in left
    assert again[0] == ["planned", "1 of 2; security is missing"]
    assert again[1] == ["approved", "2 of 2"]
    assert again[2].startswith("completed")


def test_yes_to_an_erasure_is_taken_back_until_it_begins(erasing: Erasing) -> None:
    """The plan waits for approval again, with an event; what has begun is for a legal hold."""
    reference = erasing.reference("approved(3)")
    at = ("--request", reference, "--revoke", "--as")

    silent = erasing.erase(*at, "approver")
    own = erasing.erase(*at, "filer", "--reason", "x")
    taken = erasing.erase(*at, "approver", "--reason", "a claim came up")
    twice = erasing.erase(*at, "approver", "--reason", "again")
    before = erasing.holdings(3)
    erasing.command("gdpr_process")

    assert (silent.returncode, own.returncode, taken.returncode) == (2, 4, 0), silent.stderr + taken.stderr
    assert "There is no approval" in twice.stderr
    assert (erasing.state(reference), erasing.holdings(3)) == ("planned", before)
    assert erasing.command("audit_verify").returncode == 0
    assert erasing.erase("--request", reference, "--approve", "--as", "approver").returncode == 0
    assert erasing.erase("--request", reference).returncode == 0
    late = erasing.erase(*at, "approver", "--reason", "too late")
    assert "can't be taken back: it is" in late.stderr
    assert "a legal hold stops it" in late.stderr
