"""Copies from store to store: killed they go on, what comes twice is there once, and nobody comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_bulk import Bulk
from tests.fix_requests import PASSWORD
from tests.forks import Finished

pytestmark = pytest.mark.acceptance
SELDOM = pytest.mark.by_turns(3)
SCRIPT = """
import os, signal, sys
import django; django.setup()
from accord.batches import Sizes, leases
from accord.bulk import copies, copying
from accord.bulk.copies import Copy, From, Into
COPY = {copy}
copies.declarations = lambda: {{COPY.name: COPY}}
copying._SLICE = 1100
copying.Copying.sizes = Sizes(first=500, most=500)
{more}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""
AIRPORTS = """Copy(
    name="airports",
    source=From(store="default", name="airports", columns=("name", "lat"), query="lat > 10"),
    target=Into(store="mongodb", name="few"),
    names={"lat": "latitude"},
    constants={"kind": "airport"},
)"""
KILLED = """
from mongo_migrations.bulk.writing import CollectionWriting
real, counted = CollectionWriting.put, [0]
def put(self, records):
    done = real(self, records)
    counted[0] += 1
    if counted[0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
CollectionWriting.put = put
"""
FENCE = """
import django; django.setup()
from accord.erased import tombstones as t
t.raise_fence(t.subject_tag('streaming.listener', {key}))
"""
ONE_TRY = "leases.MOST_TRIES = 1"
KNOWN = """
from accord import personal
personal.register_places(
    lambda store, holder: personal.Place(personal=frozenset(["email"] if holder == "few" else []))
)
"""


def started(bulk: Bulk, copy: str, *words: str, more: str = "") -> Finished:
    """Run a copy that only the test declares, to its end."""
    script = SCRIPT.format(copy=copy, more=more)
    name = copy.partition('name="')[2].partition('"')[0]
    project = replace(bulk.project, extra={**bulk.project.extra, "ACCORD_PASSWORD": PASSWORD})
    return project.run("-c", script, "bulk_copy", name, *words, "--format", "json", program=())


def copied(bulk: Bulk, copy: str, *words: str, more: str = "") -> Any:
    """Run one that must succeed, and give its answer."""
    done = started(bulk, copy, *words, more=more)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@contextmanager
def few(bulk: Bulk, **options: Any) -> Iterator[Any]:
    """Give an empty collection, gone afterwards, with the jobs of copies into it."""
    with MongoClient[dict[str, Any]](bulk.project.mongodb_url) as client:
        database = client.get_default_database()
        try:
            yield database.create_collection("few", **options)
        finally:
            database["few"].drop()
            bulk.sql("DELETE FROM accord_batchslice", "DELETE FROM accord_batchjob")


def documents(found: Any) -> list[dict[str, Any]]:
    return list(found.find().sort("_id", 1))


def airports(bulk: Bulk) -> list[dict[str, Any]]:
    """Give the documents that there should be."""
    rows = bulk.sql('SELECT icao, name, lat FROM airports WHERE lat > 10 ORDER BY icao COLLATE "C"')
    return [{"_id": icao, "name": name, "latitude": lat, "kind": "airport"} for icao, name, lat in rows]


def test_killed_copy_goes_on_and_the_next_one_brings_what_was_changed(bulk: Bulk) -> None:
    """Killed between a batch and its cursor: each row is there once, and no position beside it."""
    bulk.fill_airports(4000)
    with few(bulk) as there:
        killed = started(bulk, AIRPORTS, more=KILLED)
        between = documents(there)
        bulk.sql(f"UPDATE airports SET name = 'changed' WHERE icao = '{between[0]['_id']}'")
        answer = copied(bulk, AIRPORTS)
        stale = there.find_one({"_id": between[0]["_id"]})
        again = copied(bulk, AIRPORTS)
        wanted = airports(bulk)

        assert killed.returncode == -9
        assert 0 < len(between) < len(wanted) - 500
        assert answer["rows"] == answer["documents"] == len(wanted) > 3000
        assert stale["name"] != "changed"
        assert (again["missing"], again["extra"], again["deleted"]) == (0, 0, 0)
        assert documents(there) == wanted
        assert "accord_import" not in there.database.list_collection_names()


def test_venues_of_the_sample_go_to_their_index_and_go_with_their_rows(bulk: Bulk) -> None:
    """What the sample's own code made is made again, by two processes; what is of no row is deleted."""
    index = f"/{bulk.project.prefix}venues"

    def content() -> Any:
        bulk.project.ask("POST", f"{index}/_refresh")
        found = bulk.project.ask("GET", f"{index}/_search?size=9999")["hits"]["hits"]
        return {one["_id"]: one["_source"] for one in found}

    before = content()
    bulk.sql("INSERT INTO streaming_venue VALUES (999999, 'New', 'Bern', 'CH', 46.9, 7.4, 5)")
    first = json.loads(bulk.succeed("bulk_copy", "venues", "--jobs", "2", "--format", "json"))
    between = content()
    bulk.sql("DELETE FROM streaming_venue WHERE id = 999999")
    second = json.loads(bulk.succeed("bulk_copy", "venues", "--format", "json"))
    third = json.loads(bulk.succeed("bulk_copy", "venues", "--delete", "--format", "json"))
    events = bulk.sql("SELECT DISTINCT event FROM accord_auditevent WHERE event LIKE 'bulk.%' ORDER BY 1")

    assert between == {
        **before,
        "999999": {
            "name": "New",
            "city": "Bern",
            "country": "CH",
            "capacity": 5,
            "location": {"lat": 46.9, "lon": 7.4},
        },
    }
    assert first["rows"] == first["documents"] == len(before) + 1
    assert (second["extra"], second["deleted"], third["extra"], third["deleted"]) == (1, 0, 0, 1)
    assert content() == before
    assert len(events) == 4
    assert "venues" in bulk.succeed("bulk_copy")


@SELDOM
def test_source_without_rows_deletes_nothing(bulk: Bulk) -> None:
    """As that of another database, or of a query that finds nothing."""
    bulk.fill_airports(3)
    with few(bulk) as there:
        there.insert_one({"_id": "own"})
        done = started(bulk, AIRPORTS.replace("lat > 10", "false"), "--delete")

        assert done.returncode == 2
        assert "Nothing was" in done.stdout
        assert documents(there) == [{"_id": "own"}]


@SELDOM
def test_refused_documents_end_the_job_and_leave_the_others(bulk: Bulk) -> None:
    """With their number; once the target takes them, the same command goes on."""
    bulk.fill_airports(300)
    with few(bulk, validator={"latitude": {"$lt": 60}}) as there:
        refused = started(bulk, AIRPORTS, more=ONE_TRY)
        taken = there.count_documents({})
        there.database.command("collMod", "few", validator={})
        answer = copied(bulk, AIRPORTS)

        assert refused.returncode != 0
        assert "refused" in refused.stderr
        assert "(121)" in refused.stderr
        assert 0 < taken < answer["rows"]
        assert documents(there) == airports(bulk)


def test_personal_columns_and_people_who_were_erased_stay_out(bulk: Bulk) -> None:
    """Whose a row is, is known also where that column isn't copied."""
    subscriptions = """Copy(
        name="subs", source=From(store="default", name="streaming.Subscription"),
        target=Into(store="mongodb", name="few"),
    )"""
    with few(bulk) as there:
        copied(bulk, subscriptions)
        before = documents(there)
        [(owner,)] = bulk.sql(f"SELECT listener_id FROM streaming_subscription WHERE id = {before[0]['_id']}")
        theirs = bulk.sql(f"SELECT id FROM streaming_subscription WHERE listener_id = {owner}")
        bulk.project.run("-c", FENCE.format(key=owner), program=())
        there.delete_many({})
        answer = copied(bulk, subscriptions)

        assert "listener_id" in answer["masked"]
        assert {*before[0]} == {"_id", "id"}
        assert documents(there) == [one for one in before if (one["_id"],) not in theirs]
        assert answer["missing"] == answer["rows"] - len(documents(there)) >= len(theirs)


@SELDOM
def test_personal_copy_takes_a_permission_and_a_place_that_erasures_know(bulk: Bulk) -> None:
    """Without either, nothing is begun; with both, the columns go along."""
    people = """Copy(
        name="people", source=From(store="default", name="streaming.Listener", columns=("email",)),
        target=Into(store="mongodb", name="few"), personal=True,
    )"""
    who = ("--as", "nobody")
    may = "FROM auth_user u, auth_permission p WHERE u.username = 'nobody' AND p.codename = 'export_personal'"
    with few(bulk) as there:
        forbidden = started(bulk, people, *who, more=KNOWN)
        bulk.sql(f"INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT u.id, p.id {may}")
        try:
            unknown = started(bulk, people, *who)
            begun = bulk.sql("SELECT count(*) FROM accord_batchjob")
            answer = copied(bulk, people, *who, more=KNOWN)
        finally:
            bulk.sql(
                "DELETE FROM auth_user_user_permissions WHERE (user_id, permission_id) IN "
                f"(SELECT u.id, p.id {may})"
            )
        masked = started(bulk, people.replace("personal=True", "personal=False"))

        assert (forbidden.returncode, unknown.returncode, masked.returncode) == (4, 2, 2)
        assert "ACC-824" in forbidden.stdout
        assert "data map doesn't have few" in unknown.stdout
        assert begun == [(0,)]
        assert answer["masked"] == []
        assert there.count_documents({"email": {"$exists": True}}) == answer["documents"] > 0
        assert "have no key left" in masked.stdout


@SELDOM
def test_collection_goes_into_an_index(bulk: Bulk) -> None:
    """In slices of a collection, with ids of several types; an index itself is no source."""
    index = f"/{bulk.project.prefix}few"
    there = """Copy(
        name="there", source=From(store="mongodb", name="few", columns=("n",)),
        target=Into(store="search", name="few"),
    )"""
    back = """Copy(
        name="back", source=From(store="search", name="few", columns=("n",)),
        target=Into(store="mongodb", name="few"),
    )"""
    with few(bulk) as source:
        bulk.project.ask("PUT", index, {})
        source.insert_many([{"n": n} if n % 2 else {"n": n, "_id": n} for n in range(2500)])
        answer = copied(bulk, there)
        refused = started(bulk, back)
        table = started(bulk, there.replace('"search", name="few"', '"default", name="streaming.Venue"'))
        bulk.project.ask("POST", f"{index}/_refresh")
        found = bulk.project.ask("GET", f"{index}/_search?size=9999")["hits"]["hits"]
        bulk.project.ask("DELETE", index)

        assert (answer["rows"], answer["documents"], answer["missing"], answer["extra"]) == (2500, 2500, 0, 0)
        assert {one["_id"]: one["_source"] for one in found} == {
            str(one["_id"]): {"n": one["n"]} for one in source.find()
        }
        assert (refused.returncode, table.returncode) == (2, 2)
        assert "read as a whole" in refused.stdout
        assert "collections and indexes take copies" in table.stdout
