"""A run that failed ends with the ways on and back over all stores, and both ways work."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance
REFUSED = """
    def once(db, session):
        if db["notes"].count_documents({"mood": 1}) > 1:
            raise ValueError("more than one")

    class Migration(base.Migration):
        dependencies = [("workshop", "0001_first")]
        operations = [base.RunPython(once, base.RunPython.noop)]
"""


@pytest.fixture
def failing(workshop: Workshop) -> Workshop:
    """Give a project whose third step fails, after a table and a collection were made."""
    workshop.answer("migrate_all", "--noinput")
    workshop.django("0001_first", "Note")
    workshop.mongo("0001_first", "notes")
    workshop.answer("migrate_all", "--noinput", "--store", "mongodb")
    with MongoClient[dict[str, Any]](workshop.variables["MONGODB_URL"]) as client:
        client.get_default_database()["notes"].insert_many([{"mood": 1}, {"mood": 1}])
    workshop.mongo("0002_more", "more", needs="0001_first")
    workshop.write("mongo_migrations/0003_once.py", REFUSED.replace("0001_first", "0002_more"))
    return workshop


def failed(workshop: Workshop) -> dict[str, Any]:
    """Run into the failure, and read the plan of recovery."""
    done = workshop.run("migrate_all", "--noinput", "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    recovery: dict[str, Any] = json.loads(done.stdout)["recovery"]
    return recovery


def test_way_back_undoes_this_run_in_every_store_and_no_more(failing: Workshop) -> None:
    """What stood before the run stands after it, documents too."""
    found = failed(failing)
    assert {share["store"]: (share["done"], share["failed"]) for share in found["stores"]} == {
        "default": (["default:workshop.0001_first"], []),
        "mongodb": (["mongodb:workshop.0002_more"], ["mongodb:workshop.0003_once"]),
    }

    failing.answer(*found["go_back"].split(), "--noinput")

    assert failing.rows("SELECT 1 FROM django_migrations WHERE app = 'workshop'") == []
    with MongoClient[dict[str, Any]](failing.variables["MONGODB_URL"]) as client:
        database = client.get_default_database()
        assert "more" not in database.list_collection_names()
        assert database["notes"].count_documents({}) == 2


def test_way_on_does_the_rest_once_the_cause_is_gone(failing: Workshop) -> None:
    """As text: the command as a person copies it."""
    done = failing.run("migrate_all", "--noinput")
    named = re.search(r"^Go on by: +(migrate_all.*)$", done.stdout, re.MULTILINE)
    assert named, done.stdout + done.stderr
    assert "mongodb  1 of 2 steps applied, the last mongodb:workshop.0002_more" in done.stdout
    with MongoClient[dict[str, Any]](failing.variables["MONGODB_URL"]) as client:
        client.get_default_database()["notes"].delete_many({})

    went_on = failing.answer(*named[1].split(), "--noinput")

    assert [step["key"] for step in went_on["done"]] == ["mongodb:workshop.0003_once"]
    assert went_on["recovery"] is None


def test_step_that_can_not_be_undone_is_named_in_place_of_the_way_back(failing: Workshop) -> None:
    """A command that would be refused isn't proposed."""
    failing.mongo("0002_more", "more", needs="0001_first", more='irreversible = "It sends letters."')
    found = failed(failing)

    assert found["go_back"] is None
    assert found["irreversible"] == [{"key": "mongodb:workshop.0002_more", "reason": "It sends letters."}]
