"""An e-mail address is given again: whoever has it after an erasure is asked about, and not erased."""

from __future__ import annotations

import json

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

SIGN_UP = """
from django.contrib.auth.models import Group
from examples.streaming.models import Listener
email = Listener.objects.get(pk={key}).email
old = get_user_model().objects.create_user(email)
old.groups.add(Group.objects.create(name="listeners"))
request = erasure.work(approved({key}))
new = get_user_model().objects.create_user(email)
new.groups.add(Group.objects.get(name="listeners"))
say([request.reference, request.state, old.pk, new.pk])
"""
DOORS = """
from django.test import Client
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
asked = client.get("/admin/gdpr/erasurerequest/" + str(state_changes.find("{reference}").pk) + "/whose/")
told = client.post(
    "/api/v1/erasure-requests/{reference}/whose/",
    {{"entry": "django-users", "same_person": False}},
    content_type="application/json",
)
say(["Look at it before you answer" in asked.content.decode(), told.status_code, told.json().get("state")])
"""
STANDS = """
SELECT count(*) FROM auth_user AS u JOIN auth_user_groups AS g ON g.user_id = u.id WHERE u.id = {key}
"""
TOMORROW = "UPDATE gdpr_erasurerequest SET verify_again_at = now() WHERE verify_again_at IS NOT NULL"


def look_again(erasing: Erasing) -> dict[str, list[str]]:
    """Let a day go by, and cron come."""
    erasing.execute(TOMORROW)
    found: dict[str, list[str]] = json.loads(erasing.command("gdpr_process", "--format", "json").stdout)
    return found


def stands(erasing: Erasing, account: int) -> bool:
    """Return whether an account is there, and still in its group."""
    return erasing.rows(STANDS.format(key=account)) == [(1,)]


def test_new_account_with_the_address_of_an_erased_person_stays(erasing: Erasing) -> None:
    """The second look asks a person; “somebody else” closes the request and touches nothing."""
    reference, state, old, new = erasing.call(SIGN_UP.format(key=11))

    cron = look_again(erasing)
    shown = erasing.erase("--request", reference)
    resumed = erasing.erase("--request", reference, "--resume")
    by_hand = erasing.erase("--request", reference, "--confirm", "django-users", "--as", "filer")
    asked = stands(erasing, new)
    told = erasing.erase("--request", reference, "--another-person", "django-users", "--as", "filer")
    done = erasing.erase("--request", reference)
    closed = look_again(erasing)

    assert (state, stands(erasing, old)) == ("completed_with_retention", False)
    assert cron["reopened"] == [reference]
    assert "ACC-829" in shown.stdout
    assert "--another-person ENTRY" in shown.stdout
    assert (shown.returncode, resumed.returncode, by_hand.returncode) == (3, 3, 3)
    assert "[ACC-829]" in by_hand.stderr
    assert asked
    assert (told.returncode, done.returncode) == (0, 0), told.stderr + done.stderr
    assert closed["verified"] == [reference]
    assert stands(erasing, new)
    erasing.assert_gone(11)


def test_account_that_is_the_same_person_again_is_erased_when_a_person_says_so(erasing: Erasing) -> None:
    """Their rows, and what refers to them, go as those of the first time did."""
    reference, _, _, new = erasing.call(SIGN_UP.format(key=12))
    look_again(erasing)

    told = erasing.erase("--request", reference, "--same-person", "django-users", "--as", "filer")
    done = erasing.erase("--request", reference)
    again = erasing.erase("--request", reference, "--same-person", "django-users", "--as", "filer")

    assert (told.returncode, done.returncode) == (0, 0), told.stderr + done.stderr
    assert erasing.rows(f"SELECT count(*) FROM auth_user WHERE id = {new}") == [(0,)]
    assert (again.returncode, "[ACC-822]" in again.stderr) == (2, True)
    assert look_again(erasing)["verified"] == [reference]


def test_address_that_is_given_again_while_a_store_is_away_is_not_erased_with_it(erasing: Erasing) -> None:
    """Between the fence and the step of an entry, too, only what was there at the fence is erased."""
    reference, new = erasing.call(
        """
from examples.streaming.models import Listener
email = Listener.objects.get(pk=10).email
users = get_user_model().objects
old = users.create_user(email)
request = begun(10)
users.filter(pk=old.pk).update(username="changed-meanwhile")
new = users.create_user(email)
erasure.work(request)
say([request.reference, new.pk])
"""
    )

    assert erasing.state(reference) == "needs_operator"
    assert erasing.rows(f"SELECT count(*) FROM auth_user WHERE id = {new}") == [(1,)]
    pages = erasing.call(DOORS.format(reference=reference))
    assert (pages[0], pages[1], pages[2]) == (True, 202, "executing")
    assert erasing.erase("--request", reference).returncode == 0
    assert erasing.rows(f"SELECT count(*) FROM auth_user WHERE id = {new}") == [(1,)]
