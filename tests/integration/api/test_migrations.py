"""Runs, the plan, approvals and health over HTTP, and the description of it all."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from tests.fix_api import Served

pytestmark = pytest.mark.integration

READ = """
runs = ask("filer", "runs/").json()
run = ask("filer", f"runs/{runs['results'][0]['id']}/").json()
plan = ask("filer", "plan/")
health = ask("filer", "health/", only=["migrations", "audit"])
say(
    dict(
        runs=runs["count"],
        outcome=runs["results"][0]["outcome"],
        whole=run["done"] == run["planned"] == len(run["steps"]),
        steps=sorted({step["outcome"] for step in run["steps"]}),
        planned=plan.status_code,
        schema=plan.json()["schema"],
        pending=plan.json()["steps"],
        no_run=problem(ask("filer", "runs/20200101-000000-abcdef/")),
        failed=ask("filer", "runs/", outcome="failed").json()["count"],
        status=health.status_code,
        health=health.json()["schema"],
        names=sorted({finding["name"].split(".")[0] for finding in health.json()["findings"]}),
        unknown=problem(ask("filer", "health/", only="nothing")),
        odd=problem(ask("filer", "health/", only="Bobby; DROP")),
    )
)
"""

REQUESTED = """
from accord import conf
from accord.seam.registry import Registry
from accord.seam.types import Direction
from migrator.engine.api import Migrations
from migrator.governance.work import PlannedWork
from migrator.models import PlanApproval, RunKind

migrations = Migrations(Registry(conf.load().store_settings()))
situation = migrations.situation()

def steps_of(store):
    order = situation.graph.order()
    return [situation.graph.steps[key] for key in order if key.app == "streaming" and key.store == store]

filer = get_user_model().objects.get(username="filer")

def requested(*steps):
    work = PlannedWork(
        kind=RunKind.REVERT, direction=Direction.REVERT, steps=tuple(reversed(steps)), target="--revert"
    )
    return migrations.gate().approvals.request(work, filer, "for a test").reference
"""

APPROVED = (
    REQUESTED
    + """
steps = steps_of("mongodb")[-2:]
first, second = requested(*steps), requested(steps[-1])
shown = ask("approver", f"plan-approvals/{first[:8]}/").json()
own = send("filer", f"plan-approvals/{first}/approve/", {"reason": "mine"})
still = PlanApproval.objects.get(reference=first).state
unreasoned = problem(send("approver", f"plan-approvals/{first}/approve/", {}))
blank = problem(send("approver", f"plan-approvals/{first}/approve/", {"reason": "  "}))
done = send("approver", f"plan-approvals/{first}/approve/", {"reason": "read every line"})
again = problem(send("approver", f"plan-approvals/{first}/approve/", {"reason": "read every line"}))
rejected = send("approver", f"plan-approvals/{second}/reject/", {"reason": "not today"})

def listed(**query):
    return [one["reference"] for one in ask("approver", "plan-approvals/", **query).json()["results"]]

say(
    dict(
        state=shown["state"],
        stores=[store["store"] for store in shown["stores"]],
        shown=all(step["statements"] for store in shown["stores"] for step in store["steps"]),
        own=problem(own),
        still=still,
        unreasoned=unreasoned,
        blank=blank,
        done=[done.status_code, done.json()["state"], done.json()["decision_reason"]],
        again=again,
        rejected=rejected.json()["state"],
        approved=listed(state="approved") == [first],
        requested=listed(state="requested"),
        expired=listed(state="expired"),
        every=set(listed()) == {first, second},
        missing=problem(ask("approver", "plan-approvals/0123456789/")),
        events=AuditEvent.objects.filter(object_ref=first, event="approval.granted").count(),
        named="approver" in done.content.decode(),
    )
)
"""
)

LOSING = (
    REQUESTED
    + """
losing = requested(*steps_of("mongodb"))
shown = ask("approver", f"plan-approvals/{losing}/").json()
body = {"reason": "read every line"}
unseen = send("approver", f"plan-approvals/{losing}/approve/", body)
denied = problem(send("approver", f"plan-approvals/{losing}/approve/", {**body, "seen": False}))
odd = problem(send("approver", f"plan-approvals/{losing}/approve/", {**body, "seen": "maybe"}))
still = PlanApproval.objects.get(reference=losing).state
elsewhere = problem(send("approver", f"plan-approvals/{losing}/reject/", {**body, "seen": True}))
own = problem(send("filer", f"plan-approvals/{losing}/approve/", body))
done = send("approver", f"plan-approvals/{losing}/approve/", {**body, "seen": True})
say(
    dict(
        losses=shown["losses"],
        asks=shown["asks_seen"],
        left=shown["left"],
        stuck=shown["stuck"],
        agrees=[text for text in shown["findings"] if "--even-with-data" in text],
        unseen=unseen.json(),
        refused=[denied, odd, elsewhere, own],
        still=still,
        done=[done.status_code, done.json()["state"]],
    )
)
"""
)

THREADS = (
    REQUESTED
    + """
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
from django.test import Client

throttle(dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]))
approval = PlanApproval.objects.get(reference=requested(steps_of("search")[-1]))
staff = get_user_model().objects.get(username="approver")
staff.is_staff = True
staff.save()

def page():
    browser = Client()
    browser.force_login(staff)
    shown = browser.get(f"/admin/migrator/planapproval/{approval.pk}/change/")
    return [shown.status_code, "be shown whole" in shown.content.decode()]

def document(path):
    answer = ask("filer", path)
    return [answer.status_code, answer.json()]

def health():
    answer = ask("filer", "health/", only=["migrations", "aliases", "replica"])
    return sorted({finding["level"] for finding in answer.json()["findings"]})

asked = [lambda: document("plan/"), lambda: document(f"plan-approvals/{approval.reference}/"), page, health]
alone = [one() for one in asked]

def work(number):
    try:
        return number % 4, asked[number % 4]()
    finally:
        connections.close_all()

with ThreadPoolExecutor(2) as threads:
    together = list(threads.map(work, range(48)))
odd = [number for number, got in together if got != alone[number]]
say(dict(alone=[*(one[0] for one in alone[:2]), *alone[2:]], odd=odd))
"""
)

DOCUMENTS = """
from django.core.management import call_command
import tempfile

with tempfile.NamedTemporaryFile() as file:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", file.name)
page = client("nobody").get("/api/v1/docs/")
script = client("nobody").get("/api/v1/docs/?script=")
schema = ask("nobody", "schema/").json()
from django.contrib.staticfiles import finders

text = page.content.decode()
import re

links = re.findall(r'(?:src|href)="([^"]+)"', text)
say(
    [
        page.status_code,
        text,
        script.content.decode(),
        [bool(finders.find(link.removeprefix("/static/"))) for link in links if link.startswith("/static/")],
        schema["openapi"],
        sorted(schema["components"]["securitySchemes"]),
        "x-spec-enum-id" in json.dumps(schema),
    ]
)
"""


def test_runs_plan_and_health_are_read(served: Served) -> None:
    """What the journal, `migrate_all --plan` and `health_check` say, as documents of the same schemas."""
    found = SimpleNamespace(**served.call(READ))

    assert found.runs >= 1
    assert (found.outcome, found.whole, found.steps) == ("succeeded", True, ["succeeded"])
    assert (found.planned, found.schema, found.pending) == (200, "accord.plan/1", [])
    assert found.no_run == [404, "not_found"]
    assert found.failed == 0
    assert (found.status, found.health) == (200, "accord.health/1")
    assert set(found.names) == {"migrations", "audit"}
    assert found.unknown == [400, "ACC-100"]
    assert found.odd == [400, "invalid"]


def test_plan_is_approved_by_another_person_over_http(served: Served) -> None:
    """Whoever asked is refused with the code of four eyes; the decision is that of the command."""
    found = SimpleNamespace(**served.call(APPROVED))

    assert (found.state, found.stores, found.shown) == ("requested", ["mongodb"], True)
    assert (found.own, found.still) == ([403, "ACC-923"], "requested")
    assert found.unreasoned == found.blank == [400, "invalid"]
    assert found.done == [200, "approved", "read every line"]
    assert found.again == [409, "ACC-922"]
    assert found.rejected == "rejected"
    assert (found.approved, found.requested, found.expired, found.every) == (True, [], [], True)
    assert found.missing == [404, "ACC-924"]
    assert found.events == 1
    assert not found.named


def test_plan_that_drops_data_is_approved_by_who_says_that_they_saw_it(served: Served) -> None:
    """As in the admin: without `seen` nothing is decided, and the problem says what goes."""
    found = SimpleNamespace(**served.call(LOSING))

    assert found.asks
    assert any(line.startswith("collection playlists: ") for line in found.losses)
    assert (found.left, len(found.agrees)) == ([], 1)
    assert (found.unseen["status"], found.unseen["code"]) == (409, "ACC-928")
    assert "documents" in found.unseen["detail"]
    assert "seen" in found.unseen["next"]
    assert found.refused == [[409, "ACC-928"], [400, "invalid"], [400, "invalid"], [403, "ACC-923"]]
    assert (found.still, found.done) == ("requested", [200, "approved"])


def test_threads_of_a_server_get_their_own_answers(served: Served) -> None:
    """Plan, review in API and admin, and health, asked by two threads at once: as by one alone."""
    found = SimpleNamespace(**served.call(THREADS))

    assert found.alone == [200, 200, [200, False], ["ok"]]
    assert found.odd == []


def test_description_is_valid_and_its_page_loads_nothing_from_other_hosts(served: Served) -> None:
    """`spectacular --validate --fail-on-warn` is silent; scripts and styles come from this server."""
    status, page, script, found, version, schemes, marks = served.call(DOCUMENTS)

    assert status == 200
    assert found
    assert all(found)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    assert "cdn" not in page + script
    assert '"validatorUrl": null' in script
    assert version.startswith("3.")
    assert schemes == ["cookieAuth", "tokenAuth"]
    assert not marks
