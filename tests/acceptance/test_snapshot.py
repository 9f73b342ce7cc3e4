"""The schema of each store in a file: written, reviewed, compared; never "all is well" where nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_postgres import execute
from tests.fix_project import ROOT, Project
from tests.fix_sample import Sample
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

FILES = {"default.sql", "documents.yaml", "mongodb.yaml", "search.yaml"}
KEPT = ROOT / "examples" / "streaming" / "schema"


def compare(project: Project, folder: Path, *more: str, code: int) -> dict[str, Any]:
    """Compare a snapshot with the stores, and read the answer."""
    done = project.run("migrate_all", "--snapshot", str(folder), "--check", "--format", "json", *more)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout or done.stderr)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file, hidden ones too."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.by_turns(3)
def test_fresh_stores_give_the_same_files_byte_by_byte(
    migrated: Project, migrated_sample: Sample, tmp_path: Path
) -> None:
    """Whatever database and prefix; writing again writes nothing, and comparing finds nothing."""
    one, other = tmp_path / "one", tmp_path / "other"
    migrated.manage("migrate_all", "--snapshot", str(one))
    written = migrated_sample.project.answer("migrate_all", "--snapshot", str(other))

    assert contents(one).keys() == FILES
    assert contents(one) == contents(other)
    assert {file["state"] for file in written["files"]} == {"written"}
    assert written["shared"] == {"alembic": "default"}
    for text in contents(one).values():
        assert migrated.prefix.encode() not in text
        assert b"accord_ledger" not in text
    before = {path.name: path.stat().st_mtime_ns for path in one.iterdir()}
    assert "4 files, 0 of them new or changed." in migrated.manage("migrate_all", "--snapshot", str(one))
    assert {path.name: path.stat().st_mtime_ns for path in one.iterdir()} == before
    assert "as the stores stand." in migrated.manage("migrate_all", "--snapshot", str(other), "--check")
    assert compare(migrated, other, "--store", "alembic", code=0)["files"][0]["file"] == "default.sql"


def test_reviewed_snapshot_of_the_sample_is_what_its_migrations_make(migrated: Project) -> None:
    """Whoever changes a revision of the sample writes it anew: the change is then read as what it does."""
    stores = ("documents", "mongodb", "search")

    found = compare(migrated, KEPT, *(word for alias in stores for word in ("--store", alias)), code=0)

    assert [one["state"] for one in found["files"]] == ["equal"] * 3


@pytest.mark.by_turns(3)
def test_changes_by_hand_are_told_line_by_line(migrated: Project, tmp_path: Path) -> None:
    """An index in one store, a rule in another: drift, each in its file, and none is touched."""
    migrated.manage("migrate_all", "--snapshot", str(tmp_path))
    before = contents(tmp_path)
    execute(migrated.database_url, "CREATE INDEX by_hand ON streaming_venue (id DESC)")
    with MongoClient[dict[str, Any]](migrated.mongodb_url) as client:
        client.get_default_database().command("collMod", "plays", validationLevel="moderate")

    found = {one["file"]: one for one in compare(migrated, tmp_path, code=6)["files"]}

    assert {name for name, one in found.items() if one["state"] == "different"} == {
        "default.sql", "mongodb.yaml",
    }  # fmt: skip
    added = "+CREATE INDEX by_hand ON streaming_venue USING btree (id DESC);"
    assert added in found["default.sql"]["diff"]
    assert '+      validationLevel: "moderate"' in found["mongodb.yaml"]["diff"]
    assert contents(tmp_path) == before
    text = migrated.run("migrate_all", "--snapshot", str(tmp_path), "--check")
    assert text.returncode == 6
    assert added in text.stdout
    assert "4 files compared: 2 not as the store stands." in text.stdout
    compare(migrated, tmp_path, "--store", "search", code=0)


@pytest.mark.by_turns(3)
def test_what_can_not_be_compared_is_never_well(migrated: Project, tmp_path: Path) -> None:
    """A file gone, cut off, another's, or of no store; a store that is away."""
    migrated.manage("migrate_all", "--snapshot", str(tmp_path))
    search, mongodb = tmp_path / "search.yaml", tmp_path / "mongodb.yaml"
    whole = search.read_text(encoding="utf-8")

    search.unlink()
    gone = compare(migrated, tmp_path, code=2)
    assert gone["error"]["code"] == "ACC-106"
    assert "search.yaml is missing" in gone["error"]["message"]
    search.write_text(whole[: len(whole) // 2], encoding="utf-8")
    told = {one["file"]: one["state"] for one in compare(migrated, tmp_path, code=6)["files"]}
    assert [name for name, state in told.items() if state == "different"] == ["search.yaml"]
    search.write_text("indexes: {}\n", encoding="utf-8")
    assert "no file of a snapshot" in compare(migrated, tmp_path, code=2)["error"]["message"]
    refused = migrated.run("migrate_all", "--snapshot", str(tmp_path))
    assert refused.returncode == 2
    assert "Move it away" in refused.stderr
    assert search.read_text(encoding="utf-8") == "indexes: {}\n"
    search.write_text(whole, encoding="utf-8")
    (tmp_path / "former.yaml").write_bytes(mongodb.read_bytes())
    assert compare(migrated, tmp_path, code=6)["strays"] == ["former.yaml"]
    (tmp_path / "former.yaml").unlink()

    away = replace(migrated, mongodb_url="mongodb://127.0.0.1:1/gone?serverSelectionTimeoutMS=200")
    before = contents(tmp_path)
    for more in ((), ("--check",)):
        silent = away.run("migrate_all", "--snapshot", str(tmp_path), *more)
        assert silent.returncode == 8, silent.stdout + silent.stderr
        assert "ACC-601" in silent.stderr
    assert contents(tmp_path) == before


FUNCTION = """-- object: function words(integer)
CREATE OR REPLACE FUNCTION words(number integer) RETURNS text LANGUAGE sql IMMUTABLE
AS $$ SELECT 'number ' || number $$;
"""


@pytest.mark.by_turns(4)
def test_look_holds_the_stores_against_the_reviewed_snapshot(workshop: Workshop, tmp_path: Path) -> None:
    """It finds what no step declares; a pending step makes it unknown and no drift; no file is no answer."""
    folder = tmp_path / "schema"

    def run(*words: str, code: int, reviewed: str = str(folder)) -> dict[str, Any]:
        told = {"WORKSHOP_OBJECTS": "1", "WORKSHOP_SNAPSHOT": reviewed}
        done = workshop.run(*words, "--format", "json", **told)
        assert done.returncode == code, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout or done.stderr)
        return found

    workshop.django("0001_thing", "Thing")
    workshop.mongo("0001_first", "things")
    workshop.write("database_objects/words.sql", FUNCTION)
    run("migrate_all", "--noinput", code=0)
    shared = run("migrate_all", "--snapshot", str(folder), code=0)["shared"]
    assert shared == {"objects": "default"}
    text = (folder / "default.sql").read_text(encoding="utf-8")
    assert "CREATE OR REPLACE FUNCTION words(number integer)" in text
    assert "accord_object" not in text
    assert run("migrate_all", "--check-live", code=0)["differences"] == []

    execute(workshop.variables["DATABASE_URL"], "CREATE FUNCTION by_hand() RETURNS int RETURN 1")
    assert run("migrate_all", "--check-live", code=0, reviewed="")["differences"] == []
    (found,) = run("migrate_all", "--check-live", code=6)["differences"]
    assert (found["store"], found["kind"], found["keys"]) == ("default", "different", [])
    assert "default.sql of the snapshot differs in 5 lines, the first: +" in found["text"]
    live = run("health_check", "--only", "live.default", "--timeout", "60", code=1)["findings"]
    assert [one["value"] for one in live] == [1]

    workshop.django("0002_more", "More", needs="0001_thing")
    pending = run("migrate_all", "--check-live", code=0)
    assert pending["differences"] == []
    assert "default:workshop.0002_more" in {one["key"] for one in pending["unknown"]}
    assert "default can't be held against its snapshot yet" in str(pending["unknown"])

    assert run("migrate_all", "--snapshot", str(folder), code=0)["unfinished"] == 1
    workshop.django("0003_broken", "Broken", needs="0002_more").write_text("(", encoding="utf-8")
    assert run("migrate_all", "--snapshot", str(folder), "--check", code=0)["unfinished"] is None

    (folder / "mongodb.yaml").unlink()
    workshop.django("0003_broken", "Third", needs="0002_more")
    assert run("migrate_all", "--check-live", code=2)["error"]["code"] == "ACC-106"
