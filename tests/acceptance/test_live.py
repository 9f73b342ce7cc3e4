"""What is changed by hand in a store is found, and told in words."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from tests.fix_postgres import execute
from tests.fix_project import Project
from tests.fix_sample import asked
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance


def look(project: Project, *more: str, code: int) -> dict[str, Any]:
    """Compare the live stores with the applied steps, and read the answer."""
    done = project.run("migrate_all", "--check-live", "--format", "json", *more)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_hand(project: Project, *statements: str) -> None:
    """Change PostgreSQL as an operator does at night."""
    connection = psycopg2.connect(project.database_url)
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


def test_stores_that_nobody_touched_are_as_their_steps_describe(migrated: Project) -> None:
    """No false alarm over all five stores; what no look can tell is named as unknown."""
    found = look(migrated, code=0)

    assert found["differences"] == []
    assert found["undeclared"] == []
    assert found["looked"] > 80
    unknown = {one["key"] for one in found["unknown"]}
    assert "mongodb:streaming.0004_editorial_playlists" in unknown
    text = migrated.run("migrate_all", "--check-live").stdout
    assert "Unknown:" in text
    assert "no difference, and " in text
    assert "as they describe" not in text


def test_changes_by_hand_are_found_in_every_store(migrated: Project) -> None:
    """An index dropped, a column added, a rule emptied, a field added: each in a sentence, once."""
    by_hand(
        migrated, "DROP INDEX track_genre_newest", "ALTER TABLE streaming_venue ADD COLUMN by_hand integer"
    )
    with MongoClient[dict[str, Any]](migrated.mongodb_url) as client:
        client.get_default_database().command("collMod", "plays", validator={})
    field = {"properties": {"by_hand": {"type": "keyword"}}}
    asked(migrated, "PUT", f"/{migrated.prefix}tracks/_mapping", field)

    found = look(migrated, code=6)["differences"]
    told = {(one["store"], one["kind"]): one["text"] for one in found}

    assert len(found) == 4
    assert told["default", "missing"] == "The index track_genre_newest on streaming_track is missing."
    assert "streaming_venue.by_hand" in told["default", "extra"]
    assert told["mongodb", "different"].startswith("Validation of plays: validator is {}")
    assert told["search", "different"] == "index tracks: field by_hand: not declared, but there"
    text = migrated.run("migrate_all", "--check-live").stdout
    assert "4 differences" in text


def test_things_that_nobody_declares_are_told_and_are_no_error(migrated: Project) -> None:
    """A table, a collection, two indexes; whether all stores are asked, or one that shares a database."""
    by_hand(migrated, "CREATE TABLE by_hand (id integer)")
    with MongoClient[dict[str, Any]](migrated.mongodb_url) as client:
        database = client.get_default_database()
        database.create_collection("by_hand")
        database["plays"].create_index("by_hand", name="by_hand")
    asked(migrated, "PUT", f"/{migrated.prefix}by_hand", {})

    found = look(migrated, code=0)

    told = {(one["store"], one["what"], one["thing"]) for one in found["undeclared"]}
    assert told == {
        ("default", "table", "by_hand"), ("mongodb", "collection", "by_hand"),
        ("mongodb", "index", "plays.by_hand"), ("search", "index", f"{migrated.prefix}by_hand"),
    }  # fmt: skip
    assert found["differences"] == []
    alone = look(migrated, "--store", "default", code=0)["undeclared"]
    assert [one["thing"] for one in alone] == ["by_hand"]


def test_one_store_is_looked_at_alone(migrated: Project) -> None:
    """Whoever asks for one store hears nothing of the others."""
    by_hand(migrated, "DROP INDEX track_genre_newest")

    assert look(migrated, "--store", "mongodb", code=0)["differences"] == []
    assert [one["store"] for one in look(migrated, "--store", "default", code=6)["differences"]] == [
        "default"
    ]


def test_looking_goes_with_nothing_that_acts(migrated: Project) -> None:
    """With the place and the next move."""
    refused = migrated.run("migrate_all", "--check-live", "--revert", "--to", "zero")

    assert refused.returncode == 2
    assert "--check-live only looks" in refused.stderr


def health(project: Project, code: int) -> dict[str, Any]:
    """Ask the health check for live drift; give its findings by name."""
    done = project.run("health_check", "--format", "json", "--only", "live", "--timeout", "90")
    assert done.returncode == code, done.stdout + done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)["findings"]}


def test_health_check_looks_by_itself_and_a_look_of_ones_own_renews_that(migrated: Project) -> None:
    """A warning that names the thing; mended and looked at by hand, it is gone before its day is over."""
    before = health(migrated, 0)
    assert set(before) == {
        f"live.{alias}" for alias in ("default", "documents", "mongodb", "search", "alembic")
    }
    by_hand(migrated, "DROP INDEX track_genre_newest")
    look(migrated, "--store", "default", code=6)

    after = health(migrated, 1)

    assert (after["live.default"]["level"], after["live.default"]["value"]) == ("warn", 1)
    assert "The index track_genre_newest on streaming_track is missing." in after["live.default"]["message"]
    assert after["live.default"]["age"] >= 0
    assert after["live.mongodb"]["level"] == "ok"
    by_hand(migrated, "CREATE INDEX track_genre_newest ON streaming_track (genre, released_on DESC)")
    look(migrated, "--store", "default", code=0)
    assert health(migrated, 0)["live.default"]["value"] == 0


def test_policy_refuses_a_run_on_a_store_that_was_changed_by_hand(workshop: Workshop) -> None:
    """Before the first step of any store; a run of another store, or where the policy only warns, goes on."""
    workshop.django("0001_first", "First")
    workshop.mongo("0001_first", "things")
    assert workshop.run("migrate_all", "--noinput").returncode == 0
    execute(workshop.variables["DATABASE_URL"], "ALTER TABLE workshop_first ADD COLUMN by_hand integer")
    workshop.django("0002_second", "Second", needs="0001_first")
    workshop.mongo("0002_more", "more", needs="0001_first")

    def run(reaction: str, *more: str) -> subprocess.CompletedProcess[str]:
        policy = json.dumps({"development": {"live_drift": reaction}})
        environment = {"WORKSHOP_ENVIRONMENT": "development", "WORKSHOP_POLICY": policy}
        return workshop.run("migrate_all", "--noinput", *more, **environment)

    refused = run("refuse")
    assert refused.returncode == 6, refused.stderr
    assert "ACC-320" in refused.stderr
    assert "The column workshop_first.by_hand is there, and no model declares it." in refused.stderr
    pending = json.loads(run("refuse", "--plan", "--format", "json").stdout)["steps"]
    assert [step["key"] for step in pending] == ["default:workshop.0002_second", "mongodb:workshop.0002_more"]

    assert run("refuse", "--store", "mongodb").returncode == 0
    warned = run("warn")
    assert warned.returncode == 0
    assert "Live drift in “default”: The column workshop_first.by_hand is there" in warned.stderr
