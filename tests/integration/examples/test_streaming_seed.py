"""`streaming_seed` on the real servers: what it writes, and that it never doubles it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from pymongo import MongoClient

from tests.chance import chance, moments, seed
from tests.fix_project import Project

pytestmark = pytest.mark.integration

TABLES = (
    "listener",
    "subscription",
    "consent",
    "artist",
    "album",
    "track",
    "tracktitle",
    "labelpayment",
    "venue",
)
INDEXES = ("tracks", "venues", "track-embeddings", "public-playlists")
SEED = ("streaming_seed", "--noinput", "--tracks", "40", "--venues", "14", "--listeners")
KILLS = moments(6, 3)
FENCE = """
from accord.erased import tombstones
for key in ({keys}):
    tombstones.raise_fence(tombstones.subject_tag("streaming.listener", key))
"""


def data_of(project: Project) -> dict[str, Any]:
    """Read everything that the seed writes, by the drivers alone."""
    tables = {name: project.rows(f"SELECT * FROM streaming_{name} ORDER BY id") for name in TABLES}
    return {**tables, **documents_of(project), **{name: indexed(project, name) for name in INDEXES}}


def documents_of(project: Project) -> dict[str, Any]:
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        name = client.get_default_database().name
        places = [(name, kind) for kind in ("playlists", "plays", "recommendations")]
        places += [(f"{name}_documents", kind) for kind in ("device_profile", "listening_session")]
        return {kind: list(client[database][kind].find().sort("_id")) for database, kind in places}


def indexed(project: Project, name: str) -> list[tuple[str, Any]]:
    index = f"{project.prefix}{name}"
    project.ask("POST", f"/{index}/_refresh")
    hits = project.ask("GET", f"/{index}/_search?size=1000")["hits"]["hits"]
    return sorted((hit["_id"], hit["_source"]) for hit in hits)


def search(project: Project, name: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    """Search as an application would."""
    source = json.dumps(query)
    path = f"/{project.prefix}{name}/_search?source_content_type=application/json"
    return [hit["_source"] for hit in project.ask("GET", f"{path}&source={quote(source)}")["hits"]["hits"]]


def test_seed_is_refused_while_steps_are_pending(project: Project) -> None:
    """On stores that aren't migrated the command says what to run, exits 2 and writes nothing."""
    refused = project.run(*SEED, "10")

    assert refused.returncode == 2
    assert "migrate_all" in refused.stderr
    assert project.postgres_schema().count("CREATE TABLE") == 0


def test_seed_is_refused_where_real_people_are(migrated: Project) -> None:
    """Invented people don't get into an environment called staging."""
    key = "k3y-of-a-test-that-nobody-else-would-ever-use-0123456789-abcdef"
    real = Project(
        database_url=migrated.database_url,
        mongodb_url=migrated.mongodb_url,
        search_url=migrated.search_url,
        prefix=migrated.prefix,
        extra={"ACCORD_ENV": "staging", "SECRET_KEY": key},
    )

    refused = real.run(*SEED, "10")

    assert refused.returncode == 2, refused.stderr
    assert "staging" in refused.stderr
    assert data_of(migrated)["listener"] == []


@pytest.mark.parametrize("wrong", [("--listeners", "-1"), ("--listeners", "many"), ("--tracks", "0")])
def test_senseless_amounts_are_refused(project: Project, wrong: tuple[str, str]) -> None:
    """A number that can't be is a usage error, exit 2, before any store is asked."""
    refused = project.run("streaming_seed", "--noinput", *wrong)

    assert refused.returncode == 2
    assert wrong[1] in refused.stderr


def test_second_seed_adds_nothing(migrated: Project) -> None:
    """The same call again finds everything there; the stores hold the same as before."""
    first = migrated.answer(*SEED, "30")
    before = data_of(migrated)
    second = migrated.answer(*SEED, "30")

    assert first["added"]["default:streaming_listener"] == 30
    assert set(second["added"].values()) == {0}
    assert second["totals"] == first["totals"]
    assert data_of(migrated) == before


def test_all_stores_are_filled(migrated: Project) -> None:
    """No table, collection or index of the sample stays empty, and playlists are one a listener at least."""
    totals = migrated.answer(*SEED, "30")["totals"]

    assert all(totals.values()), totals
    assert totals["mongodb:playlists"] >= 30
    assert totals["mongodb:recommendations"] == 30


def test_index_of_public_playlists_holds_what_is_public(migrated: Project) -> None:
    """Each public playlist is found under its owner's name, and no private one."""
    migrated.manage(*SEED, "30")

    names = dict(migrated.rows("SELECT id, display_name FROM streaming_listener"))
    public = [each for each in documents_of(migrated)["playlists"] if each.get("public")]
    assert dict(indexed(migrated, "public-playlists")) == {
        str(each["_id"]): {
            "owner_id": str(each["owner_id"]),
            "owner_name": names[each["owner_id"]],
            "title": each["name"],
            "track_ids": each["track_ids"],
        }
        for each in public
    }


def test_second_seed_brings_nobody_back_who_was_erased(migrated: Project) -> None:
    """Nothing about people behind a fence is written, into no store; everybody else is there."""
    migrated.manage(*SEED, "20")
    owner = indexed(migrated, "public-playlists")[0][1]["owner_id"]
    migrated.ask("POST", f"/{migrated.prefix}public-playlists/_delete_by_query?q=owner_id:{owner}")
    migrated.manage("shell", "--no-imports", "-c", FENCE.format(keys=f"{owner}, 30"))

    migrated.manage(*SEED, "30")

    assert migrated.rows("SELECT max(id), count(*) FROM streaming_listener") == [(29, 29)]
    assert migrated.rows("SELECT count(*) FROM streaming_consent WHERE listener_id = 30") == [(0,)]
    documents = [each for kind in documents_of(migrated).values() for each in kind]
    assert 30 not in {each.get("listener_id", each.get("owner_id")) for each in documents}
    owners = {found["owner_id"] for _, found in indexed(migrated, "public-playlists")}
    assert owners
    assert not owners & {owner, "30"}


@pytest.mark.by_turns(3)
def test_seed_gives_the_same_data_elsewhere(new_project: Callable[..., Project]) -> None:
    """Two systems get equal data, whatever the size of a batch, and whether in one go or in two."""
    here, there = new_project(), new_project()
    for each in (here, there):
        each.manage("migrate_all")

    here.manage(*SEED, "30")
    there.manage(*SEED, "11", "--batch-size", "4")
    there.manage(*SEED, "30", "--batch-size", "7")

    assert data_of(there) == data_of(here)


@pytest.mark.by_turns(3)
@pytest.mark.matrix
def test_killed_seed_is_completed_by_a_rerun(new_project: Callable[..., Project]) -> None:
    """SIGKILL at random moments, then a rerun, ends with the data of a run that was not killed."""
    dice = chance("sample data")
    calm, killed = new_project(), new_project()
    for each in (calm, killed):
        each.manage("migrate_all")
    started = time.monotonic()
    calm.manage(*SEED, "60", "--batch-size", "5")
    whole = time.monotonic() - started

    for _ in range(KILLS):
        process = killed.start(*SEED, "60", "--batch-size", "5")
        moment = dice.uniform(0.3 * whole, whole)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
    killed.manage(*SEED, "60", "--batch-size", "5")

    assert data_of(killed) == data_of(calm), f"seed {seed()}"


def test_sequences_go_on_behind_the_seed(migrated: Project) -> None:
    """The next row that the application inserts gets a free key."""
    migrated.manage(*SEED, "30")

    script = """
from examples.streaming.models import Artist
print(Artist.objects.create(name="New", country="FR").pk)
"""
    printed = migrated.manage("shell", "--no-imports", "-c", script)

    artists = migrated.rows("SELECT count(*) FROM streaming_artist")[0][0]
    assert int(printed) == artists


def test_titles_are_found_in_their_own_grammar(migrated: Project) -> None:
    """Plurals find singulars, Arabic words are found without the article, Japanese ones without spaces."""
    migrated.manage(*SEED, "5")
    tracks = [document for _, document in indexed(migrated, "tracks")]

    for language, query, word in (
        ("fr", "rivières", "rivière"),
        ("de", "Flüsse", "Fluss"),
        ("ja", "電車", "電車"),
        ("ar", "نهر", "النهر"),
    ):
        found = search(migrated, "tracks", {"size": 100, "query": {"match": {f"title.{language}": query}}})
        titled = [track for track in tracks if word.lower() in track["title"].get(language, "").lower()]
        assert titled, f"no title with {word}"
        assert {track["isrc"] for track in found} >= {track["isrc"] for track in titled}, language


def test_venues_are_found_by_distance(migrated: Project) -> None:
    """Around Paris there are Paris' venues and no other city's."""
    migrated.manage(*SEED, "5")
    around = {"geo_distance": {"distance": "30km", "location": {"lat": 48.857, "lon": 2.352}}}

    found = search(migrated, "venues", {"query": around})

    assert {venue["city"] for venue in found} == {"Paris"}


def test_neighbours_of_a_track_are_of_its_genre(migrated: Project) -> None:
    """The nearest embeddings are those of the same genre."""
    migrated.manage(*SEED, "5")
    track = indexed(migrated, "track-embeddings")[0][1]

    nearest = search(
        migrated,
        "track-embeddings",
        {"size": 5, "query": {"knn": {"embedding": {"vector": track["embedding"], "k": 5}}}},
    )

    assert {each["genre"] for each in nearest} == {track["genre"]}
