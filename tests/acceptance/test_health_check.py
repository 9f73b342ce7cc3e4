"""health_check, /healthz and /readyz on the sample project: whole, waiting, damaged, half gone, frozen."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_postgres import execute
from tests.fix_project import Project
from tests.fix_sample import Sample

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

REVISION = "mongodb:streaming.0002_playlists_by_owner"
RECORD = """
from django.db import transaction
from accord.audit import trail as audit
from accord.audit.events import EventKind, ObjectKind
for number in range(3):
    with transaction.atomic():
        audit.record(EventKind.ERASURE_PLANNED, actor=audit.SYSTEM, object_kind=ObjectKind.ERASURE_REQUEST)
"""
LATE = """
from datetime import timedelta
from django.utils import timezone
from gdpr.models import ErasureRequest, LegalHold
now = timezone.now()
ErasureRequest.objects.create(
    subject_kind="listener", subject_tag="tag-late", ground="17(1)(a)", channel="command",
    received_at=now - timedelta(days=40), due_at=now - timedelta(days=9))
LegalHold.objects.create(
    subject_kind="listener", subject_tag="tag-held", reason="authority",
    placed_at=now - timedelta(days=99), review_at=now - timedelta(days=1))
"""
LEFT = """
from datetime import timedelta
from django.utils import timezone
from gdpr.models import ErasureRequest
now = timezone.now()
facts = dict(
    subject_kind="listener", ground="17(1)(a)", channel="command", filed_by_id=1, approved_by_id=2,
    plan_digest="a" * 64, received_at=now - timedelta(days=3), due_at=now + timedelta(days=27))
ErasureRequest.objects.create(subject_tag="tag-person", state="needs_operator", **facts)
ErasureRequest.objects.create(
    subject_tag="tag-look", state="completed", verify_again_at=now - timedelta(hours=2), **facts)
"""
PROBE = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from accord import views
stranger, staff = Client(headers={"host": "localhost"}), Client(headers={"host": "localhost"})
answers = {path: stranger.get(path) for path in ("/healthz", "/readyz")}
found = {path: [answer.status_code, answer.json()] for path, answer in answers.items()}
if found["/readyz"][0] == 200:
    user = get_user_model()(username="probe", is_staff=True, is_active=True)
    user.set_password("probe")
    user.save()
    staff.force_login(user)
    found["staff"] = staff.get("/readyz").json()
    found["alive"] = staff.get("/healthz").json()
    user.delete()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def migrated(new_sample: Callable[[], Project], migrated_sample: Sample) -> Project:
    """Give the sample project, migrated; each test damages another part of it and mends that again."""
    project = new_sample()
    migrated_sample.copy_to(project)
    return project


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """Give a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def look(project: Project, *arguments: str) -> tuple[int, dict[str, Mapping[str, Any]]]:
    """Run the command; give its exit code and its findings by name."""
    done = project.run("health_check", "--format", "json", *arguments)
    document = json.loads(done.stdout)
    assert document["schema"] == "accord.health/1"
    assert document["exit_code"] == done.returncode
    assert "Traceback" not in done.stderr
    return done.returncode, {found["name"]: found for found in document["findings"]}


def levels(findings: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Give the levels that aren't ok, by name."""
    return {name: found["level"] for name, found in findings.items() if found["level"] != "ok"}


@contextmanager
def changed_entry(project: Project, **fields: str) -> Iterator[None]:
    """Change a line of MongoDB's ledger, and put it back afterwards."""
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        ledger = client.get_default_database()["accord_ledger"]
        before = ledger.find_one({"_id": REVISION})
        assert before is not None
        ledger.update_one({"_id": REVISION}, {"$set": fields})
        yield
        ledger.replace_one({"_id": REVISION}, before)


# --- whole -------------------------------------------------------------------------------------------


def test_everything_is_ok_once_all_is_migrated(migrated: Project) -> None:
    """After migrate_all every check but that of this machine's disk finds nothing to say."""
    _, findings = look(migrated, "--timeout", "60")

    assert {name for name in levels(findings) if not name.startswith("disk.")} == set()
    assert findings["store.default"]["message"].startswith("PostgreSQL ")
    assert findings["store.search"]["message"].startswith("OpenSearch ")
    assert findings["migrations.default"]["value"] == 0
    assert findings["guards.gdpr"]["message"] == "Every trigger and check that protects evidence stands."


def test_prometheus_is_told_the_same(migrated: Project) -> None:
    """The text format has a level for each finding."""
    text = migrated.manage(
        "health_check", "--format", "prometheus", "--only", "store", "lease", "migrations.default.drift"
    )

    assert 'accord_health_level{check="store.default"} 0' in text
    assert 'accord_health_level{check="lease"} 0' in text
    assert "accord_health_worst_level 0" in text


def test_probes_answer_and_tell_strangers_no_more(migrated: Project) -> None:
    """Alive and ready for anybody; what was found for staff only."""
    found = json.loads(migrated.manage("shell", "--verbosity", "0", "--command", PROBE).splitlines()[-1])

    assert found["/healthz"] == [200, {"status": "alive"}]
    assert found["/readyz"] == [200, {"status": "ready"}]
    names = {item["name"] for item in found["staff"]["findings"]}
    assert {"store.default", "migrations.search"} <= names
    assert not any(name.startswith("live.") for name in names)
    assert {"live.default", "live.search"} <= {item["name"] for item in found["alive"]["findings"]}


# --- waiting -----------------------------------------------------------------------------------------


def test_pending_steps_are_a_warning(project: Project) -> None:
    """Nothing is broken, and somebody has to run migrate_all; --fail-on critical lets it pass."""
    code, findings = look(project, "--only", "migrations")

    assert code == 1
    assert set(levels(findings).values()) == {"warn"}
    assert findings["migrations.mongodb"]["value"] > 0
    assert "migrate_all" in findings["migrations.mongodb"]["hint"]
    assert look(project, "--only", "migrations", "--fail-on", "critical")[0] == 0


def test_server_with_pending_steps_is_alive_and_not_ready(project: Project) -> None:
    """Code whose schema isn't there gets no requests, and is not restarted for it."""
    found = json.loads(project.manage("shell", "--verbosity", "0", "--command", PROBE).splitlines()[-1])

    assert found["/healthz"] == [200, {"status": "alive"}]
    assert found["/readyz"] == [503, {"status": "not ready"}]


# --- damaged -----------------------------------------------------------------------------------------


def test_an_edited_revision_is_critical(migrated: Project) -> None:
    """Drift names the step, and what to do."""
    with changed_entry(migrated, checksum="0" * 64, fingerprint="0" * 64):
        code, findings = look(migrated, "--only", "migrations")

    assert code == 2
    assert levels(findings) == {"migrations.mongodb.drift": "critical"}
    assert REVISION in findings["migrations.mongodb.drift"]["message"]


def test_a_step_that_a_dead_run_left_half_done_is_critical(migrated: Project) -> None:
    """No run holds the lease, and a ledger says that a step was begun."""
    with changed_entry(migrated, state="reverting"):
        code, findings = look(migrated, "--only", "migrations")

    assert code == 2
    assert levels(findings) == {"migrations.mongodb": "critical"}
    assert REVISION in findings["migrations.mongodb"]["message"]


def test_a_migration_that_a_dead_run_left_half_done_is_critical(migrated: Project) -> None:
    """PostgreSQL's ledger tells of it, too."""
    change = (
        "UPDATE accord_ledger SET state = '{}' WHERE app = 'streaming' AND name = '0009_listener_language'"
    )
    execute(migrated.database_url, change.format("reverting"))

    code, findings = look(migrated, "--only", "migrations")
    execute(migrated.database_url, change.format("applied"))

    assert code == 2
    assert levels(findings) == {"migrations.default": "critical"}
    assert "0009_listener_language" in findings["migrations.default"]["message"]


def test_an_alias_that_somebody_removed_is_critical(migrated: Project) -> None:
    """The ledger says where each alias of the applied revisions points."""
    alias = f"{migrated.prefix}everything"
    behind = migrated.ask("GET", f"/_alias/{alias}")
    for index in behind:
        migrated.ask("DELETE", f"/{index}/_alias/{alias}")

    code, findings = look(migrated, "--only", "aliases")
    for index in behind:
        migrated.ask("PUT", f"/{index}/_alias/{alias}")

    assert code == 2
    assert f"{alias} points at nothing" in findings["aliases.search"]["message"]
    assert look(migrated, "--only", "aliases")[0] == 0


def test_a_forgotten_request_is_critical_and_a_forgotten_hold_a_warning(migrated: Project) -> None:
    """Deadline and review are compared with the server's clock; no finding names a person."""
    migrated.manage("shell", "--command", LATE)

    code, findings = look(migrated, "--only", "erasure")

    assert code == 2
    assert levels(findings) == {"erasure.deadlines": "critical", "erasure.holds": "warn"}
    assert findings["erasure.deadlines"]["age"] > 8 * 86400
    assert "tag-late" not in json.dumps(findings)
    execute(
        migrated.database_url,
        "SET session_replication_role = replica; "
        "DELETE FROM gdpr_erasurerequest WHERE subject_tag = 'tag-late'; "
        "DELETE FROM gdpr_legalhold WHERE subject_tag = 'tag-held'",
    )


def test_requests_that_need_a_person_or_a_second_look_are_warnings(
    migrated: Project,
) -> None:
    """What is read is the state of the request; none of its steps has failed."""
    migrated.manage("shell", "--command", LEFT)

    code, findings = look(migrated, "--only", "erasure.requests")

    assert (code, levels(findings)) == (1, {"erasure.requests": "warn"})
    assert "1 erasure request is waiting for a person. 1 second look is overdue." in json.dumps(findings)
    assert findings["erasure.requests"]["age"] > 3600
    execute(
        migrated.database_url,
        "SET session_replication_role = replica; "
        "DELETE FROM gdpr_erasurerequest WHERE subject_tag IN ('tag-person', 'tag-look')",
    )


def test_a_broken_audit_chain_is_critical(project: Project) -> None:
    """An event that was changed behind the triggers' back shows in the next watch."""
    project.manage("migrate", "accord", "--skip-checks")
    project.manage("shell", "--command", RECORD)
    assert look(project, "--only", "audit")[0] == 0

    execute(
        project.database_url,
        "SET session_replication_role = replica; "
        "UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2",
    )
    code, findings = look(project, "--only", "audit")

    assert code == 2
    assert "Event 2" in findings["audit"]["message"]


# --- gone and frozen ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "url", "store"),
    [
        ("ELASTICSEARCH_URL", "http://watch:hunter2@127.0.0.1:{port}", "store.search"),
        ("MONGODB_URL", "mongodb://watch:hunter2@127.0.0.1:{port}/gone?replicaSet=rs0", "store.mongodb"),
        ("DATABASE_URL", "postgresql://watch:hunter2@127.0.0.1:{port}/gone", "store.default"),
    ],
)
def test_a_store_that_is_down_is_critical(
    migrated: Project, closed_port: int, variable: str, url: str, store: str
) -> None:
    """The others are looked at all the same, and no password is told."""
    damaged = replace(migrated, extra={variable: url.format(port=closed_port)})

    code, findings = look(damaged, "--timeout", "60", "--only", "store")

    assert code == 2
    assert findings[store]["level"] == "critical"
    assert findings[store]["hint"]
    assert "ok" in {found["level"] for found in findings.values()}
    assert "hunter2" not in json.dumps(findings)


def test_a_server_that_hangs_is_unknown_within_the_timeout(migrated: Project, silent_port: int) -> None:
    """The command ends long before the driver would give up, with the findings of all others."""
    frozen = replace(migrated, extra={"ELASTICSEARCH_URL": f"http://127.0.0.1:{silent_port}"})
    started = time.monotonic()

    code, findings = look(frozen, "--timeout", "3", "--only", "cluster", "disk", "migrations")

    assert time.monotonic() - started < 40
    assert code == 3
    assert findings["cluster.search"]["level"] == "unknown"
    assert "3 s" in findings["cluster.search"]["message"]
    assert "disk.project" in findings


# --- the call is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--only", "stores"], ["--timeout", "0"], ["--format", "xml"]])
def test_a_wrong_call_is_unknown_and_no_outage(
    new_project: Callable[..., Project], arguments: list[str]
) -> None:
    """Monitoring systems take 2 for an outage, so a typing mistake in a crontab exits with 3."""
    done = new_project().run("health_check", *arguments)

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
