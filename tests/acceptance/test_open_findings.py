"""An erasure by an incomplete data map says so in plan and receipt, or isn't begun: as the policy says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fix_project import ROOT
from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

FORGOTTEN, LATER = "CREATE TABLE forgotten (email text)", "CREATE TABLE later (email text)"
DROPPED = "DROP TABLE forgotten, later"
STRICT = """from core.settings import *
ACCORD = {**ACCORD, "POLICY": {"erasure": {"open_findings": {"test": "refuse", "production": "allow"}}}}
"""
STORY = """
from django.db import connection
from django.test import Client
from accord.errors import AccordError
request = approved(5)
known = [one["target"] for one in request.plans.get().document["open_findings"]]
connection.cursor().execute("CREATE TABLE later (email text)")
try:
    saga.work(request)
except AccordError as exc:
    stopped = exc.code
request.refresh_from_db()
state = request.state
approvals.approve(request, by=approver, digest=request.plan_digest)
done = saga.work(request)
receipt = receipts.latest(done)
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
shown = client.get(f"/admin/gdpr/erasurerequest/{done.pk}/change/", headers={"accept-language": "de"})
printed = client.get(f"/admin/gdpr/receipt/{receipt.pk}/change/")
page = receipts.render_html(receipt)
say({
    "known": known, "stopped": stopped, "state": state, "done": done.state,
    "open": [(one["id"], one["target"]) for one in receipt.document["open_findings"]],
    "signer": receipts.verify_receipt(receipts.signed_document(receipt)),
    "page": ["data map was not complete" in page, "forgotten" in page, "later" in page],
    "admin": [
        "lässt 2 Punkte offen" in shown.content.decode(), "leaves 2 things open" in printed.content.decode(),
    ],
})
"""
DOORS = """
from django.test import Client
request = state_changes.find("{reference}")
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
api = client.post("/api/v1/erasure-requests/{reference}/plan/", content_type="application/json")
admin = client.post(f"/admin/gdpr/erasurerequest/{{request.pk}}/plan/", follow=True)
say([api.status_code, api.json()["code"], "has 2 open findings" in admin.content.decode()])
"""
ALLOWED = """
from django.conf import settings
settings.ACCORD["POLICY"] = {"erasure": {"open_findings": "allow"}}
done = saga.work(approved(6))
receipt = receipts.latest(done)
say([done.state, receipt.document["open_findings"], "was not looked at" in receipts.render_html(receipt)])
"""


def test_plan_and_receipt_say_what_no_erasure_covers(erasing: Erasing) -> None:
    """What was open at the approval stands in the receipt; what came since asks for another approval."""
    erasing.execute(FORGOTTEN)

    counted = erasing.erase("5", "--by", "id", "--dry-run")
    told = erasing.call(STORY)

    assert "leaves 1 thing open, which no erasure covers" in counted.stdout
    assert "The table forgotten, which no model stands for," in counted.stdout
    assert counted.returncode == 0
    assert told == {
        "known": ["forgotten"],
        "stopped": "ACC-826",
        "state": "planned",
        "done": "completed",
        "open": [["gdpr.E001", "forgotten"], ["gdpr.E001", "later"]],
        "signer": "self",
        "page": [True, True, True],
        "admin": [True, True],
    }


def test_policy_may_refuse_until_the_map_is_complete(erasing: Erasing, tmp_path: Path) -> None:
    """Neither planned nor begun, at every door; once what the hint names is settled, it goes on."""
    (tmp_path / "strict.py").write_text(STRICT)
    settings = {"DJANGO_SETTINGS_MODULE": "strict", "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    strict = Erasing(replace(erasing.project, extra=settings))
    reference = erasing.reference(
        "requests.file_request(keys(7), by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF)"
    )
    erasing.execute(FORGOTTEN)
    erasing.execute(LATER)

    refused = strict.erase("--request", reference)
    doors = strict.call(DOORS.format(reference=reference))
    named = strict.command("gdpr_datamap", "check")
    erasing.execute(DROPPED)
    planned = strict.erase("--request", reference)
    approved = strict.erase("--request", reference, "--approve", "--as", "approver", "--reason", "x")
    erasing.execute(FORGOTTEN)
    not_begun = strict.erase("--request", reference)
    before = erasing.state(reference)
    erasing.execute("DROP TABLE forgotten")
    done = strict.erase("--request", reference)

    assert (refused.returncode, "ACC-806" in refused.stderr) == (4, True), refused.stdout + refused.stderr
    assert "gdpr_datamap check" in refused.stderr
    assert doors == [409, "ACC-806", True]
    assert (named.returncode, "forgotten" in named.stdout) == (6, True)
    assert (planned.returncode, approved.returncode) == (5, 0), planned.stderr + approved.stderr
    assert (not_begun.returncode, before) == (4, "approved"), not_begun.stdout + not_begun.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    erasing.assert_gone(7)


def test_receipt_says_where_nobody_looked(erasing: Erasing) -> None:
    """“allow” asks nobody, and the receipt doesn't claim that the map was complete."""
    erasing.execute(FORGOTTEN)

    assert erasing.call(ALLOWED) == ["completed_with_retention", None, True]
