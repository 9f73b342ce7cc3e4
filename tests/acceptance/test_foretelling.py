"""What would fail is told by the dry run, and a run of it does not start."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_postgres import execute
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

BODY = """
class Migration(migrations.Migration):
    dependencies = {needs}
    operations = [{operation}]
"""
CREATE = """migrations.CreateModel("Person", [("id", models.BigAutoField(primary_key=True)),
                                          ("mail", models.CharField(max_length=40))])"""
UNIQUE = 'migrations.AlterField("Person", "mail", models.CharField(max_length=40, unique=True))'
LATER = 'migrations.CreateModel("Other", [("id", models.BigAutoField(primary_key=True))])'


@pytest.fixture
def filled(workshop: Workshop) -> Workshop:
    """Give a project with two rows of one address, and two pending steps of which one would be refused."""
    workshop.write("migrations/0001_first.py", BODY.format(needs=[], operation=CREATE))
    done = workshop.run("migrate_all", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    insert = "INSERT INTO workshop_person (mail) VALUES ('a@b.c'), ('a@b.c')"
    execute(workshop.variables["DATABASE_URL"], insert)
    needs = [("workshop", "0001_first")]
    workshop.write("migrations/0002_other.py", BODY.format(needs=needs, operation=LATER))
    needs = [("workshop", "0002_other")]
    workshop.write("migrations/0003_unique.py", BODY.format(needs=needs, operation=UNIQUE))
    return workshop


def test_what_would_fail_does_not_start(filled: Workshop) -> None:
    """The dry run says so, with exit code 1; a run stops before its first step, unless policy only warns."""
    dry = filled.run("migrate_all", "--dry-run", "--format", "json")
    text = filled.run("migrate_all", "--dry-run")
    run = filled.run("migrate_all", "--noinput")
    policy = json.dumps({"development": {"foretelling": "warn"}})
    environment = {"WORKSHOP_ENVIRONMENT": "development", "WORKSHOP_POLICY": policy}
    warned = filled.run("migrate_all", "--noinput", **environment)

    steps = {step["key"]: step["foretold"] for step in json.loads(dry.stdout)["steps"]}
    refused = [item for item in steps["default:workshop.0003_unique"] if item["outlook"] == "refused"]
    assert [(item["rows"], item["sample"]) for item in refused] == [(1, ["***"])]
    assert (dry.returncode, text.returncode, run.returncode) == (1, 1, 1)
    assert "WOULD FAIL" in text.stdout
    assert "ACC-405" in run.stderr
    assert "default:workshop.0003_unique" in run.stderr
    assert "a@b.c" not in dry.stdout + text.stdout + run.stdout + run.stderr
    assert warned.returncode == 1
    assert "Foretold to fail" in warned.stderr
    assert filled.rows("SELECT name FROM django_migrations WHERE app = 'workshop' ORDER BY 1") == [
        ("0001_first",), ("0002_other",),
    ]  # fmt: skip


PROMISING = """
def everyone_has_a_mail(connection):
    "Everyone has a mail"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM workshop_person WHERE mail = ''")
        return cursor.fetchone()[0] == 0


def writes(connection):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM workshop_person")


class Migration(migrations.Migration):
    dependencies = [("workshop", "0001_first")]
    atomic = {atomic}
    operations = [migrations.RunSQL("INSERT INTO workshop_person (mail) VALUES ('{mail}')")]
    checks_before = {before}
    checks_after = {{
        "mails": everyone_has_a_mail,
        "no two": "SELECT 1 FROM workshop_person HAVING count(*) > 1",
    }}
"""


@pytest.mark.parametrize(
    ("atomic", "before", "mail", "said", "rows", "applied"),
    [
        (True, "['SELECT 1 WHERE true']", "x", "it is pending", 0, False),
        (True, "[writes]", "x", "could not be asked", 0, False),
        (True, "[]", "", "rolled back", 0, False),
        (False, "[]", "", "It stands all the same", 1, True),
    ],
)
def test_assertion_that_breaks_fails_its_step(
    workshop: Workshop, atomic: bool, before: str, mail: str, said: str, rows: int, applied: bool
) -> None:
    """What doesn't hold before leaves the step pending; after, a transaction is rolled back, others stand."""
    workshop.write("migrations/0001_first.py", BODY.format(needs=[], operation=CREATE))
    workshop.write("migrations/0002_more.py", PROMISING.format(atomic=atomic, before=before, mail=mail))

    done = workshop.run("migrate_all", "--noinput")

    assert done.returncode == 1
    assert "ACC-406" in done.stdout + done.stderr
    assert said in done.stdout + done.stderr
    assert workshop.rows("SELECT count(*) FROM workshop_person") == [(rows,)]
    found = workshop.rows("SELECT count(*) FROM django_migrations WHERE name = '0002_more'")
    assert found == [(int(applied),)]


MONGO = """
def named(database):
    "Every playlist has a name"
    return database["playlists"].count_documents({"name": None}) == 0


class Migration(base.Migration):
    operations = [base.CreateCollection("playlists")]
    checks_after = [named]
"""


def test_promises_are_asked_again(workshop: Workshop, mongo_url: str) -> None:
    """What applied steps promise is asked in every store at any time; what broke since is named."""
    workshop.write("migrations/0001_first.py", BODY.format(needs=[], operation=CREATE))
    workshop.write("migrations/0002_more.py", PROMISING.format(atomic=True, before="[]", mail="x"))
    workshop.write("mongo_migrations/0001_lists.py", MONGO)
    assert workshop.run("migrate_all", "--noinput").returncode == 0

    fine = workshop.answer("migrate_all", "--verify")
    execute(workshop.variables["DATABASE_URL"], "INSERT INTO workshop_person (mail) VALUES ('')")
    with MongoClient[dict[str, Any]](mongo_url) as client:
        client.get_default_database()["playlists"].insert_one({"artist": "x"})
    broken = workshop.run("migrate_all", "--verify", "--format", "json")
    text = workshop.run("migrate_all", "--verify", "--store", "mongodb")

    assert fine["asked"] == {"default:workshop.0002_more": 2, "mongodb:workshop.0001_lists": 1}
    assert fine["broken"] == []
    assert broken.returncode == 1
    assert [(item["key"], item["name"]) for item in json.loads(broken.stdout)["broken"]] == [
        ("default:workshop.0002_more", "mails"),
        ("default:workshop.0002_more", "no two"),
        ("mongodb:workshop.0001_lists", "Every playlist has a name"),
    ]
    assert text.returncode == 1
    assert "0 of 1 assertion" in text.stdout


COUNTED = """
from pathlib import Path
from django.db.migrations.operations.base import Operation


class Counted(Operation):
    def state_forwards(self, app, state):
        pass

    def database_forwards(self, app, editor, before, after):
        with Path("{path}").open("a") as told:
            told.write("rendered ")
        editor.execute("DROP TABLE workshop_person")
        with editor.connection.cursor() as cursor:
            cursor.execute("DELETE FROM workshop_person")


class Migration(migrations.Migration):
    dependencies = [("workshop", "0001_first")]
    operations = [Counted()]
"""


def test_statements_are_rendered_once_and_nothing_is_sent(filled: Workshop) -> None:
    """For what is shown, foretold and counted alike; an operation that sends by itself is kept from it."""
    path = filled.folder / "told"
    for name in ("0002_other", "0003_unique"):
        (filled.folder / f"workshop/migrations/{name}.py").unlink()
    filled.write("migrations/0002_counted.py", COUNTED.format(path=path))

    dry = filled.run("migrate_all", "--dry-run")

    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert "sends by itself" in dry.stdout
    assert path.read_text() == "rendered "
    assert filled.rows("SELECT count(*) FROM workshop_person") == [(2,)]
