"""The sample project's data map against its real stores: complete, indexed, and erasing everything."""

from __future__ import annotations

import csv
import io
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pyrage
import pytest
from pymongo import MongoClient

from tests import fix_sample as stores
from tests.fix_canaries import plant
from tests.fix_project import ROOT, Project

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CANARY = "zqxcanary"
PERSON = 7
FRIEND = 8


class Sample:
    """A process that answers questions about the sample's data map."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).parent / "sample.py")],
            cwd=ROOT,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{do} {question.get('entry')} ended the process"
        return json.loads(answer)

    def erase_all(self, keys: str, limit: int, without: Collection[str] = ()) -> None:
        for entry in [one for one in self.ask("entries") if one not in without]:
            for _ in range(200):
                if self.ask("erase", entry=entry, keys=keys, limit=limit)["done"]:
                    break
            else:
                raise AssertionError(f"{entry} is never done")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def module_project(new_sample: Callable[[], Project], migrated_sample: stores.Sample) -> Project:
    """Give the sample project, migrated and filled, to all tests of this module."""
    project = new_sample()
    migrated_sample.copy_to(project)
    seed = ("--listeners", "20", "--tracks", "40", "--venues", "14")
    project.manage("streaming_seed", "--noinput", *seed)
    done = project.run("-c", EXPORTER, program=())
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def sample(module_project: Project) -> Iterator[Sample]:
    process = Sample(module_project)
    yield process
    process.close()


def sql(project: Project, *statements: str) -> None:
    connection = psycopg2.connect(project.database_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def test_sample_is_classified_completely(module_project: Project) -> None:
    """The sample's data map holds against all of its live stores."""
    done = module_project.run("gdpr_datamap", "check", "--format", "json")

    assert json.loads(done.stdout)["findings"] == [
        finding for finding in json.loads(done.stdout)["findings"] if finding["id"] == "gdpr.W019"
    ], done.stdout + done.stderr
    assert done.returncode == 0


def test_every_locator_of_the_sample_uses_an_index(sample: Sample) -> None:
    """No store reads everything to find one person; sessions alone must be read."""
    read = json.loads(sample.ask("resolve", subject="15", by="id"))
    read["collected"] = {entry: found or [1] for entry, found in read["collected"].items()}
    keys = json.dumps(read)

    for entry in sample.ask("entries"):
        used = sample.ask("explain", entry=entry, keys=keys)
        assert used["index"], (entry, used)
        assert used["detail"] != "nothing to look for", entry
        assert used["full"] is (entry == "django-sessions"), (entry, used)


def test_nothing_of_an_erased_person_is_left_in_any_store(sample: Sample) -> None:
    """After all entries have run in small batches, no store holds the planted words; others stay."""
    plant(sample.project, CANARY, PERSON)
    before = everything(sample.project)
    assert before.count(CANARY) > 10
    keys = sample.ask("resolve", subject=f"{CANARY}@example.com", by="email")
    found = {entry: sample.ask("find", entry=entry, keys=keys) for entry in sample.ask("entries")}
    assert all(one["count"] for entry, one in found.items()), found

    sample.erase_all(keys, limit=2)

    assert {entry: sample.ask("residue", entry=entry, keys=keys) for entry in found} == dict.fromkeys(
        found, 0
    )
    after = everything(sample.project)
    assert CANARY not in after
    kept = sample.ask("find", entry="subscriptions", keys=keys)
    assert kept["count"] == found["subscriptions"]["count"]
    friend = sample.ask("resolve", subject=str(FRIEND), by="id")
    assert sample.ask("find", entry="playlists", keys=friend)["count"] > 0
    assert sample.ask("find", entry="listeners", keys=friend)["pending"] == 1


def test_erasing_twice_changes_nothing_more(sample: Sample) -> None:
    """A second erasure of the same person finds nothing to do and says so at once."""
    keys = sample.ask("resolve", subject="9", by="id")
    sample.erase_all(keys, limit=1_000)

    for entry in sample.ask("entries"):
        again = sample.ask("erase", entry=entry, keys=keys, limit=1_000)
        assert again == {"matched": 0, "affected": 0, "done": True}, entry


def test_residue_sees_what_was_written_after_the_erasure(sample: Sample) -> None:
    """Documents that a late writer brings back are counted, in whichever type their key is."""
    keys = sample.ask("resolve", subject="10", by="id")
    sample.erase_all(keys, limit=1_000)
    with MongoClient[dict[str, Any]](sample.project.mongodb_url) as client:
        client.get_default_database()["plays"].insert_one(
            {"listener_id": "10", "track_id": 1}, bypass_document_validation=True
        )
    sql(
        sample.project,
        "INSERT INTO streaming_consent (listener_id, purpose, given, at)"
        " VALUES (10, 'statistics', true, now())",
    )

    checked = sample.project.run("gdpr_datamap", "check", "--format", "json", "--store", "mongodb")
    assert "gdpr.E005" in {finding["id"] for finding in json.loads(checked.stdout)["findings"]}
    assert sample.ask("residue", entry="plays", keys=keys) == 1
    assert sample.ask("residue", entry="consents", keys=keys) == 1
    with MongoClient[dict[str, Any]](sample.project.mongodb_url) as client:
        client.get_default_database()["plays"].delete_one({"listener_id": "10"})


def test_fingerprints_tell_product_and_server(sample: Sample) -> None:
    """A receipt can say which server was erased from."""
    keys = sample.ask("resolve", subject="11", by="id")

    assert sample.ask("fingerprint", entry="listeners", keys=keys).startswith("PostgreSQL 18")
    assert sample.ask("fingerprint", entry="plays", keys=keys).startswith("MongoDB 6.0")
    assert "rs0" in sample.ask("fingerprint", entry="devices", keys=keys)


def test_locked_rows_are_left_for_later(sample: Sample) -> None:
    """A batch waits for nobody: what another transaction holds is not touched, and the batch is not done."""
    keys = sample.ask("resolve", subject="12", by="id")
    holder = psycopg2.connect(sample.project.database_url)
    try:
        with holder.cursor() as cursor:
            cursor.execute("SELECT id FROM streaming_consent WHERE listener_id = 12 FOR UPDATE")
            held = len(cursor.fetchall())
            first = sample.ask("erase", entry="consents", keys=keys, limit=100)
        # A server that is merely left notices it some time later, and holds the rows until then.
        holder.rollback()
    finally:
        holder.close()

    assert held
    assert first == {"matched": 0, "affected": 0, "done": False}
    assert sample.ask("erase", entry="consents", keys=keys, limit=100)["affected"] == held


def test_rows_that_others_refer_to_are_refused(sample: Sample) -> None:
    """Deleting a user whom an unknown row refers to fails in the batch itself, and changes nothing."""
    sql(
        sample.project,
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff,"
        " is_active, date_joined) SELECT email, '', false, '', '', '', false, true, now()"
        " FROM streaming_listener WHERE id = 13",
        "CREATE TABLE forgotten (user_id integer REFERENCES auth_user DEFERRABLE INITIALLY DEFERRED)",
        "INSERT INTO forgotten SELECT auth_user.id FROM auth_user JOIN streaming_listener ON username = "
        "streaming_listener.email WHERE streaming_listener.id = 13",
    )
    try:
        keys = sample.ask("resolve", subject="13", by="id")
        code = (
            "from gdpr.errors import ErasureRefused\n"
            "try:\n    store.erase(entry, keys, 10)\n"
            "except ErasureRefused as exc:\n    answer = str(exc)\n"
        )

        refused = sample.ask("python", entry="django-users", keys=keys, code=code)
        checked = sample.project.run("gdpr_datamap", "check", "--format", "json", "--store", "default")

        assert "forgotten" in refused
        assert sample.ask("find", entry="django-users", keys=keys)["count"] == 1
        assert checked.returncode == 6
        found = {(finding["id"], finding["target"]) for finding in json.loads(checked.stdout)["findings"]}
        assert {("gdpr.E001", "forgotten"), ("gdpr.E015", "auth.User")} <= found
    finally:
        sql(sample.project, "DROP TABLE forgotten")


def test_unclassified_collections_and_indexes_are_found(module_project: Project) -> None:
    """What an application makes beside its revisions is seen in every store."""
    with MongoClient[dict[str, Any]](module_project.mongodb_url) as client:
        client.get_default_database().create_collection("letters")
        module_project.ask("PUT", f"/{module_project.prefix}letters-0001")
        try:
            done = module_project.run("gdpr_datamap", "check", "--format", "json")
        finally:
            client.get_default_database().drop_collection("letters")
            module_project.ask("DELETE", f"/{module_project.prefix}letters-0001")

    errors = [finding for finding in json.loads(done.stdout)["findings"] if finding["level"] == "error"]
    assert done.returncode == 6
    assert {(finding["store"], finding["target"], finding["id"]) for finding in errors} == {
        ("mongodb", "letters", "gdpr.E001"),
        ("search", "letters", "gdpr.E001"),
    }


# A second entry for the same table: the table stays classified without it, so no schema can tell.
NO_SCHEMA_TELLS = {
    "admin-log-of-rows",
    "auditlog-of-rows",
    "audit-reference-of-django-users",
    "audit-reference-of-listeners",
    # Nor what lies where only the project's own code looks.
    "pictures",
}


def test_dropping_any_entry_is_noticed(sample: Sample) -> None:
    """Without any one of its entries the map fails its check; the lock file tells where no schema does."""
    errors = sample.ask("mutations")
    assert {entry for entry, found in errors.items() if not found} == set()
    assert {entry for entry, found in errors.items() if found == ["gdpr.E025"]} == NO_SCHEMA_TELLS
    plant(sample.project, "zqxsecond", 16)
    keys = sample.ask("resolve", subject="16", by="id")

    sample.erase_all(keys, limit=1_000, without=NO_SCHEMA_TELLS)

    left = everything(sample.project)
    assert "zqxsecond Doe', 2," in left  # Django's admin log
    assert "zqxsecond Doe', NULL, 1" in left or "zqxsecond Doe', 1" in left  # auditlog
    for entry in NO_SCHEMA_TELLS:
        assert sample.ask("residue", entry=entry, keys=keys) == 1, entry


LETTER = {"recipient": "zqxvalue@example.com", "owner_id": 7, "weight": 20, "phone": "+44 20 7946 0958"}


def test_suggestions_are_made_from_every_store_and_tell_no_value(module_project: Project) -> None:
    """A table, a collection and an index that came beside the map; with --sample, values are counted only."""
    sql(
        module_project,
        "CREATE TABLE letters (recipient text, weight int)",
        "INSERT INTO letters VALUES ('zqxvalue@example.com', 20)",
    )
    with MongoClient[dict[str, Any]](module_project.mongodb_url) as client:
        client.get_default_database()["letters"].insert_one(dict(LETTER))
        module_project.ask("PUT", f"/{module_project.prefix}letters-0001/_doc/1", LETTER)
        try:
            done = module_project.run("gdpr_datamap", "suggest", "--sample", "--format", "json")
            named = module_project.run("gdpr_datamap", "suggest")
        finally:
            client.get_default_database().drop_collection("letters")
            module_project.ask("DELETE", f"/{module_project.prefix}letters-0001")
            sql(module_project, "DROP TABLE letters")

    found = {one["store"]: one for one in json.loads(done.stdout)["suggestions"]}
    told = {store: {one["field"]: one["how"] for one in found[store]["fields"]} for store in found}
    looks = "1 of 1 values look like it"
    assert {store: one["target"] for store, one in found.items()} == {
        "default": "table:letters",
        "mongodb": "letters",
        "search": "letters",
    }
    assert told["default"] == {}  # the one that looks like an address is how a person would be found
    assert told["mongodb"] == {"phone": looks, "recipient": looks}
    assert told["search"] == {"phone": looks, "recipient": looks}
    assert 'locator=Key("owner_id", int)' in found["mongodb"]["text"]
    assert 'action=Manual("")' in found["default"]["text"]
    assert "recipient" not in named.stdout
    assert (done.returncode, named.returncode) == (0, 0)
    assert "zqxvalue" not in done.stdout + done.stderr
    assert "7946" not in done.stdout + done.stderr


EXPORTER = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from accord.acting import signed_in
account = get_user_model().objects.create_user(signed_in())
account.user_permissions.add(Permission.objects.get(codename="export_person"))
"""
EXPORTS = "SELECT outcome, counters, object_ref FROM accord_auditevent WHERE event = 'export.made'"


# --- export ------------------------------------------------------------------------------------------


def test_export_holds_the_persons_data_and_nobody_elses(module_project: Project, tmp_path: Path) -> None:
    """Both files are for their owner alone, hold every place, and no row of another person."""
    done = module_project.run("gdpr_export", "14", "--by", "id", "--plain", "--output", str(tmp_path / "out"))

    assert done.returncode == 0, done.stderr
    written = [Path(line) for line in done.stdout.splitlines()]
    assert sorted(path.suffix for path in written) == [".html", ".json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in written] == [0o600, 0o600]
    content = json.loads(next(path for path in written if path.suffix == ".json").read_text())
    parts = {part["id"]: part for part in content["parts"]}
    assert [row["id"] for row in parts["listeners"]["rows"]] == [14]
    assert parts["playlists"]["rows"]
    assert {row["owner_id"] for row in parts["playlists"]["rows"]} == {14}
    assert parts["subscriptions"]["kept_after_erasure"]["article"] == "17(3)(b)"
    page = next(path for path in written if path.suffix == ".html").read_text()
    assert parts["listeners"]["rows"][0]["email"] in page
    assert "Invoices" in page
    assert "<script" not in page
    assert "It is not encrypted" in done.stderr
    rows = sum(len(part["rows"]) for part in content["parts"])
    entries = sum(bool(part["rows"]) for part in content["parts"])
    assert module_project.rows(EXPORTS) == [("done", {"entries": entries, "found": rows}, "")]


def test_portable_export_holds_what_the_person_may_take_along(
    module_project: Project, tmp_path: Path
) -> None:
    """As tables: what they provided; no invoice, nothing computed, and what is unsaid is told."""
    arguments = ("14", "--by", "id", "--portable", "--plain", "--format", "csv", "--output", str(tmp_path))

    done = module_project.run("gdpr_export", *arguments)

    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(done.stdout.strip()) as archive:
        about = json.loads(archive.read("about.json"))
        tables = {one["id"]: archive.read(one["file"]).decode() for one in about["parts"] if one["file"]}
    assert {"listeners", "playlists"} <= set(tables) <= {
        "listeners", "playlists", "plays", "devices", "listening-sessions"
    }  # fmt: skip
    [row] = csv.DictReader(io.StringIO(tables["listeners"], newline=""))
    [(email,)] = module_project.rows("SELECT email FROM streaming_listener WHERE id = 14")
    assert (row["id"], row["email"]) == ("14", email)
    assert {row["owner_id"] for row in csv.DictReader(io.StringIO(tables["playlists"]))} == {"14"}
    assert "django-users" in about["without_basis"]
    assert "names no lawful basis of them: " in done.stderr


def test_export_is_for_its_reader_alone(module_project: Project, tmp_path: Path) -> None:
    """Nothing readable reaches the disk; who has the key, or knows the password, reads what is kept."""
    reader, password = pyrage.x25519.Identity.generate(), "correct horse battery"
    (tmp_path / "password").write_text(f"{password}\n")
    (tmp_path / "password").chmod(0o600)
    export = ("gdpr_export", "14", "--by", "id", "--format", "json", "--output", str(tmp_path / "out"))
    before = len(module_project.rows(EXPORTS))

    unsaid = module_project.run(*export)
    by_key = module_project.run(*export, "--recipient", str(reader.to_public()))
    by_password = module_project.run(*export, "--password-file", str(tmp_path / "password"))

    assert (unsaid.returncode, "ACC-805" in unsaid.stderr) == (2, True), unsaid.stderr
    assert (by_key.returncode, by_password.returncode) == (0, 0), by_key.stderr + by_password.stderr
    sealed = [Path(done.stdout.strip()) for done in (by_key, by_password)]
    assert sorted(sealed) == sorted((tmp_path / "out").iterdir())
    assert {
        (path.suffixes[-2:] == [".json", ".age"], stat.S_IMODE(path.stat().st_mode)) for path in sealed
    } == {(True, 0o600)}
    one = json.loads(pyrage.decrypt(sealed[0].read_bytes(), [reader]))
    other = json.loads(pyrage.passphrase.decrypt(sealed[1].read_bytes(), password))
    assert one["parts"] == other["parts"]
    [(email,)] = module_project.rows("SELECT email FROM streaming_listener WHERE id = 14")
    assert email in json.dumps(one["parts"], ensure_ascii=False)
    assert all(email.encode() not in path.read_bytes() for path in sealed)
    assert len(module_project.rows(EXPORTS)) == before + 2


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("999999", "--by", "id"), "ACC-801", 2),
        (("not-a-number", "--by", "id"), "ACC-803", 2),
        (("7", "--by", "shoe_size"), "ACC-100", 2),
    ],
)
def test_export_of_a_wrong_subject_is_refused(
    module_project: Project, tmp_path: Path, arguments: tuple[str, ...], code: str, exit_code: int
) -> None:
    """An unknown person, a wrong type and an unknown key are told apart, and nothing is written."""
    done = module_project.run("gdpr_export", *arguments, "--plain", "--output", str(tmp_path / "out"))

    assert done.returncode == exit_code
    assert code in done.stderr
    assert not (tmp_path / "out").exists()
    assert len(module_project.rows(EXPORTS)) <= 4


def test_export_is_refused_where_nothing_can_be_written(module_project: Project, tmp_path: Path) -> None:
    """A folder that is a file is said to be one."""
    (tmp_path / "file").touch()
    before = module_project.rows(EXPORTS)

    done = module_project.run(
        "gdpr_export", "14", "--by", "id", "--plain", "--output", str(tmp_path / "file")
    )

    assert done.returncode == 2
    assert "ACC-805" in done.stderr
    assert module_project.rows(EXPORTS) == before


# --- reading back -------------------------------------------------------------------------------------


def everything(project: Project) -> str:
    """Read all rows, documents and indexed documents by the drivers alone; decode sessions, name files."""
    dump = subprocess.run(
        [str(dump_program()), "--data-only", "--inserts", project.database_url],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sessions = (
        "from django.contrib.sessions.models import Session\n"
        "for s in Session.objects.all(): print(s.get_decoded())"
    )
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        name = client.get_default_database().name
        documents = [
            repr(list(client[database][collection].find()))
            for database in (name, f"{name}_documents")
            for collection in client[database].list_collection_names()
        ]
    found = project.ask("GET", f"/{project.prefix}*/_search?size=1000&expand_wildcards=all")
    return "\n".join(
        [
            dump,
            project.manage("shell", "-v", "0", "-c", sessions),
            *documents,
            json.dumps(found),
            *map(str, project.media.rglob("*")),
        ]
    )


def dump_program() -> Path:
    from accord.embedded import postgres_binary

    return Path(postgres_binary("pg_dump"))
