"""Four eyes are those of two people: no account made for the occasion, and never that of the person."""

from __future__ import annotations

import psycopg2
import pytest

from tests.fix_requests import PASSWORD, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.acceptance

PUPPET = f"""
from datetime import UTC, datetime
puppet = get_user_model().objects.create_superuser(
    "puppet", password="{PASSWORD}", date_joined=datetime(2001, 1, 1, tzinfo=UTC)
)
"""
OF_THE_PERSON = f"""
from django.contrib.auth.models import Permission
theirs = get_user_model().objects.create_user(
    keys(3).alternates["email"], password="{PASSWORD}", is_staff=True
)
theirs.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr"))
"""
FORGED = """
INSERT INTO accord_actorreference (ref, kind, key, made_at)
SELECT repeat('a', 32), 'auth.user', id::text, '2001-01-01' FROM auth_user WHERE username = 'puppet'
ON CONFLICT DO NOTHING;
INSERT INTO gdpr_approval
    (request_id, plan_digest, decision, filed_by_id, decided_by_id, decided_at, expires_at)
SELECT r.id, plan_digest, 'approved', filed_by_id, u.id, now(), now() + interval '1 day'
FROM gdpr_erasurerequest AS r, auth_user AS u WHERE reference = '{reference}' AND username = 'puppet';
UPDATE gdpr_erasurerequest
SET state = 'approved', approved_by_id = (SELECT id FROM auth_user WHERE username = 'puppet'),
    approval_expires_at = now() + interval '1 day' WHERE reference = '{reference}'
"""


def approve(erasing: Erasing, reference: str, name: str) -> int:
    """Approve a request at the command line, and give the exit code."""
    return erasing.erase("--request", reference, "--approve", "--as", name).returncode


def test_account_made_for_the_occasion_is_no_second_person(erasing: Erasing) -> None:
    """Whatever its date of joining says, the trail had not seen it; what is filed later, it may decide."""
    reference = erasing.reference("planned(3)")
    erasing.call(PUPPET)

    first = erasing.erase("--request", reference, "--approve", "--as", "puppet")
    again = erasing.erase("--request", reference, "--reject", "17(3)(e)", "--as", "puppet")
    later = erasing.reference("planned(4)")

    assert (first.returncode, again.returncode) == (4, 4), first.stderr + again.stderr
    assert "ACC-823" in first.stderr
    assert "was not known here when" in first.stderr
    assert erasing.state(reference) == "planned"
    assert approve(erasing, later, "puppet") == 0
    assert erasing.erase("--request", later).returncode == 0


def test_mark_of_the_first_sight_is_the_servers(erasing: Erasing) -> None:
    """SQL sets no older mark: the database overwrites it, and refuses to change it."""
    reference = erasing.reference("planned(3)")
    erasing.call(PUPPET)

    erasing.execute(FORGED.format(reference=reference))
    done = erasing.erase("--request", reference)
    with pytest.raises(psycopg2.errors.RestrictViolation):
        erasing.execute("UPDATE accord_actorreference SET made_at = '2001-01-01'")

    assert (done.returncode, "[ACC-826]" in done.stderr) == (5, True), done.stdout + done.stderr
    assert "did not know the account" in done.stderr
    assert erasing.state(reference) == "planned"


def test_person_decides_nothing_about_themselves(erasing: Erasing) -> None:
    """The data map leads from the listener to their account: at every door that account is the person."""
    erasing.call(OF_THE_PERSON)
    reference, other = erasing.call("say([planned(key).reference for key in (3, 4)])")
    name = erasing.call('say(keys(3).alternates["email"])')

    refused = erasing.erase("--request", reference, "--approve", "--as", name)
    pages = erasing.call(
        f"""{CLIENT}
request, theirs = state_changes.find("{reference}"), client("{name}")
answer = {{"digest": request.plan_digest, "reason": "mine"}}
theirs.post(page("erasurerequest_approve", request), answer)
theirs.post(page("erasurerequest_reject", request), {{"ground": "17(3)(e)", "reason": "mine"}})
say([fresh(request).state, "is about yourself" in text(theirs.get(page("erasurerequest_change", request)))])
"""
    )

    assert (refused.returncode, "is about yourself" in refused.stderr) == (4, True), refused.stderr
    assert pages == ["planned", True]
    assert approve(erasing, other, name) == 0


def test_account_that_becomes_the_persons_after_its_yes_does_not_count(erasing: Erasing) -> None:
    """It is asked again when the erasure begins, by the names that accounts have then."""
    reference = erasing.reference("approved(3)")
    erasing.execute(
        "UPDATE auth_user SET username = (SELECT email FROM streaming_listener WHERE id = 3) "
        "WHERE username = 'approver'"
    )

    done = erasing.erase("--request", reference)

    assert (done.returncode, "[ACC-826]" in done.stderr) == (5, True), done.stdout + done.stderr
    assert "that of the person whom it is about" in done.stderr
    assert erasing.state(reference) == "planned"


def test_person_files_for_themselves_without_a_permission(erasing: Erasing) -> None:
    """By the same links: their own request needs no permission of staff; anybody else's does."""
    erasing.call(OF_THE_PERSON.replace('filter(content_type__app_label="gdpr")', "none()"))

    found = erasing.call(
        """
from accord.errors import NotAllowed
theirs = get_user_model().objects.get(username=keys(3).alternates["email"])
own = requests.file_request(keys(3), by=theirs, channel=Channel.API)
try:
    requests.file_request(keys(4), by=theirs, channel=Channel.API)
except NotAllowed as exc:
    say([own.state, exc.code])
"""
    )

    assert found == ["received", "ACC-824"]


def test_hold_is_released_by_who_was_known_when_it_was_placed(erasing: Erasing) -> None:
    """A hold keeps evidence; an account made to release it is refused, an old one isn't."""
    held = ("gdpr_hold", "place", "3", "--by", "id", "--reason", "17(3)(e)", "--as", "filer")
    assert erasing.command(*held).returncode == 0
    erasing.call(PUPPET)
    [(hold,)] = erasing.rows("SELECT reference FROM gdpr_legalhold")

    refused = erasing.command("gdpr_hold", "release", str(hold), "--as", "puppet")
    done = erasing.command("gdpr_hold", "release", str(hold), "--as", "approver")

    assert (refused.returncode, "ACC-823" in refused.stderr) == (4, True), refused.stderr
    assert done.returncode == 0, done.stderr


def test_who_may_decide_by_a_group_is_known(erasing: Erasing) -> None:
    """Permissions come by a group as well as by the account; both are seen when something is filed."""
    erasing.call(
        f"""
from django.contrib.auth.models import Group, Permission
group = Group.objects.create(name="Privacy")
group.permissions.set(Permission.objects.filter(codename="approve_erasurerequest"))
get_user_model().objects.create_user("member", password="{PASSWORD}").groups.add(group)
get_user_model().objects.create_user("later", password="{PASSWORD}")
"""
    )
    reference = erasing.reference("planned(3)")
    erasing.execute("UPDATE auth_user SET is_superuser = true WHERE username = 'later'")

    assert approve(erasing, reference, "later") == 4
    assert approve(erasing, reference, "member") == 0


def test_yes_of_an_approver_who_is_erased_ends_with_them(erasing: Erasing) -> None:
    """What they approved waits for another yes; what was done by their yes stays proved, and names nobody."""
    erasing.call(OF_THE_PERSON)
    name = str(erasing.call('say(keys(3).alternates["email"])'))
    done, waits = erasing.call("say([planned(key).reference for key in (4, 5)])")
    assert [approve(erasing, one, name) for one in (done, waits)] == [0, 0]
    assert erasing.erase("--request", done).returncode == 0

    own = erasing.reference("approved(3)")
    gone = erasing.erase("--request", own)
    refused = erasing.erase("--request", waits)
    trail = erasing.command("audit_verify", "--full", "--format", "json")

    assert gone.returncode == 0, gone.stdout + gone.stderr
    assert erasing.rows(f"SELECT 1 FROM auth_user WHERE username = '{name}'") == []
    assert (refused.returncode, "[ACC-826]" in refused.stderr) == (5, True), refused.stdout + refused.stderr
    assert "gone or not active any more" in refused.stderr
    assert (erasing.state(waits), erasing.holdings(5)["listener"]) == ("planned", 1)
    assert trail.returncode == 0, trail.stdout + trail.stderr
    assert name not in trail.stdout + refused.stderr
