"""Exports that are kept for a few days: made, downloaded and deleted in the admin, encrypted throughout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fix_requests import PASSWORD, Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.integration

EVENTS = """
    SELECT event, object_ref <> '', counters - 'found' - 'entries' FROM accord_auditevent
    WHERE event LIKE 'export.%' ORDER BY seq
"""

MADE = """
import pyrage
from datetime import timedelta
from gdpr import kept_exports
from django.conf import settings
settings.ACCORD = {**settings.ACCORD, "EXPORTS": FOLDER}
person = get_user_model()._meta.apps.get_model("streaming.Listener").objects.get(pk=7)
reader = pyrage.x25519.Identity.generate()
address = reverse("admin:gdpr_keptexport_make")
body = {"key": person.email, "form": "json", "recipient": str(reader.to_public())}
files = lambda: sorted(file.name for file in kept_exports.folder().glob("*"))
"""

SCREEN = (
    MADE
    + """
staff, stranger = client("filer"), client("nobody")
refused = [one.status_code for one in (stranger.get(address), stranger.post(address, body))]
refused.append(KeptExport.objects.count())
unread = [text(staff.post(address, {**body, **more})) for more in (
    {"recipient": ""}, {"password": "x", "again": "y"},
    {"recipient": "", "password": "short", "again": "short"},
    {"recipient": "age1nonsense"}, {"key": "nobody@example.com"},
)]
unread = [[words in shown for words in (
    "Give a public key or a password", "The two passwords differ", "twelve characters",
    "no public key of age", "No streaming.Listener has this key",
)].index(True) for shown in unread]
none = KeptExport.objects.count()
done = staff.post(address, body, follow=True)
kept = KeptExport.objects.get()
shown = text(done)
looked = staff.get(page("keptexport_download", kept)).status_code
downloads = [staff.post(page("keptexport_download", kept)) for _ in range(4)]
content = json.loads(pyrage.decrypt(downloads[0].content, [reader]))
over = text(staff.get(page("keptexport_change", kept)))
listed = text(staff.get(reverse("admin:gdpr_keptexport_changelist")))
left = files()
due = [kept_exports.delete_due(), kept_exports.delete_due()]
say([refused, unread, none, person.email in done.request["PATH_INFO"], person.email in shown + listed,
     looked, [one.status_code for one in downloads], "no-store" in downloads[0]["Cache-Control"],
     [row["email"] for one in content["parts"] if one["id"] == "listeners" for row in one["rows"]]
     == [person.email],
     'value="Download"' in over, left == [kept_exports.path_of(kept).name], due, files(),
     person.email.encode() in downloads[0].content])
"""
)


def test_export_is_made_downloaded_and_counted_in_the_admin(erasing: Erasing, tmp_path: Path) -> None:
    """For its reader alone; three downloads and no more; nobody's address in a page, a file or a URL."""
    told = erasing.call(CLIENT + SCREEN.replace("FOLDER", repr(str(tmp_path / "exports"))))
    refused, unread, none, in_address, in_page, looked, downloads, caching = told[:8]
    right, offered, kept, due, left, readable = told[8:]

    assert refused == [403, 403, 0]
    assert (unread, none) == ([0, 1, 2, 3, 4], 0)
    assert (in_address, in_page, readable) == (False, False, False)
    assert (looked, downloads, caching) == (405, [200, 200, 200, 302], True)
    assert right
    assert (offered, kept) == (False, True)
    assert (due, left) == ([1, 0], [])
    assert erasing.rows(EVENTS) == [
        ("export.made", True, {}),
        *(("export.downloaded", True, {"attempt": number}) for number in (1, 2, 3)),
        ("export.deleted", True, {}),
    ]
    assert erasing.command("audit_verify").returncode == 0


LEAVES = (
    MADE
    + """
import os, time
from gdpr.envelopes.age import Envelope
from gdpr.export import ExportFormat
envelope = Envelope(recipients=(str(reader.to_public()),))
def make(key, **changes):
    kept = kept_exports.make(keys(key), envelope, ExportFormat.JSON, by=filer)
    KeptExport.objects.filter(pk=kept.pk).update(**changes)
    return KeptExport.objects.get(pk=kept.pk)
from accord import clock
now = clock.now()
expired, young, gone = make(7, expires_at=now), make(8), make(9)
erased = make(10)
approved(10)
stray, fresh, part = (kept_exports.folder() / name for name in ("0.json.age", "1.json.age", ".2.part"))
for file in (stray, fresh, part):
    file.write_text("of a process that was killed")
for file in (stray, part):
    os.utime(file, (time.time() - 7200,) * 2)
kept_exports.path_of(gone).unlink()
try:
    kept_exports.download(gone, by=filer)
except Exception as exc:
    code = exc.code
processing.process_due()
done = [KeptExport.objects.get(pk=one.pk).deleted_at is not None for one in (expired, young, gone, erased)]
stay = sorted([kept_exports.path_of(young).name, fresh.name])
say([ErasureRequest.objects.get().state, done, files(), stay, code])
"""
)


def test_what_is_due_goes_and_nothing_else(erasing: Erasing, tmp_path: Path) -> None:
    """Expired, of an erased person, or of a killed process; a file that is being written stays."""
    state, done, left, expected, code = erasing.call(
        CLIENT + LEAVES.replace("FOLDER", repr(str(tmp_path / "exports")))
    )

    assert state.startswith("completed")
    assert done == [True, False, False, True]
    assert left == expected
    assert code == "ACC-810"


PROOF = (
    MADE
    + """
here = settings.ACCORD["ENVIRONMENT"]
settings.ACCORD = {**settings.ACCORD, "POLICY": {"proof": {"environments": [here]}}}
staff = client("filer")
asked = "Your own password" in text(staff.get(address))
wrong = text(staff.post(address, {**body, "own_password": "guessed"}))
after = KeptExport.objects.count()
staff.post(address, {**body, "own_password": PASSWORD})
say([asked, "not your password" in wrong, after, KeptExport.objects.count()])
"""
)
DENIED = "SELECT object_kind FROM accord_auditevent WHERE event = 'access.denied'"


def test_policy_asks_who_makes_an_export_for_their_password(erasing: Erasing, tmp_path: Path) -> None:
    """A screen that was left open gives nobody's data away; the attempt is on record."""
    code = PROOF.replace("FOLDER", repr(str(tmp_path / "exports"))).replace("PASSWORD", repr(PASSWORD))

    assert erasing.call(CLIENT + code) == [True, True, 0, 1]
    assert erasing.rows(DENIED) == [("export",)]
