"""An e-mail address in another spelling is the same person: at the command line, and over HTTP."""

from __future__ import annotations

import json

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

SIGN_UP = """
from django.test import Client
from examples.streaming.models import Listener
Listener.objects.filter(pk=11).update(email="Mixed.Cas\u00e9@Example.COM")
users = get_user_model().objects
own = [users.create_user(name).pk for name in ("mixed.case\u0301@example.com", "MIXED.CAS\u00c9@EXAMPLE.com")]
other = users.create_user("mixed.case@example.com").pk
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
typed = {"subject": {"identifiers": {"email": "mixed.cas\u00e9@example.com"}}, "identity": "staff"}
answer = client.post("/api/v1/erasure-requests/", typed, content_type="application/json")
request = state_changes.find(answer.json()["reference"])
plan = planning.plan(request)
approvals.approve(request, by=approver, digest=plan.digest)
request = erasure.work(ErasureRequest.objects.get(pk=request.pk))
say([answer.status_code, request.state, own, other])
"""
DOUBLE = """
from examples.streaming.models import Listener
Listener.objects.filter(pk=12).update(email="twice@example.com")
Listener.objects.filter(pk=11).update(email="Twice@Example.com")
say(None)
"""


def test_every_spelling_is_found_and_erased(erasing: Erasing) -> None:
    """Listener and accounts are written in three ways; what was typed is a fourth."""
    erasing.call(
        "from examples.streaming.models import Listener\n"
        'Listener.objects.filter(pk=11).update(email="Mixed.Cas\u00e9@Example.COM")'
    )
    counted = erasing.erase("MIXED.CASE\u0301@example.com", "--dry-run", "--format", "json")
    status, state, own, other = erasing.call(SIGN_UP)
    left = erasing.rows(f"SELECT id FROM auth_user WHERE id IN ({own[0]}, {own[1]}, {other})")

    found = {line["entry"]: line["found"] for line in json.loads(counted.stdout)["entries"]}
    assert found["listeners"] == 1, counted.stderr
    assert (status, state) == (201, "completed_with_retention")
    assert left == [(other,)]
    erasing.assert_gone(11)


def test_spelling_of_several_people_is_refused(erasing: Erasing) -> None:
    """Two listeners whose addresses differ in case only are two people until somebody says which one."""
    erasing.call(DOUBLE)

    done = erasing.erase("TWICE@example.com", "--dry-run")

    assert (done.returncode, "[ACC-802]" in done.stderr) == (2, True), done.stderr
