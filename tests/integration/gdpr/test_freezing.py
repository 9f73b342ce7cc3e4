"""The lock file of the data map on real servers: written after a review, and what comes later is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from tests.fix_project import ROOT, Project
from tests.fix_sample import Sample

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ELSEWHERE = "from core.settings import *\nACCORD = {{**ACCORD, 'DATAMAP_LOCK': {lock!r}}}\n"
TABLE, COLLECTION, INDEX = "table:royalties_rate", "playlists", "venues"
LATER = {
    "default": f"{TABLE} shoe_size: integer",
    "documents": "streaming_documents.DeviceProfile shoe_size: number (seen)",
    "mongodb": f"{COLLECTION} shoe_size: number (seen)",
    "search": f"{INDEX} shoe_size: integer",
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Give the place of a lock file that is none of the sample's."""
    return tmp_path / "reviewed" / "lock.json"


@pytest.fixture
def filled(project: Project, filled_sample: Sample, lock: Path) -> Project:
    """Give the sample project with listeners, and a lock file of its own."""
    filled_sample.copy_to(project)
    (lock.parent.parent / "elsewhere.py").write_text(ELSEWHERE.format(lock=str(lock)))
    path = f"{ROOT}:{lock.parent.parent}"
    return replace(project, extra={"DJANGO_SETTINGS_MODULE": "elsewhere", "PYTHONPATH": path})


def check(project: Project, code: int) -> list[dict[str, Any]]:
    """Check the data map and give what is wrong."""
    done = project.run("gdpr_datamap", "check", "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return [one for one in found if one["level"] == "error"]


def add_a_field_everywhere(project: Project) -> None:
    """Give a table that has no model, a model's collection, a collection and an index something new each."""
    connection = psycopg2.connect(project.database_url)
    with connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE royalties_rate ADD COLUMN shoe_size integer")
    connection.close()
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        name = client.get_default_database().name
        for database, collection in ((f"{name}_documents", "device_profile"), (name, COLLECTION)):
            newest = client[database][collection].find_one(sort=[("_id", -1)])
            assert newest is not None
            client[database][collection].update_one(
                {"_id": newest["_id"]}, {"$set": {"shoe_size": 43}}, bypass_document_validation=True
            )
    mapping = {"properties": {"shoe_size": {"type": "integer"}}}
    project.ask("PUT", f"/{project.prefix}{INDEX}/_mapping", mapping)


def test_what_comes_after_the_review_is_told_until_it_is_reviewed(filled: Project, lock: Path) -> None:
    """No lock is an error; with one all is well until any store has one field more; freezing settles it."""
    assert [one["id"] for one in check(filled, 6)] == ["gdpr.E026"]
    refused = filled.run("gdpr_datamap", "freeze")
    assert (refused.returncode, lock.exists()) == (2, False), refused.stderr
    assert "+ default streaming.Listener email: character varying" in refused.stderr

    filled.manage("gdpr_datamap", "freeze", "--noinput")
    first = lock.read_text()
    assert check(filled, 0) == []

    add_a_field_everywhere(filled)
    told = check(filled, 6)
    assert {one["id"] for one in told} == {"gdpr.E022"}
    assert all("shoe_size" in one["message"] for one in told)
    assert {one["store"]: one["target"] for one in told} == {
        store: change.split()[0] for store, change in LATER.items()
    }

    answered = filled.answer("gdpr_datamap", "freeze", "--noinput")
    assert answered["changes"] == [f"+ {store} {change}" for store, change in LATER.items()]
    assert check(filled, 0) == []
    assert len(lock.read_text().splitlines()) == len(first.splitlines()) + len(LATER)
