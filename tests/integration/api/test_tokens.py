"""Tokens: shown once, kept as a digest, gone with the password, and of a program alone if so made."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fix_api import PASSWORD, Served
from tests.forks import Finished

pytestmark = pytest.mark.integration

ENDS = """
from datetime import timedelta
from django.test import override_settings
from accord import clock
from accord.models import AccessToken

def tried(token): return with_token(token).get("/api/v1/schema/").status_code
user = get_user_model().objects.create_user(name, password="before")
fresh = lambda: tokens.issue(user, by=user).text
found = {"good": tried(fresh())}
found["twice"] = fresh() != fresh()
token = fresh()
found["halves"] = [tried(one) for one in (token[:-1], token + "x", "", "x y", token.upper())]
old = settings.SECRET_KEY
new = "another key of more than fifty characters, all of it new"
with override_settings(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old]):
    found["replaced"] = tried(token)
with override_settings(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[]):
    found["forgotten"] = tried(token)
user.set_password("after")
user.save()
found["password"] = tried(token)
token = fresh()
found["anew"] = tried(token)
day, of_user = timedelta(days=1), AccessToken.objects.filter(account=user.pk)
of_user.update(made_at=clock.now() - 2 * day, expires_at=clock.now() - day)
found["expired"] = tried(token)
token = fresh()
found["left"] = of_user.count()
get_user_model().objects.filter(pk=user.pk).update(is_active=False)
found["inactive"] = tried(token)
user.delete()
found["gone"] = tried(token)
say(found)
"""
IN_THE_ADMIN = """
from django.test import Client
from django.urls import reverse
from accord.models import AccessToken

approver = get_user_model().objects.get(username="approver")
issued = tokens.issue(approver, by=approver, label="nightly")
kept = AccessToken.objects.get(pk=issued.kept.pk)
root = get_user_model().objects.create_superuser(name)
super_, visitor = Client(), Client()
super_.force_login(root)
get_user_model().objects.filter(username="nobody").update(is_staff=True)
visitor.force_login(get_user_model().objects.get(username="nobody"))
page = reverse("admin:accord_accesstoken_change", args=[kept.pk])
revoke = reverse("admin:accord_accesstoken_revoke", args=[kept.pk])
pages = [super_.get(one) for one in (reverse("admin:accord_accesstoken_changelist"), page, revoke)]
shown = "".join(one.content.decode() for one in pages)
secret = issued.text.rpartition("_")[2]
told = [word in shown for word in (kept.short, "nightly", "approver")]
hidden = [word in shown for word in (secret, kept.digest, kept.fingerprint, issued.text)]
adding = super_.get(reverse("admin:accord_accesstoken_add")).status_code
closed = visitor.get(page).status_code, visitor.post(revoke).status_code
still = with_token(issued.text).get("/api/v1/schema/").status_code
done = super_.post(revoke, follow=True)
after = with_token(issued.text).get("/api/v1/schema/").status_code
say([[one.status_code for one in pages], told, hidden, adding, closed, still, done.status_code, after])
"""
PROGRAM = """
user = get_user_model().objects.get(username="approver")
robot = with_token(tokens.issue(user, by=user, service=True).text)
def post(path, body=None): return robot.post("/api/v1/" + path, body or {}, format="json")
shown = planned(key)
at = f"erasure-requests/{shown['reference']}/"
own = post("erasure-requests/", {"subject": subject(other), "identity": "staff"})
decided = [
    problem(post(at + "approve/", {"digest": shown["plan_digest"], "reason": "seen"})),
    problem(post(at + "reject/", {"ground": "17(3)(e)", "reason": "seen"})),
    problem(post(at + "confirm/", {"entry": "x"})),
    problem(post(at + "whose/", {"entry": "x", "same_person": True})),
    problem(post("holds/" + "0" * 32 + "/release/")),
    problem(post("holds/", {})),
    problem(post("plan-approvals/" + "0" * 32 + "/approve/", {"reason": "seen"})),
    problem(post("plan-approvals/" + "0" * 32 + "/reject/", {"reason": "seen"})),
]
planned_by_it = post("erasure-requests/" + own.json()["reference"] + "/plan/").status_code
person = approve("approver", shown).status_code
say([own.status_code, planned_by_it, decided, person])
"""


def test_token_ends_with_what_it_is_bound_to(served: Served) -> None:
    """Expiry, password, activity, account and secret: any of them; nobody is told which it was."""
    found = SimpleNamespace(**served.call(ENDS, name="bound"))

    assert (found.good, found.twice, found.anew, found.replaced) == (200, True, 200, 200)
    assert found.halves == [401] * 5
    assert [found.forgotten, found.password, found.expired, found.inactive, found.gone] == [401] * 5
    assert found.left == 1


def test_nobody_reads_a_token_in_the_admin(served: Served) -> None:
    """A superuser sees whose there are and ends one; neither text, digest nor fingerprint is shown."""
    pages, told, hidden, adding, closed, still, done, after = served.call(IN_THE_ADMIN, name="root-of-tokens")

    assert pages == [200, 200, 200]
    assert told == [True, True, True]
    assert hidden == [False] * 4
    assert (adding, closed, still, done, after) == (403, [403, 403], 200, 200, 401)


def test_program_files_and_decides_nothing(served: Served, listener: int) -> None:
    """The account might; by a token of a program it may not, at any operation that decides."""
    filed, planned, decided, person = served.call(PROGRAM, key=listener, other=next(served.keys))

    assert (filed, planned, person) == (201, 200, 202)
    assert decided == [[403, "ACC-824"]] * 8


def command(served: Served, *arguments: str, by: str) -> Finished:
    """Run accord_token as an account."""
    acting = ("--as", by, "--noinput", "--format", "json")
    project = replace(served.project, extra={**served.project.extra, "ACCORD_PASSWORD": PASSWORD})
    return project.run("accord_token", *arguments, *acting)


def answer(done: Finished) -> Any:
    """Give what a command answered."""
    return json.loads(done.stdout)


def test_command_shows_a_token_once(served: Served) -> None:
    """Made, used, listed without what signs in, ended; of each the trail has who."""
    made = answer(command(served, "create", "--label", "CI", "--days", "2", by="filer"))
    tried = "say(with_token(token).get('/api/v1/schema/').status_code)"
    before = served.call(tried, token=made["token"])
    listed = command(served, "list", by="filer")
    ended = command(served, "revoke", made["reference"][:8], by="filer")
    after = served.call(tried, token=made["token"])

    assert (before, after, listed.returncode, ended.returncode) == (200, 401, 0, 0)
    assert made["reference"] in [one["reference"] for one in answer(listed)["tokens"]]
    assert made["token"] not in listed.stdout + ended.stdout
    events = served.rows(
        f"SELECT event FROM accord_auditevent WHERE object_ref = '{made['reference']}' ORDER BY seq"
    )
    assert events == [("token.issued",), ("token.revoked",)]
    [(dumped,)] = served.rows("SELECT string_agg(t::text, ' ') FROM accord_accesstoken AS t")
    assert made["token"].rpartition("_")[2] not in str(dumped)


def test_command_makes_no_token_of_another_person(served: Served) -> None:
    """Not even with the permission, unless a program alone has it; and ends those of others with one only."""
    personal = command(served, "create", "--account", "approver", by="filer")
    unknown = command(served, "create", "--account", "nobody-at-all", "--service", by="filer")
    without = command(served, "create", "--account", "approver", "--service", by="nobody")
    long = command(served, "create", "--days", "100000", by="filer")
    made = answer(command(served, "create", "--account", "approver", "--service", by="filer"))
    foreign = command(served, "revoke", made["reference"], by="nobody")
    looked = command(served, "list", "--account", "approver", by="nobody")
    ended = command(served, "revoke", made["reference"], by="filer")

    codes = [one.returncode for one in (personal, unknown, without, long, foreign, looked, ended)]
    assert codes == [4, 2, 4, 2, 4, 4, 0], personal.stdout + foreign.stdout
    assert made["service"] is True


def test_file_of_a_token_is_for_its_owner_alone(served: Served, tmp_path: Path) -> None:
    """A new file of mode 0600; one that is there stays as it is, and no token is made."""
    before = served.rows("SELECT count(*) FROM accord_accesstoken")
    file, there = tmp_path / "token", tmp_path / "there"
    there.write_text("mine")

    done = command(served, "create", "--output", str(file), by="filer")
    refused = command(served, "create", "--output", str(there), by="filer")
    nowhere = command(served, "create", "--output", str(tmp_path / "no" / "token"), by="filer")

    assert (done.returncode, refused.returncode, nowhere.returncode) == (0, 2, 2), done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("accord_")
    assert answer(done)["token"] is None
    assert there.read_text() == "mine"
    assert served.rows("SELECT count(*) FROM accord_accesstoken") == [(int(before[0][0]) + 1,)]
