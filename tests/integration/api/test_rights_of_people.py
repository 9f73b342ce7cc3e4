"""Restrictions, requests of rights, exports and letters over HTTP: the same services as at other doors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

PROOF = """
import json
def strict():
    policy = {"proof": {"environments": [settings.ACCORD["ENVIRONMENT"]]}}
    settings.ACCORD = {**settings.ACCORD, "POLICY": {**settings.ACCORD.get("POLICY", {}), **policy}}
def session(name):
    found = APIClient()
    found.force_login(get_user_model().objects.get(username=name))
    return found
def events(ref):
    return list(AuditEvent.objects.filter(object_ref=ref).order_by("seq").values_list("event", flat=True))
"""

RESTRICTED = """
from django.utils import timezone
waiting = planned(key)["reference"]
body = {"subject": subject(key), "reason": "18(1)(a)"}
made = send("filer", "restrictions/", body)
one = made.json()
here = f"restrictions/{one['reference'][:12]}/"
again = send("filer", "restrictions/", body).json()["reference"] == one["reference"]
stopped = ask("filer", f"erasure-requests/{waiting}/").json()["state"]
listed = [one["reference"] in [row["reference"] for row in ask("filer", "restrictions/", active=active).json()
          ["results"]] for active in ("true", "false")]
untold = problem(send("filer", here + "lift/", {"told_on": "2999-01-01"}))
letter = send("filer", here + "letter/", {"language": "de"}).json()
unmailed = problem(send("filer", here + "letter/", {"to": "not an address"}))
today = {"told_on": timezone.localdate().isoformat()}
lifted = send("filer", here + "lift/", today)
twice = problem(send("filer", here + "lift/", today))
late = problem(send("filer", here + "letter/"))
robot = with_token(tokens.issue(account("filer"), by=account("filer"), service=True).text)
program = problem(robot.post("/api/v1/restrictions/", body, format="json"))
strict()
left_open = problem(session("filer").post("/api/v1/restrictions/", body, format="json"))
proved = send("filer", "restrictions/", body).status_code
say([made.status_code, [one["active"], one["reason"], one["told_at"]], again, stopped, listed, untold,
     [letter["kind"], letter["sent"], "Einschränkung" in letter["text"]], unmailed,
     [lifted.json()["active"], bool(lifted.json()["told_at"])], twice, late, program, left_open, proved,
     events(one["reference"]), ask("filer", f"erasure-requests/{waiting}/").json()["state"],
     made.content.decode()])
"""

RIGHTS = """
body = {"subject": subject(key), "kind": "correction", "words": "I moved to Lyon"}
made = send("filer", "rights-requests/", body)
one = made.json()
here = f"rights-requests/{one['reference']}/"
ahead = problem(send("filer", "rights-requests/", {**body, "received_on": "2999-01-01"}))
read = ask("approver", here + "asked-for/").json()
taken = send("approver", here + "take/").json()
twice = problem(send("approver", here + "take/"))
answered = send("approver", here + "answer/", {"note": "The address is Lyon now"}).json()
over = problem(send("approver", here + "refuse/", {"ground": "12(5)", "note": "no"}))
after = ask("approver", here + "asked-for/").json()
other = send("filer", "rights-requests/", {**body, "kind": "objection"}).json()["reference"]
refused = send("approver", f"rights-requests/{other}/refuse/", {"ground": "12(5)", "note": "no"}).json()
third = send("filer", "rights-requests/", body).json()["reference"]
withdrawn = send("filer", f"rights-requests/{third}/withdraw/").json()["state"]
listed = ask("filer", "rights-requests/", state="answered", kind="correction").json()["results"]
robot = with_token(tokens.issue(account("approver"), by=account("approver"), service=True).text)
program = problem(robot.post(f"/api/v1/{here}answer/", {"note": "done"}, format="json"))
say([made.status_code, [one["state"], one["channel"]], ahead, read["words"], read["identifiers"]["id"],
     [taken["state"], bool(taken["taken_by"])], twice, [answered["state"], bool(answered["closed_at"])], over,
     after, [refused["state"], refused["refused_because"]], withdrawn,
     one["reference"] in [row["reference"] for row in listed], program, events(one["reference"]),
     made.content.decode() + json.dumps(listed)])
"""

EXPORTS = """
import pyrage
settings.ACCORD = {**settings.ACCORD, "EXPORTS": folder}
reader = pyrage.x25519.Identity.generate()
body = {"subject": subject(key), "form": "json", "recipient": str(reader.to_public())}
nobody = [problem(send("filer", "exports/", {**body, **more})) for more in (
    {"recipient": ""}, {"recipient": "age1nonsense"}, {"password": "long enough for two"}, {"form": "xml"})]
made = send("filer", "exports/", body)
one = made.json()
here = f"exports/{one['reference']}/"
downloads = [send("filer", here + "download/") for _ in range(4)]
asked = client("filer").post("/api/v1/" + here + "download/", headers={"Accept": "application/octet-stream"})
content = json.loads(pyrage.decrypt(downloads[0].content, [reader]))
rows = [row["email"] for part in content["parts"] if part["id"] == "listeners" for row in part["rows"]]
shown = ask("filer", here).json()
other = send("filer", "exports/", body).json()["reference"]
as_it_is = client("filer").post(
    f"/api/v1/exports/{other}/download/", headers={"Accept": "application/octet-stream"})
removed = client("filer").delete(f"/api/v1/exports/{other}/")
gone = problem(send("filer", f"exports/{other}/download/"))
strict()
left_open = problem(session("filer").post("/api/v1/exports/", body, format="json"))
say([nobody, made.status_code, [one["form"], one["downloads"], one["over"]],
     [answer.status_code for answer in downloads], problem(downloads[3]), problem(asked), rows == [email],
     downloads[0]["Content-Type"], downloads[0]["Cache-Control"], [shown["downloads"], shown["over"]],
     [as_it_is.status_code, as_it_is["Content-Type"]], removed.status_code, gone, left_open,
     events(one["reference"]), events(other), made.content.decode()])
"""

LETTERS = """
from django.core import mail
settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
mail.outbox = []
reference = planned(key)["reference"]
here = f"erasure-requests/{reference}/letter/"
early = [problem(send("filer", here, {"kind": kind})) for kind in ("extension", "refusal", "completion")]
lifting = problem(send("filer", here, {"kind": "lifting"}))
foreign = problem(send("filer", here, {"kind": "refusal", "language": "tlh"}))
send("approver", f"erasure-requests/{reference}/reject/", {"ground": "12(5)", "reason": "no"})
done = send("filer", here, {"kind": "refusal", "language": "fr", "to": "ada@example.org"})
[posted] = mail.outbox
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
lost = problem(send("filer", here, {"kind": "refusal", "to": "ada@example.org"}))
letters = AuditEvent.objects.filter(request_ref=reference, event__startswith="letter.").order_by("seq")
say([early, lifting, foreign, done.status_code, done.json()["sent"], posted.to,
     posted.body == done.json()["text"], lost, [one.event for one in letters],
     "ada@example.org" in done.content.decode()])
"""


def test_restriction_is_made_and_lifted_over_http(served: Served, listener: int) -> None:
    """It stops what waits, tells the person by letter, and is a person's decision, proved by a token."""
    told = served.call(PROOF + RESTRICTED, key=listener)
    status, one, again, stopped, listed, untold, letter, unmailed = told[:8]
    lifted, twice, late, program, left_open, proved, events, after, said = told[8:]

    assert (status, one, again, stopped) == (201, [True, "18(1)(a)", None], True, "blocked_hold")
    assert listed == [True, False]
    assert (untold, unmailed) == ([400, "ACC-100"], [400, "invalid"])
    assert letter == ["lifting", False, True]
    assert (lifted, twice, late) == ([False, True], [409, "ACC-822"], [409, "ACC-822"])
    assert program == left_open == [403, "ACC-824"]
    assert proved == 201
    assert events[:3] == ["subject.restricted", "letter.made", "subject.released"]
    assert after == "blocked_hold", "the second restriction stops it again"
    assert served.email(listener) not in said


def test_right_is_filed_read_and_answered_over_http(served: Served, listener: int) -> None:
    """What the person asks for is for whoever answers it, and gone once it is answered."""
    told = served.call(PROOF + RIGHTS, key=listener)
    status, one, ahead, words, key, taken, twice, answered, over = told[:9]
    after, refused, withdrawn, listed, program, events, said = told[9:]

    assert (status, one, ahead) == (201, ["received", "api"], [400, "ACC-100"])
    assert (words, str(key)) == ("I moved to Lyon", str(listener))
    assert (taken, twice) == (["in_work", True], [409, "ACC-822"])
    assert (answered, over) == (["answered", True], [409, "ACC-822"])
    assert after == {"words": None, "identifiers": None, "note": "The address is Lyon now"}
    assert (refused, withdrawn, listed) == (["refused", "12(5)"], "withdrawn", True)
    assert program == [403, "ACC-824"]
    assert events == ["right.received", "right.taken", "right.answered", "access.denied"]
    assert served.email(listener) not in said
    assert "Lyon" not in said


def test_export_is_made_and_downloaded_over_http(served: Served, listener: int, tmp_path: Path) -> None:
    """For its reader alone, as often as it may be, each time on record; then it is gone."""
    told = served.call(
        PROOF + EXPORTS, key=listener, email=served.email(listener), folder=str(tmp_path / "exports")
    )
    nobody, status, one, downloads, over, asked, right, kind, caching = told[:9]
    shown, as_it_is, removed, gone, left_open, events, others, said = told[9:]

    assert nobody == [[400, "ACC-805"]] * 3 + [[400, "invalid"]]
    assert (status, one) == (201, ["json", 0, False])
    assert downloads == [200, 200, 200, 410]
    assert over == asked == gone == [410, "ACC-810"]
    assert (right, kind, caching) == (True, "application/octet-stream", "no-store")
    assert shown == [3, True]
    assert as_it_is == [200, "application/octet-stream"]
    assert (removed, left_open) == (204, [403, "ACC-824"])
    assert events == ["export.made"] + ["export.downloaded"] * 3
    assert others == ["export.made", "export.downloaded", "export.deleted"]
    assert served.email(listener) not in said


@pytest.mark.by_turns(3)
def test_letter_is_written_and_sent_over_http(served: Served, listener: int) -> None:
    """Once it is true, in the language of the person; no address is kept or answered."""
    early, lifting, foreign, status, sent, to, same, lost, events, echoed = served.call(LETTERS, key=listener)

    assert early == [[409, "ACC-822"]] * 3
    assert lifting == foreign == [400, "invalid"]
    assert (status, sent, to, same) == (201, True, ["ada@example.org"], True)
    assert lost == [409, "ACC-820"]
    assert events == ["letter.made", "letter.sent", "letter.made"]
    assert not echoed
