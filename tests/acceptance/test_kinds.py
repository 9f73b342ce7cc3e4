"""Two kinds of people in one project: employee 11 and listener 11 are two people, in stores and at doors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.fix_postgres import execute
from tests.fix_requests import Erasing
from tests.fix_sample import asked, copy_postgres

pytestmark = pytest.mark.acceptance

SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.projects.crew.settings"}
HIRE = """
from django.db import connection
from tests.projects.crew.staff.models import Employee, Letter
with connection.schema_editor() as editor:
    editor.create_model(Employee)
    editor.create_model(Letter)
for key in (11, 12):
    Employee.objects.create(pk=key, email=f"worker{key}@example.com")
    Letter.objects.create(employee_id=key, text="to whom works here")
    Letter.objects.create(listener_id=key, text="to whom listens")
"""
ERASE = """
def erased(kind, key):
    person = load_data_map().resolve(str(key), "id", kind=kind)
    request = requests.file_request(person, by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF)
    plan = planning.plan(request)
    approvals.approve(request, by=approver, digest=plan.digest)
    return request.pk, [line["entry"] for line in plan.document["entries"]]
"""
TOGETHER = """
(one, of_one), (two, of_two) = erased("employee", 11), erased("listener", 12)
with opened_stores() as stores:
    refused = saga.carry_out([one, two], stores)
done = ErasureRequest.objects.in_bulk([one, two])
say([{str(key): str(why) for key, why in refused.items()},
     [done[key].state for key in (one, two)], [done[key].subject_tag.split("/")[0] for key in (one, two)],
     of_one, of_two, [verification.verify_again(done[key]).residue for key in (one, two)]])
"""


@pytest.fixture
def crew(erasing: Erasing) -> Erasing:
    """Give the sample project with employees, who are numbered as its listeners are."""
    found = Erasing(replace(erasing.project, extra={**erasing.project.extra, **SETTINGS}))
    found.call(HIRE)
    with found.documents("notes") as notes:
        notes.insert_many(
            {"person": key, "kind": kind} for key in (11, 12) for kind in ("employee", "listener")
        )
    index = f"/{found.project.prefix}badges"
    fields = {"employee_id": {"type": "keyword"}, "listener_id": {"type": "keyword"}}
    asked(found.project, "PUT", index, {"mappings": {"properties": fields}})
    for key in (11, 12):
        for kind in ("employee", "listener"):
            asked(found.project, "POST", f"{index}/_doc?refresh=true", {f"{kind}_id": str(key)})
    return found


def shared(crew: Erasing, kind: str, key: int) -> list[int]:
    """Count what the places that both kinds share hold of a person: a table, a collection and an index."""
    [(letters,)] = crew.rows(f"SELECT count(*) FROM staff_letter WHERE {kind}_id = {key}")
    with crew.documents("notes") as found:
        notes = found.count_documents({"person": key, "kind": kind})
    crew.project.ask("POST", f"/{crew.project.prefix}badges/_refresh")
    badges = crew.project.ask("GET", f"/{crew.project.prefix}badges/_count?q={kind}_id:{key}")["count"]
    return [int(letters), notes, int(badges)]


def employees(crew: Erasing) -> list[int]:
    """Return who works here."""
    return [key for (key,) in crew.rows("SELECT id FROM staff_employee ORDER BY id")]


def test_people_of_two_kinds_are_erased_together_and_nobody_else_is(crew: Erasing) -> None:
    """One batch of an employee and a listener: each loses what is theirs; who has the same number stays."""
    before = crew.holdings(11)

    refused, states, kinds, of_one, of_two, left = crew.call(ERASE + TOGETHER)

    assert (refused, states) == ({}, ["completed", "completed_with_retention"])
    assert kinds == ["staff.employee", "streaming.listener"]
    assert {"employees", "letters", "notes-of-employees"} <= {*of_one}
    assert {"listeners", "fan-mail", "plays"} <= {*of_two}
    assert not {*of_one} & {"listeners", "fan-mail", "plays", "django-users", "django-sessions"}
    assert not {*of_two} & {"employees", "letters", "badges-of-employees"}
    assert left == [0, 0]
    assert employees(crew) == [12]
    assert [shared(crew, "employee", key) for key in (11, 12)] == [[0, 0, 0], [1, 1, 1]]
    assert [shared(crew, "listener", key) for key in (11, 12)] == [[1, 1, 1], [0, 0, 0]]
    assert crew.holdings(11) == before
    crew.assert_gone(12)


@pytest.mark.by_turns(3)
def test_a_restriction_is_of_the_kind_that_is_named(crew: Erasing) -> None:
    """Number 11 is two people; without the kind nobody is restricted."""
    restrict = ("gdpr_restrict", "add", "11", "--by", "id", "--reason", "18(1)(a)", "--as", "filer")

    unnamed = crew.command(*restrict)
    named = crew.command(*restrict, "--kind", "employee")

    assert (unnamed.returncode, named.returncode) == (2, 0), unnamed.stderr + named.stderr
    assert crew.rows("SELECT subject_kind FROM gdpr_restriction") == [("staff.Employee",)]


@pytest.mark.by_turns(3)
def test_commands_ask_for_the_kind(crew: Erasing) -> None:
    """Without a kind nobody is meant; with it plan, hold, export and consents are one person's."""
    unsaid = crew.erase("11", "--by", "id", "--dry-run")
    wrong = crew.erase("11", "--kind", "customer", "--dry-run")
    plan = json.loads(crew.erase("11", "--kind", "employee", "--dry-run", "--format", "json").stdout)
    held = crew.command(
        "gdpr_hold", "place", "11", "--kind", "employee", "--reason", "authority", "--as", "filer"
    )
    foreign = crew.command(
        *("gdpr_hold", "place", "11", "--kind", "employee", "--entry", "plays"),
        *("--reason", "authority", "--as", "filer"),
    )
    stopped = crew.erase("11", "--kind", "employee", "--as", "filer")
    free = crew.erase("11", "--kind", "listener", "--as", "filer")

    assert (unsaid.returncode, wrong.returncode) == (2, 2)
    assert "employee, listener" in unsaid.stderr
    assert "--kind NAME" in unsaid.stderr
    assert {line["entry"]: line["found"] for line in plan["entries"] if line["found"]} == {
        **dict.fromkeys(("employees", "letters", "notes-of-employees", "badges-of-employees"), 1)
    }
    assert held.returncode == 0, held.stderr
    assert "no entry “plays”" in foreign.stderr
    assert "ACC-827" in stopped.stdout + stopped.stderr
    assert "ACC-827" not in free.stdout + free.stderr


DOORS = """
from django.test import Client
client = Client(HTTP_HOST="localhost")
client.force_login(filer)
def sent(path, kind, **more):
    subject = {"identifiers": {"id": "11"}, **({"kind": kind} if kind else {})}
    headers = {"HTTP_IDEMPOTENCY_KEY": more.pop("once")} if "once" in more else {}
    body = {"subject": subject, **more}
    answer = client.post("/api/v1/" + path, body, content_type="application/json", **headers)
    return answer.status_code, answer.json()
unsaid = sent("erasure-requests/", "", identity="staff")
wrong = sent("erasure-requests/", "customer", identity="staff")
filed = sent("erasure-requests/", "employee", identity="staff", once="demand-0001")
other = sent("erasure-requests/", "listener", identity="staff", once="demand-0001")
hold = sent("holds/", "staff.Employee", reason="authority", entry="plays")
page = client.get("/admin/gdpr/erasurerequest/file/").content.decode()
form = {"key": "12", "ground": "17(1)(a)", "identity": "staff", "received_on": ""}
nothing = client.post("/admin/gdpr/erasurerequest/file/", form)
employee = client.post("/admin/gdpr/erasurerequest/file/", {**form, "of_kind": "employee"})
shown = [name in page for name in ('name="of_kind"', 'value="employee"', 'value="listener"')]
notice = consent.publish_notice("newsletter", "2026-01", "en", "May we write to you once a month?")
worker, fan = consent.someone("staff.Employee", 11), consent.someone("streaming.Listener", 11)
consent.give(worker, notice, method=ConsentMethod.CHECKBOX, channel="web")
the_map = client.get("/admin/gdpr/datamap/").content.decode()
told = [the_map.count(f"of {kind}</span>") > 1 for kind in ("employee", "listener")]
say([unsaid, wrong[0], filed[0], other[0], other[1].get("code"), hold[1].get("code"), shown,
     nothing.status_code, employee.status_code,
     sorted(ErasureRequest.objects.values_list("subject_kind", flat=True)),
     [consent.is_granted(one, "newsletter") for one in (worker, fan)], told])
"""


def test_api_admin_and_consents_tell_the_kinds_apart(crew: Erasing) -> None:
    """Over HTTP the kind is a name in the body, on the page of filing a choice; an answer is one person's."""
    unsaid, wrong, filed, other, reused, held, shown, nothing, employee, kinds, granted, told = crew.call(
        DOORS
    )
    consents = [
        crew.command("gdpr_consent", "11", "--by", "id", "--kind", kind, "--format", "json").stdout
        for kind in ("employee", "listener")
    ]

    assert (unsaid[0], "employee, listener" in json.dumps(unsaid[1]), wrong) == (400, True, 400)
    assert (filed, other, reused) == (201, 422, "ACC-833")
    assert held == "ACC-103"
    assert shown == [True, True, True]
    assert (nothing, employee) == (200, 302)
    assert kinds == ["staff.Employee", "staff.Employee"]
    assert granted == [True, False]
    assert told == [True, True]
    assert [len(json.loads(one)["consents"]) for one in consents] == [1, 0]


@pytest.mark.by_turns(3)
def test_restored_employee_is_erased_again_and_the_listener_is_not(crew: Erasing, tmp_path: Path) -> None:
    """The register of erasures knows the kind; an export before that had nothing of the other person."""
    export = crew.command(
        *("gdpr_export", "11", "--by", "id", "--kind", "employee", "--plain", "--format", "json"),
        *("--output", str(tmp_path), "--as", "filer"),
    )
    [file] = tmp_path.iterdir()
    rows = {part["id"] for part in json.loads(file.read_text())["parts"] if part["rows"]}
    request, _ = crew.call(ERASE + 'say(erased("employee", 11))')
    url = urlsplit(crew.project.database_url)
    backup = urlunsplit(url._replace(path=f"{url.path}_backup"))
    copy_postgres(crew.project.database_url, backup)
    crew.call(f"say(saga.work(ErasureRequest.objects.get(pk={request})).state)")
    gone = employees(crew)
    copy_postgres(backup, crew.project.database_url)
    back = employees(crew)
    done = crew.command("gdpr_replay", "--noinput")
    execute(
        urlunsplit(url._replace(path="/postgres")),
        f'DROP DATABASE "{url.path.strip("/")}_backup" WITH (FORCE)',
    )

    assert export.returncode == 0, export.stderr
    assert rows == {"employees", "letters", "notes-of-employees", "badges-of-employees"}
    assert (gone, back, employees(crew)) == ([12], [11, 12], [12]), done.stderr
    assert shared(crew, "employee", 11) == [0, 0, 0]
    assert shared(crew, "listener", 11) == [1, 1, 1]
    assert crew.holdings(11)["listener"] == 1
