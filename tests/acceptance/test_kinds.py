"""Two kinds of people in one project: employee 11 and listener 11 are two people, in stores and at doors."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fix_requests import Erasing
from tests.fix_sample import asked

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
