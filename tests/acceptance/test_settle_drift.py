"""Housekeeping that Django lets pass, and drift that somebody answers for: each ends in a command."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fix_postgres import execute
from tests.fix_project import Project
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

Finished = subprocess.CompletedProcess[str]
LEAN = """
from tests.projects.workshop.settings import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "workshop"]
"""
RENAMED = """
from tests.projects.workshop.settings import *
MIGRATION_MODULES = {"workshop": None}
"""
LABEL = """
from tests.projects.workshop.settings import *
INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "workshop"] + ["workshop.renamed.Config"]
"""
CONFIG = """
from django.apps import AppConfig

class Config(AppConfig):
    name, label = "workshop", "studio"
"""
PASSWORD = "a password for tests"
PAGES = """
import json
import django; django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from accord.seam.registry import opened
from migrator.api.answers import ApprovalDetail
from migrator.engine.accepting import drift_work
from migrator.engine.api import Migrations
from migrator.governance.acceptances import NO_END
from migrator.models import PlanApproval
from migrator.review import review

asker, second = (get_user_model().objects.create_superuser(name) for name in ("asker", "second"))
with opened() as stores:
    migrations = Migrations(stores)
    approvals = migrations.gate().approvals
    work = drift_work(migrations.situation(), (), NO_END)
    asked = approvals.request(work, asker, "A rehearsal")
client = Client(SERVER_NAME="localhost")
client.force_login(second)
addresses = [
    reverse(f"admin:migrator_planapproval_{name}", args=args)
    for name, args in (("changelist", []), ("change", [asked.pk]), ("approve", [asked.pk]))
]
pages = {
    language: [
        client.get(address, headers={"accept-language": language}).content.decode() for address in addresses
    ]
    for language in ("en", "de")
}
detail = ApprovalDetail(asked, context={"approvals": approvals, "review": review(asked)}).data
client.post(reverse("admin:migrator_planapproval_approve", args=[asked.pk]), {"reason": "Read it"})
state = PlanApproval.objects.get(pk=asked.pk).state
print(json.dumps([pages, detail, state, asked.digest], default=str))
"""


@pytest.fixture
def settled(workshop: Workshop) -> Workshop:
    """Give a project with two steps in each of two stores, applied, and an account that may ask."""
    workshop.django("0001_one", "One")
    workshop.django("0002_two", "Two", needs="0001_one")
    workshop.mongo("0001_one", "one")
    workshop.mongo("0002_two", "two", needs="0001_one")
    workshop.answer("migrate_all")
    made = replace(workshop, variables={**workshop.variables, "ACCORD_PASSWORD": PASSWORD})
    done = made.run(
        "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.org",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return made


def refused(workshop: Workshop, code: str) -> str:
    """Make sure that a run is refused as drift; give the command of `migration_approval` that it names."""
    done = workshop.run("migrate_all")
    assert (done.returncode, f"[{code}]" in done.stderr) == (6, True), done.stdout + done.stderr
    found = re.search(r"migration_approval (request .*? --reason TEXT)", done.stderr)
    assert found is not None, done.stderr
    return found[1]


def accept(workshop: Workshop, line: str, *more: str) -> Finished:
    """Type the command of a hint, filled as a person would."""
    words = line.replace("USERNAME", "ada").split()
    done = workshop.run("migration_approval", *words[:-1], "seen, and it may stay", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def assert_goes_on(workshop: Workshop, *words: str) -> None:
    """Make sure that looks and runs go on, and tell what they pass over."""
    for flags in (["--check"], ["--plan"]):
        done = workshop.run("migrate_all", *flags)
        assert done.returncode == 0, done.stdout + done.stderr
        for word in words:
            assert word in done.stdout, done.stdout
    done = workshop.run("migrate_all")
    assert (done.returncode, "Nothing to do" in done.stdout) == (0, True), done.stdout + done.stderr


def without(path: Path, line: str) -> None:
    path.write_text("".join(one for one in path.read_text().splitlines(True) if line not in one))


def test_two_settings_modules_share_a_database(settled: Workshop) -> None:
    """What the one doesn't install, or switches off, is told and stops nothing: no run and no request."""
    (settled.folder / "lean.py").write_text(LEAN)
    (settled.folder / "renamed.py").write_text(RENAMED)
    lean = replace(settled, variables={**settled.variables})
    before = settled.rows("SELECT app, name FROM django_migrations ORDER BY 1, 2")

    told = lean.run("migrate_all", "--check", DJANGO_SETTINGS_MODULE="lean")
    ran = lean.run("migrate_all", "--store", "default", DJANGO_SETTINGS_MODULE="lean")
    asked = lean.run(
        "migration_approval", "request", "--as", "ada", "--reason", "x", DJANGO_SETTINGS_MODULE="lean"
    )
    health = lean.run(
        "health_check", "--only", "migrations", "--format", "json", DJANGO_SETTINGS_MODULE="lean"
    )
    off = lean.run("migrate_all", "--plan", DJANGO_SETTINGS_MODULE="renamed")

    assert told.returncode == 0, told.stderr
    for store in ("default", "mongodb"):
        assert f"“{store}” holds 2 steps of “workshop”, which is not installed here." in told.stdout
    assert ran.returncode == 0, ran.stderr
    assert (asked.returncode, "no step is pending" in asked.stderr) == (2, True), asked.stderr
    found = {one["name"]: one for one in json.loads(health.stdout)["findings"]}
    assert found["migrations.default.drift"]["level"] == "warn", health.stdout
    assert (off.returncode, "as MIGRATION_MODULES says" in off.stdout) == (0, True), off.stdout + off.stderr
    assert settled.run("migrate_all", "--check").returncode == 0
    assert settled.rows("SELECT app, name FROM django_migrations ORDER BY 1, 2") == before


def test_release_that_is_rolled_back_is_answered_for_once(settled: Workshop) -> None:
    """The newest file goes and comes back; a newer version of Accord itself is answered for the same way."""
    path = settled.folder / "workshop" / "migrations" / "0002_two.py"
    text = path.read_text()
    path.unlink()
    execute(
        settled.variables["DATABASE_URL"],
        """INSERT INTO accord_ledger SELECT (jsonb_populate_record(l, jsonb_build_object(
        'name', '0099_tomorrow', 'id', encode(sha256('migrator.0099_tomorrow'), 'hex')))).*
        FROM accord_ledger l WHERE app = 'migrator' AND name = '0001_initial'""",
        """INSERT INTO django_migrations (app, name, applied) SELECT app, '0099_tomorrow', applied
        FROM django_migrations WHERE app = 'migrator' AND name = '0001_initial'""",
    )
    refused(settled, "ACC-302")

    said = accept(settled, "request --kind drift --as USERNAME --reason TEXT", "--until", "2999-01-01").stdout

    assert "Accepted: it stops no run until 2999-01-01" in said
    assert_goes_on(settled, "0002_two", "migrator.0099_tomorrow", "Accepted by ada until 2999-01-01")
    path.write_text(text)
    assert "0002_two" not in settled.run("migrate_all", "--plan").stdout


@pytest.mark.parametrize("is_fresh", [False, True])
def test_last_step_of_squashing(settled: Workshop, *, is_fresh: bool) -> None:
    """The replaced files and `replaces` go, as Django documents it; also where the squash alone ever ran."""
    folder = settled.folder / "workshop" / "migrations"
    replaces = 'replaces = [("workshop", "0001_one"), ("workshop", "0002_two")]'
    squash = settled.django("0001_squashed_0002_two", "One", more=replaces)
    made = next(line for line in squash.read_text().splitlines(True) if "CreateModel" in line)
    squash.write_text(squash.read_text().replace(made, made + made.replace("One", "Two")))
    if is_fresh:
        execute(
            settled.variables["DATABASE_URL"],
            "DELETE FROM accord_ledger WHERE app = 'workshop'",
            "DELETE FROM django_migrations WHERE app = 'workshop'",
            "DROP TABLE workshop_one, workshop_two",
        )
    assert settled.run("migrate_all").returncode == 0
    for name in ("0001_one", "0002_two"):
        (folder / f"{name}.py").unlink()
    assert settled.run("migrate_all", "--check").returncode == 0
    without(squash, "replaces")

    refused(settled, "ACC-301" if is_fresh else "ACC-302")
    accept(settled, "request --kind drift --as USERNAME --reason TEXT")

    assert_goes_on(settled, "until it changes")
    settled.django("0003_three", "Three", needs="0001_squashed_0002_two")
    assert settled.run("migrate_all").returncode == 0
    assert settled.rows("SELECT count(*) FROM workshop_three") == [(0,)]


def test_edits_that_change_no_table(settled: Workshop) -> None:
    """A help text and a dependency are added to applied files, in two stores."""
    model = settled.folder / "workshop" / "migrations" / "0001_one.py"
    text = model.read_text()
    text = text.replace("dependencies = []", 'dependencies = [("auth", "0001_initial")]')
    model.write_text(text.replace("primary_key=True", 'primary_key=True, help_text="the key"'))
    documents = settled.folder / "workshop" / "mongo_migrations" / "0002_two.py"
    documents.write_text(documents.read_text().replace("operations =", "phase = 'expand'\n    operations ="))

    accept(settled, refused(settled, "ACC-301"))
    accept(settled, refused(settled, "ACC-301"))

    assert_goes_on(settled, "default:workshop.0001_one was edited", "mongodb:workshop.0002_two was edited")


def test_step_that_has_to_come_before_an_applied_one(settled: Workshop) -> None:
    """A later `run_before`, and a dependency that was added: accepted, the new step runs late."""
    settled.django("0003_three", "Three", more='run_before = [("workshop", "0001_one")]')
    documents = settled.mongo("0003_three", "three")
    first = settled.folder / "workshop" / "mongo_migrations" / "0001_one.py"
    first.write_text(
        first.read_text().replace("dependencies = []", 'dependencies = [("workshop", "0003_three")]')
    )

    accept(settled, "request --kind drift --as USERNAME --reason TEXT")
    done = settled.run("migrate_all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert settled.rows("SELECT count(*) FROM workshop_three") == [(0,)]
    assert documents.exists()
    drift = settled.answer("migrate_all", "--plan")["drift"]
    assert [(one["key"], one["kind"]) for one in drift] == [("mongodb:workshop.0001_one", "edited")]


def test_step_that_has_to_come_before_is_adopted_by_proof_or_by_word(settled: Workshop) -> None:
    """The refusal's command of a baseline records no absent table, and SQL as a person's word only."""
    path = settled.django("0003_three", "Three", more='run_before = [("workshop", "0001_one")]')
    baseline = re.search(r"migrate_all (--baseline --to \S+?)\. ", settled.run("migrate_all").stderr)
    assert baseline is not None
    words = [*baseline[1].split(), "--noinput"]

    absent = settled.run("migrate_all", *words)
    made = next(line for line in path.read_text().splitlines(True) if "CreateModel" in line)
    path.write_text(path.read_text().replace(made, '        migrations.RunSQL("CREATE TABLE bb (i int)"),\n'))
    told = settled.run("migrate_all", *words)
    listed = settled.run("showmigrations_all", "workshop").stdout

    assert (absent.returncode, "[ACC-304]" in absent.stderr) == (6, True), absent.stdout + absent.stderr
    assert told.returncode == 0, told.stderr
    assert "there already" not in told.stdout + told.stderr
    assert re.search(r"0003_three.*\(recorded\)", listed), listed


def test_label_that_is_renamed(settled: Workshop) -> None:
    """By Django's `replaces` nothing runs again; the other store's steps are told and stop nothing."""
    (settled.folder / "renamed.py").write_text(LABEL)
    (settled.folder / "workshop" / "renamed.py").write_text(CONFIG)
    for path in (settled.folder / "workshop").glob("*migrations/0*.py"):
        text = path.read_text().replace('("workshop", ', '("studio", ')
        if path.parent.name == "migrations":
            replaces = f'    replaces = [("workshop", "{path.stem}")]\n    operations ='
            text = text.replace("    operations =", replaces)
        path.write_text(text)

    told = settled.run("migrate_all", "--plan", DJANGO_SETTINGS_MODULE="renamed")
    done = settled.run("migrate_all", "--check", "--store", "default", DJANGO_SETTINGS_MODULE="renamed")

    assert told.returncode == 0, told.stderr
    assert "“mongodb” holds 2 steps of “workshop”, which is not installed here." in told.stdout
    assert "default:studio" not in told.stdout, told.stdout
    assert "mongodb:studio.0002_two" in told.stdout
    assert done.returncode == 0, done.stdout + done.stderr


def test_replaces_that_is_added_to_an_applied_file(settled: Workshop) -> None:
    """It is an edit to accept; whether the step counts as applied goes by what it replaces, as in Django."""
    path = settled.folder / "workshop" / "migrations" / "0002_two.py"
    replaces = '    replaces = [("workshop", "0002_as_it_was")]\n    operations ='
    path.write_text(path.read_text().replace("    operations =", replaces))
    execute(
        settled.variables["DATABASE_URL"],
        "INSERT INTO django_migrations (app, name, applied) VALUES ('workshop', '0002_as_it_was', now())",
    )

    accept(settled, refused(settled, "ACC-301"))

    assert_goes_on(settled, "default:workshop.0002_two was edited")


def test_pages_and_api_show_what_disagrees_and_until_when(migrated: Project) -> None:
    """The one who decides reads the disagreement itself, in their language, and no word of a plan."""
    execute(
        migrated.database_url,
        "UPDATE accord_ledger SET checksum = '1:0', fingerprint = '0' "
        "WHERE app = 'streaming' AND name LIKE '0012%'",
    )

    done = migrated.run(program=("-c", PAGES))

    assert done.returncode == 0, done.stderr
    pages, detail, state, digest = json.loads(done.stdout.splitlines()[-1])
    listed, shown, asked = pages["en"]
    assert "when ledger or file changes" in listed
    assert "was edited after it was applied" in shown
    assert "9999" not in listed + shown
    assert "ACCEPT DRIFT" in asked
    assert digest in asked
    assert "Runs go on although ledger and file disagree" in asked
    assert "ABWEICHUNG ANNEHMEN" in pages["de"][2]
    [one] = detail["drift"]
    assert one["drift"] == "edited"
    assert (detail["kind"], detail["steps"], detail["findings"]) == ("drift", [], [])
    assert "was edited" in detail["stores"][0]["steps"][0]["title"]
    assert state == "approved"
    assert "Accepted by second until it changes" in migrated.manage("migrate_all", "--check")
