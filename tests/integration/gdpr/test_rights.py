"""Requests for correction, and objections: on record with their deadline, and answered once."""

from __future__ import annotations

import json

import psycopg2
import pytest

from tests.fix_requests import Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

WORDS = "Born in 1984, not in 1948"
EVENTS = """
    SELECT event, outcome FROM accord_auditevent WHERE event LIKE 'right.%' ORDER BY seq
"""
ROW = "SELECT kind, state, refusal_ground, sealed_keys IS NULL, sealed_note IS NULL FROM gdpr_rightsrequest"
FILED = ("file", "7", "--by", "id", "--kind", "correction", "--note", WORDS, "--as", "filer")


def rights(erasing: Erasing, *arguments: str) -> tuple[int, str]:
    done = erasing.command("gdpr_rights", *arguments, "--noinput", "--format", "json")
    return done.returncode, done.stdout


def reference(answer: tuple[int, str]) -> str:
    code, text = answer
    assert code == 0, text
    return str(json.loads(text)["requests"][0]["request"])


def test_request_goes_its_way_by_command(erasing: Erasing) -> None:
    """Received on a day, taken up, answered; closed for good, and what was asked is destroyed."""
    filed = reference(rights(erasing, *FILED, "--received", "2026-01-31"))
    key = f"SELECT count(*) FROM gdpr_requestkey WHERE reference = '{filed}'"
    [(before,)] = erasing.rows(key)
    nobody = rights(erasing, "answer", filed, "--note", "Done", "--as", "nobody")
    taken = rights(erasing, "take", filed[:8], "--as", "approver")
    again = rights(erasing, "take", filed, "--as", "filer")
    answered = rights(erasing, "answer", filed, "--note", "Corrected", "--as", "approver")
    late = rights(erasing, "refuse", filed, "--ground", "12(5)", "--note", "no", "--as", "approver")
    [(after,)] = erasing.rows(key)

    assert [code for code, _ in (nobody, taken, again, answered, late)] == [4, 0, 2, 0, 2]
    assert WORDS not in taken[1] + answered[1]
    assert json.loads(taken[1])["requests"][0]["due_at"].startswith("2026-02-28")
    assert erasing.rows(ROW) == [("correction", "answered", "", True, False)]
    assert (before, after) == (1, 0)
    assert erasing.rows(EVENTS) == [(f"right.{word}", "done") for word in ("received", "taken", "answered")]
    assert erasing.command("audit_verify").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("file", "7", "--by", "id", "--note", "x", "--as", "filer"),
        ("file", "7", "--by", "id", "--kind", "objection", "--as", "filer"),
        ("file", "--kind", "objection", "--note", "x", "--as", "filer"),
        ("file", "7", "--by", "id", "--kind", "objection", "--note", "x", "--received", "2999-01-01"),
        ("file", "7", "--by", "id", "--kind", "objection", "--note", "x", "--received", "yesterday"),
        ("refuse", "ffff", "--note", "x", "--as", "filer"),
        ("answer", "ffff", "--note", "x", "--as", "filer"),
        ("answer", "fff", "--note", "x", "--as", "filer"),
    ],
)
def test_what_is_missing_or_wrong_is_said_and_changes_nothing(
    erasing: Erasing, arguments: tuple[str, ...]
) -> None:
    """A right, words, a person, a day that was, a ground, a request that there is."""
    assert rights(erasing, *arguments)[0] == 2
    assert erasing.rows(ROW) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM gdpr_rightsrequest",
        "UPDATE gdpr_rightsrequest SET due_at = due_at + interval '1 year'",
        "UPDATE gdpr_rightsrequest SET subject_tag = 'x'",
        "UPDATE gdpr_rightsrequest SET state = 'answered'",
        "UPDATE gdpr_rightsrequest SET state = 'refused', closed_at = now(), sealed_keys = NULL",
    ],
)
def test_database_keeps_what_came_in(erasing: Erasing, statement: str) -> None:
    """Past every service: no row goes, no deadline moves, nothing is over without its day and ground."""
    reference(rights(erasing, *FILED))
    before = erasing.rows("SELECT * FROM gdpr_rightsrequest")

    with pytest.raises(psycopg2.errors.IntegrityError):
        erasing.execute(statement)

    assert erasing.rows("SELECT * FROM gdpr_rightsrequest") == before


def test_answer_that_the_trail_does_not_know_is_found(erasing: Erasing) -> None:
    """Whoever closes a request by SQL leaves a row that no event tells of."""
    reference(rights(erasing, *FILED))
    erasing.execute("UPDATE gdpr_rightsrequest SET state = 'answered', closed_at = now(), sealed_keys = NULL")

    found = erasing.command("audit_verify", "--full")

    assert found.returncode == 6
    assert "request of a right" in found.stdout + found.stderr


def test_overdue_one_is_critical_and_keys_of_open_ones_stay(erasing: Erasing) -> None:
    """Health counts it like an erasure; destroying keys of others leaves its own."""
    filed = reference(rights(erasing, *FILED, "--received", "2026-01-31"))

    health = erasing.command("health_check", "--only", "erasure.deadlines")
    opened = erasing.call(
        "from gdpr.rights import requests as r\nfrom gdpr.models import RightsRequest\n"
        "one = RightsRequest.objects.get()\nrequest_keys.destroy_ended()\nprocessing.process_due()\n"
        "say([r.asked(one).words, r.asked(one).keys.primary, request_keys.census().ended])"
    )
    refused = rights(erasing, "refuse", filed, "--ground", "16", "--note", "It is right", "--as", "approver")

    assert health.returncode == 2
    assert "1 other request is overdue." in health.stdout
    assert opened == [WORDS, 7, 0]
    assert refused[0] == 0
    assert erasing.rows(EVENTS)[-1] == ("right.refused", "refused")
    assert erasing.command("health_check", "--only", "erasure.deadlines").returncode == 0


ADMIN = """
staff, other, stranger = client("filer"), client("approver"), client("nobody")
address = reverse("admin:gdpr_rightsrequest_file")
person = get_user_model()._meta.apps.get_model("streaming.Listener").objects.get(pk=7)
body = {"key": person.email, "kind": "objection", "words": "No charts", "received_on": "2026-01-31"}
refused = [stranger.get(address).status_code, stranger.post(address, body).status_code]
filed = staff.post(address, body, follow=True)
[one] = RightsRequest.objects.all()
shown = text(filed)
own = get_user_model().objects.create_user(person.email, is_staff=True)
from django.contrib.auth.models import Permission
own.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr"))
themself = client(person.email)
themself.post(page("rightsrequest_answer", one), {"note": "mine"})
after_own = fresh(one).state
looked = other.get(page("rightsrequest_answer", one)).status_code
unsaid = text(other.post(page("rightsrequest_refuse", one), {"note": "why"}))
other.post(page("rightsrequest_take", one))
taken = fresh(one).state
other.post(page("rightsrequest_refuse", one), {"note": "why", "ground": "21(1)"})
done = text(other.get(page("rightsrequest_change", one)))
say([refused, "No charts" in shown, person.email in filed.request["PATH_INFO"], after_own, looked,
     "required" in unsaid, taken, fresh(one).state, "why" in done, "No charts" in done, "../answer/" in done])
"""


def test_request_is_filed_and_refused_in_the_admin(erasing: Erasing) -> None:
    """By those who may; the person's own account answers nothing; who refuses says why."""
    told = erasing.call(CLIENT + ADMIN)

    assert told == [
        [403, 403], True, False, "received", 200, True, "in_work", "refused", True, False, False
    ]  # fmt: skip
