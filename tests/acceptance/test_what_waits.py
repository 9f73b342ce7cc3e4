"""What waits for an account is what the service takes its yes to; a policy that nobody can keep is told."""

from __future__ import annotations

import pytest

from tests.fix_requests import PASSWORD, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.acceptance

PEOPLE = f"""
from django.contrib.auth.models import Group, Permission
def staff(name, permitted=True, **more):
    made = get_user_model().objects.create_user(name, password="{PASSWORD}", is_staff=True, **more)
    made.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr") if permitted else [])
    return made
dpo = staff("dpo")
Group.objects.create(name="dpo").user_set.add(dpo)
own = [staff(keys(3).alternates["email"]), staff(keys(3).alternates["email"].upper())]
more = [staff("idle", permitted=False), staff("locked", is_active=False)]
asked = [planned(3), planned(4), planned(5)]
requests.cancel(asked.pop(), by=filer)
everybody = [filer, approver, dpo, *own, *more, staff("puppet")]
"""
HELD_AGAINST = """
from django.conf import settings
from django.db import transaction
from accord.errors import AccordError
from gdpr.erasure import undecided
def takes(request, who):
    try:
        with transaction.atomic():
            approvals.approve(request, by=who, digest=request.plan_digest)
            transaction.set_rollback(True)
    except AccordError:
        return False
    return True
def compared():
    for who in everybody:
        listed = set(ErasureRequest.objects.filter(undecided.by(who)))
        yield who.username, sorted(asked.index(one) for one in listed), [
            number for number, one in enumerate(asked) if takes(one, who)]
told = [list(compared())]
settings.ACCORD["POLICY"] = {"erasure": {"approvals": 2}}
approvals.approve(asked[1], by=approver, digest=asked[1].plan_digest)
told.append(list(compared()))
settings.ACCORD["POLICY"] = {"erasure": {"approvals": {"dpo": 1}}}
told.append(list(compared()))
settings.ACCORD["POLICY"] = {}
address = reverse("admin:gdpr_erasurerequest_changelist")
def pages(who):
    page = client(who.username).get(address + "?waiting=mine")
    tiles = {tile["link"]: tile["count"] for tile in page.context["tiles"]}
    answer = client(who.username).get("/api/v1/erasure-requests/?mine_to_approve=true")
    return [page.context["cl"].queryset.count(), tiles["?waiting=mine"], answer.json()["count"]]
told.append([pages(who) for who in (own[0], everybody[-1], dpo)])
say(told)
"""


def test_lists_hold_exactly_what_the_service_takes(erasing: Erasing) -> None:
    """Not one's own, nobody's who was not known, nothing that one approved, nothing of another group."""
    one, two, group, pages = erasing.call(CLIENT + PEOPLE + HELD_AGAINST)

    for round_of in (one, two, group):
        assert all(listed == taken for _name, listed, taken in round_of), round_of
    assert [taken for _name, _listed, taken in one] == [[], [0, 1], [0, 1], [1], [1], [], [], []]
    assert [taken for _name, _listed, taken in two][1:3] == [[0], [0, 1]]
    assert [taken for _name, _listed, taken in group] == [[], [], [0, 1], *[[]] * 5]
    assert pages == [[1, 1, 1], [0, 0, 0], [2, 2, 2]]


TOLD = """
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import checks
from accord.health import runner
settings.ACCORD["POLICY"] = {
    "erasure": {"approvals": {"dpo": 1}}, "test": {"approval": True, "approvals": {"dba": 1}}}
def told(policy=None):
    settings.ACCORD["POLICY"] = policy or settings.ACCORD["POLICY"]
    chosen = [one for one in runner.discover() if one.name in ("approvals", "erasure.approvals")]
    return [
        {one.id: one.msg for one in checks.run_checks(databases=["default"]) if one.id.endswith(IDS)},
        [one.id for one in checks.run_checks() if one.id.endswith(IDS)],
        {one.name: [one.level.value, one.message] for one in runner.run_checks(chosen).findings}]
IDS = ("gdpr.W051", "migrator.W001")
unknown = told()
for name in ("dpo", "dba"):
    Group.objects.create(name=name).user_set.add(approver)
approver.is_active = False; approver.save()
empty = told()
approver.is_active = True; approver.save()
say([unknown, empty, told(), told({"erasure": {"approvals": 2}})])
"""


def test_policy_that_nobody_can_keep_is_told_before_it_is_needed(erasing: Erasing) -> None:
    """An unknown group and one without accounts, of both policies; where it can be kept nothing is said."""
    unknown, empty, kept, any_two = erasing.call(TOLD)

    for (asked, unasked, health), said in ((unknown, "which doesn't exist"), (empty, "0 active accounts")):
        assert sorted(asked) == ["gdpr.W051", "migrator.W001"]
        assert all(said in message for message in asked.values()), asked
        assert unasked == []
        assert {name: level for name, (level, _message) in health.items()} == {
            "approvals": "critical", "erasure.approvals": "critical"
        }  # fmt: skip
    assert (kept[0], sorted(level for level, _ in kept[2].values())) == ({}, ["ok", "ok"])
    assert any_two == [{}, [], {}]
