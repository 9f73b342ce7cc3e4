"""Each bad input: a clear error with a code and the next move, an exit code, and nothing changed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from pymongo import MongoClient

from tests.fix_mongodb import OddMongod
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance


def state(workshop: Workshop) -> tuple[list[str], list[str]]:
    """Read the names of tables and collections, the suite's own control tables left out."""
    connection = psycopg2.connect(workshop.variables["DATABASE_URL"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall() if not name.startswith("accord_")]
    connection.close()
    with MongoClient[dict[str, object]](workshop.variables["MONGODB_URL"]) as client:
        return tables, sorted(client.get_default_database().list_collection_names())


def assert_refused(
    workshop: Workshop, code: str, exit_code: int, *words: str, arguments: tuple[str, ...] = ()
) -> str:
    """Run migrate_all, and make sure that it says why it refuses, and changes nothing."""
    before = state(workshop)

    done = workshop.run("migrate_all", "--noinput", *arguments)

    assert done.returncode == exit_code, done.stdout + done.stderr
    assert f"[{code}]" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    message, *hint = done.stderr.strip().splitlines()
    assert hint, f"no next move: {message}"
    assert state(workshop) == before
    return done.stderr


def test_syntax_error_in_a_revision(workshop: Workshop) -> None:
    """File and line are named."""
    workshop.write("mongo_migrations/0001_broken.py", "class Migration(:\n")

    assert_refused(workshop, "ACC-201", 2, "0001_broken.py", "line 2")


def test_syntax_error_in_a_django_migration(workshop: Workshop) -> None:
    """Django's own migrations are read with the same care."""
    workshop.write("migrations/0001_broken.py", "class Migration(:\n")

    assert_refused(workshop, "ACC-201", 2, "0001_broken.py")


def test_revision_that_raises_on_import(workshop: Workshop) -> None:
    """The exception and the file are named."""
    workshop.write("mongo_migrations/0001_broken.py", "1 / 0\n")

    assert_refused(workshop, "ACC-201", 2, "0001_broken.py", "ZeroDivisionError")


@pytest.mark.parametrize("folder", ["mongo_migrations", "migrations"])
def test_revision_without_a_migration_class(workshop: Workshop, folder: str) -> None:
    """A file that declares nothing is no revision."""
    workshop.write(f"{folder}/0001_empty.py", "x = 1\n")

    assert_refused(workshop, "ACC-202", 2, "0001_empty.py")


def test_missing_dependency(workshop: Workshop) -> None:
    """The step, the file and what exists are named."""
    workshop.mongo("0001_first", "first", needs="0000_nowhere")

    assert_refused(workshop, "ACC-203", 2, "mongodb:workshop.0000_nowhere", "0001_first.py")


def test_missing_dependency_of_a_django_migration(workshop: Workshop) -> None:
    """As above, for Django's own."""
    workshop.django("0001_first", "First", needs="0000_nowhere")

    assert_refused(workshop, "ACC-203", 2, "default:workshop.0000_nowhere", "0001_first.py")


def test_cyclic_dependency_over_two_stores(workshop: Workshop) -> None:
    """Every step of the circle is named."""
    workshop.mongo("0001_m", "m", more='cross_dependencies = [("default", "workshop", "0001_d")]')
    workshop.django("0001_d", "D", more='cross_dependencies = [("mongodb", "workshop", "0001_m")]')

    assert_refused(workshop, "ACC-204", 2, "mongodb:workshop.0001_m", "default:workshop.0001_d")


def test_duplicate_number(workshop: Workshop) -> None:
    """Both files are named."""
    workshop.mongo("0001_one", "one")
    workshop.mongo("0001_other", "other")

    assert_refused(workshop, "ACC-205", 2, "0001_one.py", "0001_other.py")


def test_two_newest_steps(workshop: Workshop) -> None:
    """Two branches of one app are refused with both files."""
    workshop.django("0001_a", "A")
    workshop.django("0002_b", "B", needs="0001_a")
    workshop.django("0002_c", "C", needs="0001_a")

    assert_refused(workshop, "ACC-206", 2, "0002_b.py", "0002_c.py", "makemigrations --merge")


def test_two_newest_revisions(workshop: Workshop) -> None:
    """The hint says what to write, and no command that merges migrations of another kind."""
    workshop.mongo("0001_a", "a")
    second = workshop.mongo("0002_b", "b")

    said = assert_refused(workshop, "ACC-206", 2, 'write ("workshop", "0001_a")', "of 0002_b.py")
    assert "makemigrations" not in said
    second.write_text(
        second.read_text().replace("dependencies = []", 'dependencies = [("workshop", "0001_a")]')
    )
    assert workshop.run("migrate_all", "--plan").returncode == 0


def test_bad_word_of_an_operation_is_told_once(workshop: Workshop) -> None:
    """With file and line, under its own code."""
    operation = 'base.UpdateInBatches("a", {}, batch_size=0)'
    body = f"\nclass Migration(base.Migration):\n    operations = [{operation}]\n"
    path = workshop.write("mongo_migrations/0001_bad.py", body)
    line = path.read_text().splitlines().index(f"    operations = [{operation}]") + 1

    said = assert_refused(workshop, "ACC-207", 2, f"0001_bad.py, line {line}: A batch of 0 documents")
    assert "ACC-201" not in said
    assert "imported" not in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--store", "mongo"), "ACC-101"),
        (("shop",), "ACC-102"),
        (("workshop", "0009"), "ACC-103"),
        (("--to", "mongodb:workshop.0009"), "ACC-103"),
        (("--revert", "--run", "20200101-000000-abcdef"), "ACC-103"),
        (("workshop", "000"), "ACC-104"),
        (("--to", "zero"), "ACC-100"),
        (("--baseline", "--fake"), "ACC-100"),
    ],
)
def test_unknown_names(workshop: Workshop, arguments: tuple[str, ...], code: str) -> None:
    """An unknown store, app, step or run is refused with what exists."""
    workshop.mongo("0001_one", "one")
    workshop.mongo("0002_two", "two", needs="0001_one")

    assert_refused(workshop, code, 2, arguments=arguments)


def test_edited_applied_revision_is_drift(workshop: Workshop) -> None:
    """It is never run again; a comment doesn't count."""
    path = workshop.mongo("0001_one", "one")
    workshop.answer("migrate_all")
    path.write_text("# A comment.\n" + path.read_text())
    commented = workshop.run("migrate_all")
    path.write_text(path.read_text().replace('"one"', '"other"'))

    assert commented.returncode == 0
    assert_refused(workshop, "ACC-301", 6, "mongodb:workshop.0001_one", str(path))


def test_edited_applied_django_migration_is_drift(workshop: Workshop) -> None:
    """Django's own migrations are held to their content too."""
    path = workshop.django("0001_one", "One")
    workshop.answer("migrate_all")
    path.write_text(path.read_text().replace('"One"', '"Other"'))

    assert_refused(workshop, "ACC-301", 6, "default:workshop.0001_one")


def test_ledger_entry_whose_file_is_gone(workshop: Workshop) -> None:
    """The entry is named with the way to strike it, and that way works."""
    workshop.mongo("0001_one", "one")
    path = workshop.mongo("0002_two", "two", needs="0001_one")
    workshop.answer("migrate_all")
    path.unlink()

    said = assert_refused(workshop, "ACC-302", 6, "mongodb:workshop.0002_two")
    assert 'migrate_all --forget mongodb:workshop.0002_two --reason "WHY"' in said
    struck = workshop.run(
        "migrate_all",
        "--forget",
        "mongodb:workshop.0002_two",
        "--reason",
        "the release was taken back",
        "--noinput",
    )

    assert struck.returncode == 0, struck.stderr
    assert "Forgot 1 step" in struck.stdout
    assert workshop.run("migrate_all").returncode == 0


def test_step_applied_before_what_it_needs(workshop: Workshop) -> None:
    """A store that was reset behind the suite's back is noticed, before anything runs."""
    workshop.mongo("0001_m", "m")
    workshop.django("0001_d", "D", more='cross_dependencies = [("mongodb", "workshop", "0001_m")]')
    workshop.answer("migrate_all")
    with MongoClient[dict[str, object]](workshop.variables["MONGODB_URL"]) as client:
        client.drop_database(client.get_default_database().name)

    assert_refused(workshop, "ACC-303", 6, "default:workshop.0001_d", "mongodb:workshop.0001_m")


def test_irreversible_steps_are_named_before_anything_is_undone(workshop: Workshop) -> None:
    """The reason that the revision gives is in the message."""
    workshop.mongo("0001_one", "one", more='irreversible = "the old names are lost"')
    workshop.mongo("0002_two", "two", needs="0001_one")
    workshop.answer("migrate_all")

    assert_refused(
        workshop, "ACC-401", 2, "0001_one", "the old names are lost", arguments=("--revert", "workshop")
    )


def test_only_django_migrations_can_be_faked(workshop: Workshop) -> None:
    """For other stores there is --baseline, which looks."""
    workshop.mongo("0001_one", "one")

    assert_refused(workshop, "ACC-100", 2, "--baseline", arguments=("--fake", "--store", "mongodb"))


def test_cross_dependency_on_an_unknown_store(workshop: Workshop) -> None:
    """A store that isn't configured provides no step."""
    workshop.mongo("0001_m", "m", more='cross_dependencies = [("postgres", "workshop", "0001_d")]')

    assert_refused(workshop, "ACC-203", 2, "postgres:workshop.0001_d")


def test_dependency_of_the_wrong_form(workshop: Workshop) -> None:
    """The form that is wanted is in the hint."""
    workshop.mongo("0001_m", "m", more='cross_dependencies = [("default", "0001_d")]')

    assert_refused(workshop, "ACC-207", 2, "0001_m.py", '("store", "app", "0001_name")')


def refused_elsewhere(workshop: Workshop, **variables: str) -> tuple[int, str]:
    workshop.mongo("0001_one", "one")
    done = workshop.run("migrate_all", **variables)
    return done.returncode, done.stderr


def test_unreachable_postgres(workshop: Workshop) -> None:
    """Address without password, the cause, and exit code 8."""
    code, said = refused_elsewhere(workshop, DATABASE_URL="postgresql://me:hidden@127.0.0.1:9/nothing")

    assert (code, "ACC-601" in said, "hidden" in said, "Traceback" in said) == (8, True, False, False), said


def test_unreachable_mongodb(workshop: Workshop) -> None:
    """As above, within the time that the settings give."""
    code, said = refused_elsewhere(workshop, MONGODB_URL="mongodb://127.0.0.1:9/nothing")

    assert (code, "ACC-601" in said, "Traceback" in said) == (8, True, False), said


def test_wrong_postgres_password(workshop: Workshop) -> None:
    """A server that refuses us is told apart from one that is away."""
    url = workshop.variables["DATABASE_URL"]
    wrong = url.replace(urlsplit(url).password or "", "wrong-secret")
    code, said = refused_elsewhere(workshop, DATABASE_URL=wrong)

    assert (code, "ACC-602" in said, "wrong-secret" in said, "Traceback" in said) == (
        8,
        True,
        False,
        False,
    ), said


def test_mongodb_without_a_replica_set(workshop: Workshop, odd_mongod: Callable[..., OddMongod]) -> None:
    """The next move says how to make one."""
    code, said = refused_elsewhere(workshop, MONGODB_URL=odd_mongod().url("test"))

    assert (code, "ACC-604" in said, "rs.initiate" in said) == (8, True, True), said


def test_unknown_setting(workshop: Workshop, tmp_path: Path) -> None:
    """A typing mistake in ACCORD never means the default."""
    (tmp_path / "mistaken.py").write_text(
        "from tests.projects.workshop.settings import *\nACCORD = {**ACCORD, 'LOCKWAIT': 3}\n"
    )

    done = workshop.run("migrate_all", DJANGO_SETTINGS_MODULE="mistaken")

    assert done.returncode == 2
    assert "[ACC-110]" in done.stderr
    assert "LOCK_WAIT" in done.stderr


def test_errors_are_documents_with_format_json(workshop: Workshop) -> None:
    """A pipeline reads the code and the next move from standard output."""
    import json

    done = workshop.run("migrate_all", "--store", "nowhere", "--format", "json")

    document = json.loads(done.stdout)
    assert document["schema"] == "accord.error/1"
    assert document["error"]["code"] == "ACC-101"
    assert document["error"]["exit_code"] == done.returncode == 2


def test_revision_that_raises_can_be_tried_alone_by_the_command_of_the_message(workshop: Workshop) -> None:
    """A file's name begins with a digit, so `import` can't name it."""
    workshop.write("mongo_migrations/0001_broken.py", "raise ValueError('no such luck')\n")
    said = workshop.run("migrate_all", "--plan").stderr
    found = re.search(r"manage.py (shell -c '.*')", said)
    assert found, said

    tried = workshop.run(*shlex.split(found[1]))

    assert "ValueError: no such luck" in tried.stderr


ODD = """
from tests.projects.workshop.settings import *
DATABASES["{alias}"] = {{**DATABASES["default"], "NAME": {name!r}}}
"""


@pytest.mark.parametrize(
    ("alias", "name", "why"),
    [
        ("default", "", "supply the NAME"),
        ("second", "", "supply the NAME"),
        ("second", "x" * 64, "longer than"),
    ],
    ids=["coordinator", "other", "long"],
)
def test_database_that_django_cannot_use(workshop: Workshop, alias: str, name: str, why: str) -> None:
    """The alias is named, which Django's own error doesn't do; with --traceback, that error comes."""
    (workshop.folder / "odd.py").write_text(ODD.format(alias=alias, name=name))

    done = workshop.run("migrate_all", "--plan", DJANGO_SETTINGS_MODULE="odd")
    raw = workshop.run("migrate_all", "--plan", "--traceback", DJANGO_SETTINGS_MODULE="odd")

    assert done.returncode == 2, done.stdout + done.stderr
    assert f"[ACC-110] DATABASES['{alias}'] can't be used" in done.stderr
    assert why in done.stderr
    assert ("Traceback" in done.stderr, "ImproperlyConfigured" in raw.stderr) == (False, True)


def test_other_setting_that_django_cannot_use(workshop: Workshop) -> None:
    """It is told as Django tells it; no database is blamed."""
    body = "from tests.projects.workshop.settings import *\nAUTH_USER_MODEL = 'workshop.Nobody'\n"
    (workshop.folder / "odd.py").write_text(body)

    done = workshop.run("accord_token", "list", DJANGO_SETTINGS_MODULE="odd")

    assert "DATABASES" not in done.stderr
    assert "Nobody" in done.stderr
