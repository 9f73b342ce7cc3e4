"""The two stories that everything is for, told to their end: a person is erased, a revision is released."""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymongo import MongoClient

from tests.belonging import SAY_SO
from tests.fix_browser import PASSWORD, Site
from tests.fix_canaries import Canaries, in_files, in_stores, plant_person, traces
from tests.fix_postgres import execute
from tests.fix_story import Installation
from tests.forks import Finished

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

# --- a person is erased -------------------------------------------------------------------------------

# Where the person stands beforehand. The search must find them there, or finding nothing later says nothing.
HOMES = {
    *(f"postgres public.streaming_{table}" for table in ("listener", "subscription", "consent")),
    *(f"postgres public.{table}" for table in ("auth_user", "accord_accesstoken", "django_session")),
    *(f"postgres public.{table}" for table in ("django_admin_log", "auditlog_logentry")),
    "postgres public.accord_actorreference",
    *(f"mongodb .{collection}" for collection in ("playlists", "plays", "recommendations")),
    *(f"mongodb _documents.{collection}" for collection in ("device_profile", "listening_session")),
}
FORMS = {"word", "e-mail", "UUID", "UUID, bare", "UUID, binary", "number", "number, binary"}
# Invoices are kept for ten years (Art. 17(3)(b)), and belong to an account: a number, which led to a
# person as long as the account's row said to whom. That row says "Erased listener" now.
KEPT = {
    "postgres public.streaming_listener": {"number"},
    "postgres public.streaming_subscription": {"number"},
}


@pytest.mark.by_turns(3)
def test_person_is_erased(
    install: Callable[..., Installation], serve: Callable[..., Site], page: Page
) -> None:
    """Asked for over the API, approved by another person in the browser, carried out: no canary is left."""
    canaries = Canaries()
    sample = with_listeners(install("sample"), canaries)
    site = serve(sample.project, sample.folder / "site.log")
    filer = site.add_user("filer", superuser=False, permissions=OF_A_FILER)
    second = site.add_user("second", superuser=False, permissions=OF_A_SECOND)
    before = traces(canaries, in_stores(sample.project))
    assert set(before) >= HOMES
    assert set().union(*before.values()) >= FORMS

    request = file(sample, site, filer, canaries)
    refuse_own_approval(sample, site, filer, request)
    approve_erasure_in_the_browser(sample, site, second, page)
    sample.manage("gdpr_process")
    receipt = fetch_receipt(sample, site, filer, request["reference"])

    assert_receipt_is_good(sample, receipt)
    look_at_receipt(sample, site, request["reference"], page)
    # A day later for everybody else: every store was asked again, and the request's own keys are destroyed.
    sample.manage("gdpr_process")
    assert sample.project.rows("SELECT sealed_keys, closed_at IS NOT NULL FROM gdpr_erasurerequest") == [
        (None, True)
    ]
    sample.manage("audit_verify")
    assert traces(canaries, in_stores(sample.project)) == KEPT
    assert traces(canaries, in_files(sample.folder)) == {}
    assert_kept_rows_name_nobody(sample, canaries)


OF_A_FILER = ("add_erasurerequest", "view_erasurerequest", "approve_erasurerequest")
OF_A_SECOND = ("approve_erasurerequest", "view_receipt")


def with_listeners(sample: Installation, canaries: Canaries) -> Installation:
    """Fill an installation with people, one of whom is the canary."""
    sample.manage("migrate_all", "--noinput")
    sample.manage("streaming_seed", "--listeners", "12", "--tracks", "10", "--venues", "2", "--noinput")
    plant_person(sample.project, canaries)
    return sample


def ask(
    sample: Installation, site: Site, token: str, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Ask the API, and keep the answer."""
    status, answer = site.send(method, path, body, token=token, **headers)
    sample.keep("api.json", json.dumps(answer, indent=2))
    return status, answer


def file(sample: Installation, site: Site, name: str, canaries: Canaries) -> Any:
    """File a request, twice, as a program does that lost the answer; note the identity; plan."""
    token, key = site.token(name), str(uuid.uuid4())
    body = {"subject": {"identifiers": {"email": canaries.email}}}
    status, filed = ask(sample, site, token, "POST", "erasure-requests/", body, Idempotency_Key=key)
    _, again = ask(sample, site, token, "POST", "erasure-requests/", body, Idempotency_Key=key)
    assert (status, again["reference"]) == (HTTPStatus.CREATED, filed["reference"])

    address = f"erasure-requests/{filed['reference']}"
    early, problem = ask(sample, site, token, "POST", f"{address}/plan/")
    assert early == HTTPStatus.CONFLICT, problem
    status, _ = ask(sample, site, token, "POST", f"{address}/identity/", {"method": "document"})
    assert status == HTTPStatus.OK
    status, planned = ask(sample, site, token, "POST", f"{address}/plan/")
    assert (status, planned["state"]) == (HTTPStatus.OK, "planned")
    return planned


def refuse_own_approval(sample: Installation, site: Site, name: str, request: Any) -> None:
    """Whoever filed gets a problem with its code, and everything stays as it was."""
    token, address = site.token(name), f"erasure-requests/{request['reference']}"
    body = {"digest": request["plan"]["digest"], "reason": "I am sure of it"}
    _, before = ask(sample, site, token, "GET", f"{address}/")

    status, problem = ask(sample, site, token, "POST", f"{address}/approve/", body)

    assert (status, problem["code"], problem["status"]) == (HTTPStatus.FORBIDDEN, "ACC-823", 403)
    assert ask(sample, site, token, "GET", f"{address}/")[1]["state"] == before["state"] == "planned"
    assert sample.project.rows("SELECT count(*) FROM gdpr_approval") == [(0,)]


def approve_erasure_in_the_browser(sample: Installation, site: Site, name: str, page: Page) -> None:
    """Sign in, look at what would happen, and say yes with a reason."""
    site.sign_in(page, name)
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    page.get_by_role("link", name="wait for my approval").click()
    page.locator("#result_list tbody th a").first.click()
    sample.look(page, "story-erasure-planned")
    page.get_by_role("link", name="Approve…").click()
    page.fill("#id_reason", "Identity seen, no claim open.")
    sample.look(page, "story-erasure-approve")
    page.get_by_role("button", name="Approve this plan").click()
    assert page.locator(".accord-facts .outcome").first.inner_text() == "approved"
    assert f"{name}, until" in page.locator(".accord-facts").first.inner_text()


def fetch_receipt(sample: Installation, site: Site, name: str, reference: str) -> Any:
    """Get the receipt of a request that is complete."""
    token, address = site.token(name), f"erasure-requests/{reference}"
    assert ask(sample, site, token, "GET", f"{address}/")[1]["state"] == "completed_with_retention"
    status, receipt = ask(sample, site, token, "GET", f"{address}/receipt/")
    assert status == HTTPStatus.OK, receipt
    return receipt


def assert_receipt_is_good(sample: Installation, receipt: Any) -> None:
    """Its signature holds for the project and for strangers, and it says what is kept, why and until when."""
    path = sample.keep("receipt.json", json.dumps(receipt))
    check = (
        f"from gdpr.erasure import receipts; print(receipts.verify_receipt(json.load(open({str(path)!r}))))"
    )
    assert sample.manage("shell", "-v", "0", "-c", f"import json; {check}").strip() == "self"
    proof = receipt["signed"]
    document = {name: value for name, value in receipt.items() if name != "signed"}
    assert_signed(document, proof["signature"], proof["public_key"])

    [kept] = receipt["kept"]
    assert (kept["entry"], kept["article"], kept["count"]) == ("subscriptions", "17(3)(b)", 1)
    assert "tax law" in kept["basis"]
    # The end of the tenth year after the one in which the subscription ended; one that runs has no end.
    assert re.fullmatch(
        r"20\d\d-12-31|10 years after the end of the year of ended_on \(not known yet\)", kept["until"]
    )
    assert not any(step["residue"] for step in receipt["steps"])


def assert_signed(document: Any, signature: str, public_key: str) -> None:
    """Check a signature with nothing but the public key, as the documentation says."""
    payload = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    purpose = document["schema"].encode()
    framed = b"accord signature 1" + len(purpose).to_bytes(4, "big") + purpose + payload
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key))
    key.verify(base64.b64decode(signature.split(":")[2]), framed)


def look_at_receipt(sample: Installation, site: Site, reference: str, page: Page) -> None:
    """Open the receipt as whoever approved it would."""
    page.goto(f"{site.url}/admin/gdpr/erasurerequest/")
    page.get_by_role("link", name=reference[:8]).first.click()
    sample.look(page, "story-erasure-done")
    # What was used can't run out any more.
    assert "until" not in page.locator(".accord-facts").first.inner_text()
    page.locator(".accord-facts a").first.click()
    sample.look(page, "story-receipt")
    assert "signature holds" in page.locator("#content-main").inner_text()


def assert_kept_rows_name_nobody(sample: Installation, canaries: Canaries) -> None:
    """The invoice stays as it was; its account is nobody's."""
    number = canaries.number
    assert sample.project.rows(
        f"SELECT plan, started_on::text FROM streaming_subscription WHERE listener_id = {number}"
    ) == [("solo", "2024-01-01")]
    [(email, *rest)] = sample.project.rows(
        "SELECT email, display_name, country, language, birth_year, joined_at::date::text"
        f" FROM streaming_listener WHERE id = {number}"
    )
    assert email.endswith("@erased.invalid")
    assert rest == ["Erased listener", "ZZ", "en", None, "2020-01-01"]


# --- a revision is released ---------------------------------------------------------------------------

OWN_MODEL = '''"""Lyrics of a track, in one language each."""

from django.db import migrations, models


class Migration(migrations.Migration):
    owner = "team catalogue"
    dependencies = [("streaming", "0003_catalogue")]
    operations = [
        migrations.CreateModel(
            "Lyrics",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("track", models.ForeignKey("streaming.Track", models.CASCADE, related_name="+")),
                ("language", models.CharField(max_length=2)),
                ("text", models.TextField()),
            ],
        ),
    ]
'''
COLLECTION = '''"""Lyrics as listeners sent them in, before anybody looked at them."""

import mongo_migrations as mongo


class Migration(mongo.Migration):
    owner = "team catalogue"
    cross_dependencies = [("default", "lyrics", "0001_lyrics")]
    operations = [
        mongo.CreateCollection("sent_lyrics", validator={"$jsonSchema": {"required": ["track_id", "text"]}}),
        mongo.CreateIndex("sent_lyrics", [("track_id", 1)], name="of_track"),
    ]
'''
INDEX = '''"""Lyrics can be searched."""

import searchindex as search


class Migration(search.Migration):
    owner = "team catalogue"
    cross_dependencies = [("default", "lyrics", "0001_lyrics")]
    operations = [
        search.CreateIndex(
            "lyrics", mappings={"properties": {"text": {"type": "text"}, "language": {"type": "keyword"}}}
        ),
    ]
'''
OWNER = '    owner = "team catalogue"\n'


@pytest.mark.by_turns(3)
def test_revision_is_released(
    install: Callable[..., Installation], serve: Callable[..., Site], page: Page, tmp_path: Path
) -> None:
    """Linted, run on staging, attested, refused in production until another person says yes; on record."""
    staging = as_it_stands(install("staging", SECRET_KEY=f"staging {'s' * 50}"), "staging")
    trusted = json.dumps({"staging": public_key(staging)})
    production = as_it_stands(
        install("production", SECRET_KEY=f"production {'p' * 50}", STORY_TRUSTED_KEYS=trusted),
        "production",
    )
    production, staging = (one.under(STORY_APP="lyrics") for one in (production, staging))

    refuse_careless_revision(staging, tmp_path / "lyrics")
    write_release(tmp_path / "lyrics")
    attestation = run_on_staging(staging)
    site = serve(production.project, production.folder / "site.log")
    asker = site.add_user("ada", superuser=False, permissions=("add_planapproval", "add_attestation"))
    second = site.add_user("ben", superuser=False, permissions=("approve_planapproval",))
    bring_attestation(production, attestation, asker)
    ask_for_approval(production, asker)
    approve_plan_in_the_browser(production, site, second, page)
    production.manage("migrate_all", "--noinput")

    assert released(production) == released(staging) == [True, True, True]
    assert "intact" in production.manage("audit_verify")
    assert levels(production)["audit"] == "ok"
    falsify_the_trail(production)
    assert_falsification_is_found(production)


def as_it_stands(installation: Installation, environment: str) -> Installation:
    """Bring an installation to the state of the release before, and give it its name."""
    installation.manage("migrate_all", "--noinput")
    own = {"ALLOWED_HOSTS": "127.0.0.1", "SECURE_SSL_REDIRECT": "false", "DEBUG": "false"}
    # Every account of the story has the same password; the variable proves whichever acts.
    own["ACCORD_PASSWORD"] = PASSWORD
    named = installation.under(ACCORD_ENV=environment, **own)
    named.manage("shell", "-v", "0", "-c", SAY_SO)
    return named


def public_key(installation: Installation) -> str:
    """Ask an installation for its public key."""
    code = "from accord.secrets import signing; print(signing.public_key())"
    return installation.manage("shell", "-v", "0", "-c", code).strip()


def write(path: Path, text: str) -> None:
    """Write a file of the app, and make its folder a package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").touch()
    path.write_text(text)


def assert_refused(done: Finished, exit_code: int, code: str, *words: str) -> None:
    """Make sure that a command said why it refused, and what to do."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    for word in (f"[{code}]", *words):
        assert word in done.stderr, done.stderr


def refuse_careless_revision(staging: Installation, app: Path) -> None:
    """Names that say nothing, and a revision that nobody owns, are refused before anything runs."""
    write(app / "__init__.py", "")
    write(app / "mongo_migrations" / "0001_Lyrics.py", COLLECTION)
    write(app / "migrations" / "0001_auto_20260105_0815.py", OWN_MODEL.replace(OWNER, ""))

    unreadable = staging.run("migrate_all", "--noinput")
    (app / "mongo_migrations" / "0001_Lyrics.py").unlink()
    careless = staging.run("migrate_all", "--noinput")
    (app / "migrations" / "0001_auto_20260105_0815.py").unlink()

    assert_refused(unreadable, 2, "ACC-207", "0001_Lyrics.py", "Name it NNNN_what_it_does.py")
    assert_refused(careless, 4, "ACC-930", "0001_auto_20260105_0815: the name", "nobody owns it")
    assert released(staging) == [False, False, False]


def write_release(app: Path) -> None:
    """Write a revision for each store, as the conventions want them."""
    write(app / "migrations" / "0001_lyrics.py", OWN_MODEL)
    write(app / "mongo_migrations" / "0001_sent_lyrics.py", COLLECTION)
    write(app / "search_migrations" / "0001_lyrics.py", INDEX)


def run_on_staging(staging: Installation) -> Path:
    """Run the release there; it leaves a signed attestation behind."""
    staging.manage("migrate_all", "--noinput")
    [path] = (staging.folder / "attestations").glob("staging-*.json")
    attestation = json.loads(path.read_text())
    assert (attestation["environment"], attestation["outcome"]) == ("staging", "succeeded")
    signature = attestation.pop("signature")
    assert_signed(attestation, signature, public_key(staging))
    return path


def bring_attestation(production: Installation, attestation: Path, person: str) -> None:
    """Production believes staging's file, and nothing before it has that."""
    early = production.run("migrate_all", "--noinput")
    production.manage("migration_approval", "import", str(attestation), "--as", person)
    assert_refused(early, 4, "ACC-926", "lyrics.0001_lyrics", "never run there")


def ask_for_approval(production: Installation, person: str) -> None:
    """Without another person's yes nothing runs, asked for or not."""
    nobody_asked = production.run("migrate_all", "--noinput")
    words = ("--as", person, "--reason", "Release 7: lyrics")
    asked = json.loads(production.manage("migration_approval", "request", *words, "--format", "json"))
    waiting = production.run("migrate_all", "--noinput")

    assert_refused(nobody_asked, 5, "ACC-921", "migration_approval request")
    assert_refused(waiting, 5, "ACC-921", asked["reference"][:8])
    assert released(production) == [False, False, False]


def approve_plan_in_the_browser(production: Installation, site: Site, name: str, page: Page) -> None:
    """Sign in, read every statement, and say yes with a reason."""
    site.sign_in(page, name)
    page.goto(f"{site.url}/admin/migrator/planapproval/")
    page.locator("#result_list tbody th a").first.click()
    statements = "\n".join(page.locator(".plan-store pre").all_inner_texts())
    for words in ('CREATE TABLE "lyrics_lyrics"', "sent_lyrics", '"language"'):
        assert words in statements
    production.look(page, "story-release")
    page.get_by_role("link", name="Approve…").click()
    page.fill("#id_reason", "Read every statement; staging has run it.")
    production.look(page, "story-release-approve")
    page.get_by_role("button", name="Approve this plan").click()
    assert page.locator(".accord-facts .outcome").inner_text() == "approved"


def released(installation: Installation) -> list[bool]:
    """Tell whether table, collection and index are there."""
    project = installation.project
    [(table,)] = project.rows("SELECT to_regclass('lyrics_lyrics') IS NOT NULL")
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        collections = client.get_default_database().list_collection_names()
    index = project.ask("GET", f"/_alias/{project.prefix}lyrics")
    return [table, "sent_lyrics" in collections, "error" not in index and bool(index)]


# --- the audit trail ----------------------------------------------------------------------------------


def levels(installation: Installation) -> dict[str, str]:
    """Ask health_check, as cron would; give each finding's level."""
    done = installation.run("health_check", "--format", "json", "--timeout", "60")
    document = json.loads(done.stdout)
    found = {finding["name"]: finding["level"] for finding in document["findings"]}
    assert (done.returncode == 2) == ("critical" in found.values()), done.stderr
    return found


def falsify_the_trail(production: Installation) -> None:
    """Let it look as if the request had been granted a day before: a superuser can, triggers or not."""
    execute(
        production.project.database_url,
        "ALTER TABLE accord_auditevent DISABLE TRIGGER ALL",
        "UPDATE accord_auditevent SET at = at - interval '1 day' WHERE event = 'approval.granted'",
        "ALTER TABLE accord_auditevent ENABLE TRIGGER ALL",
    )


def assert_falsification_is_found(production: Installation) -> None:
    """The event is named, the command fails, and monitoring is told."""
    [(number,)] = production.project.rows(
        "SELECT seq FROM accord_auditevent WHERE event = 'approval.granted'"
    )

    done = production.run("audit_verify", "--format", "json")

    assert done.returncode == 6, done.stdout
    problems = json.loads(done.stdout)["problems"]
    assert [(found["kind"], found["seq"]) for found in problems] == [("edited", number)]
    assert levels(production)["audit"] == "critical"
