"""Whom a command is about: a key that no list of processes shows, and one of several people of one key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fix_project import ROOT
from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

TWO = """
from examples.streaming.models import Listener
Listener.objects.filter(pk=11).update(email="twice@example.com")
Listener.objects.filter(pk=12).update(email="Twice@Example.com")
users = get_user_model().objects
account = users.create_user("twice@example.com")
say(account.pk)
"""
OVER_HTTP = """
from django.test import Client
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
def file(**identifiers):
    body = {"subject": {"identifiers": identifiers}}
    return client.post("/api/v1/erasure-requests/", body, content_type="application/json")
several, one = file(email="TWICE@example.com"), file(email="TWICE@example.com", id="12")
another = file(email="TWICE@example.com", id="10")
found = state_changes.find(one.json()["reference"])
primary = encryption.keys_of(found).primary
say([several.status_code, several.json(), one.status_code, primary, another.status_code])
"""


def by_stdin(erasing: Erasing, line: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is given a line, and no terminal."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        input=line,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**erasing.project.environment, "ACCORD_PASSWORD": "only-for-one-test"},
        check=False,
    )


def test_key_by_standard_input_is_never_echoed(erasing: Erasing, tmp_path: Path) -> None:
    """Each command takes the first line, and none shows it; no line is refused."""
    [(email,)] = erasing.rows("SELECT email FROM streaming_listener WHERE id = 11")
    calls = [
        ("gdpr_erase", "-", "--by", "email", "--dry-run", "--format", "json"),
        ("gdpr_export", "-", "--by", "email", "--plain", "--output", str(tmp_path), "--format", "json"),
        ("gdpr_hold", "place", "-", "--reason", "17(3)(e)", "--as", "filer", "--noinput", "--format", "json"),
    ]

    done = [by_stdin(erasing, f"{email}\nnot this one\n", *call) for call in calls]
    empty = [by_stdin(erasing, "\n", *call) for call in calls]

    assert [one.returncode for one in done] == [0, 0, 0], [one.stderr for one in done]
    assert all(email not in one.stdout + one.stderr for one in done)
    assert {"listeners": 1}.items() <= {
        line["entry"]: line["found"] for line in json.loads(done[0].stdout)["entries"]
    }.items()
    assert [one.returncode for one in empty] == [2, 2, 2]
    assert all("Standard input has no key" in one.stdout + one.stderr for one in empty)


def test_one_of_several_people_is_told_and_chosen(erasing: Erasing) -> None:
    """What tells them apart is shown, masked; the one that is chosen is the only one that is counted."""
    erasing.call(TWO)
    asked = ("TWICE@example.com", "--by", "email", "--dry-run", "--format", "json")

    several = erasing.erase(*asked[:-2])
    chosen = [erasing.erase(*asked, "--choose", key) for key in ("11", "12", "10")]

    assert (several.returncode, "[ACC-802]" in several.stderr) == (2, True), several.stderr
    assert "id 11 (email t…@e…" in several.stderr
    assert "id 12 (email T…@E…" in several.stderr
    assert "wice@" not in several.stderr
    assert [one.returncode for one in chosen] == [0, 0, 2], chosen[0].stderr
    assert "ACC-801" in chosen[2].stdout + chosen[2].stderr


def test_one_of_several_people_is_chosen_over_http(erasing: Erasing) -> None:
    """By both identifiers; the id of somebody else is nobody."""
    erasing.call(TWO)

    status, told, chosen, primary, other = erasing.call(OVER_HTTP)

    assert (status, told["code"], chosen, primary, other) == (422, "ACC-802", 201, 12, 404)
    assert "id 11 (email t…@e…" in json.dumps(told, ensure_ascii=False)


def test_account_of_an_address_that_two_people_have_is_a_question(erasing: Erasing) -> None:
    """Who of them signs in with it only a person can say; an export holds it of neither."""
    account = erasing.call(TWO)

    counted = erasing.erase("11", "--by", "id", "--dry-run", "--format", "json")
    reference, state = erasing.call(
        "request = erasure.work(approved(11)); say([request.reference, request.state])"
    )
    shown = erasing.erase("--request", reference)

    found = {line["entry"]: line["found"] for line in json.loads(counted.stdout)["entries"]}
    assert (found["listeners"], found["django-users"]) == (1, 0)
    assert (state, "ACC-829" in shown.stdout) == ("needs_operator", True)
    assert erasing.rows(f"SELECT count(*) FROM auth_user WHERE id = {account}") == [(1,)]
