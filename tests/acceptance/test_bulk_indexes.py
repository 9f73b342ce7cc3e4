"""Exports and imports of indexes: what comes twice is there once, and every item of an answer is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fix_bulk import Bulk

pytestmark = pytest.mark.acceptance
SELDOM = pytest.mark.by_turns(3)
STORE = ("--store", "search")
MAPPING = {
    "settings": {"number_of_shards": 2, "number_of_replicas": 0},
    "mappings": {"dynamic": True, "properties": {"n": {"type": "integer"}, "name": {"type": "keyword"}}},
}


class Index:
    """An index of one test."""

    def __init__(self, bulk: Bulk, name: str) -> None:
        self.bulk, self.name = bulk, f"{bulk.project.prefix}{name}"
        bulk.project.ask("PUT", f"/{self.name}", MAPPING)

    def put(self, key: str, source: object, routing: str = "") -> None:
        path = f"/{self.name}/_doc/{key}?refresh=true&routing={routing or key}"
        answer = self.bulk.project.ask("PUT", path, source)
        assert answer.get("result") == "created", answer

    def content(self) -> list[Any]:
        """Give every document with its id and routing."""
        self.bulk.project.ask("POST", f"/{self.name}/_refresh")
        found = self.bulk.project.ask("GET", f"/{self.name}/_search?size=9999")["hits"]["hits"]
        return sorted(([one["_id"], one.get("_routing"), one["_source"]] for one in found), key=str)


@pytest.fixture
def few(bulk: Bulk) -> Iterator[Index]:
    """Give an empty index of two shards."""
    made = Index(bulk, "few")
    yield made
    bulk.project.ask("DELETE", f"/{made.name}")
    bulk.project.ask("DELETE", f"/{bulk.project.prefix}accord-import")


def test_documents_come_back_with_their_ids_and_routing(bulk: Bulk, few: Index) -> None:
    """Also those whose ids and values hold quotes and line ends."""
    few.put("a", {"n": 1, "name": 'q"\n\u2028漢'}, routing="x")
    few.put("b%2Fc", {"n": 2, "deep": {"list": [1.5, 2.5, None], "none": {}}})
    before = few.content()
    manifest = bulk.out("few", "few", *STORE, "--compress", "gzip")
    bulk.project.ask("POST", f"/{few.name}/_delete_by_query?refresh=true", {"query": {"match_all": {}}})
    emptied = few.content()
    answer = bulk.back("few")
    again = bulk.back("few")

    assert manifest["rows"] == answer["rows"] == 2
    assert again["before"] is True
    assert emptied == []
    assert few.content() == before


def test_documents_that_are_refused_are_dead_letters(bulk: Bulk, few: Index) -> None:
    """Another document of one id, a value of another type, what is no JSON; the same document is none."""
    few.put("1", {"n": 1})
    few.put("2", {"n": 2})
    lines = ['{"_id": 1, "n": 1}', '{"_id": 2, "n": 9}', '{"_id": 3, "n": "x"}', "{", '{"_id": 5, "n": 5}']
    (bulk.folder / "few.jsonl").write_text("\n".join(lines))
    done = bulk.run("bulk_import", bulk.folder / "few.jsonl", "--into", "few", *STORE, "--format", "json")
    letters = bulk.letters(json.loads(done.stdout))

    assert done.returncode == 1
    assert [letter["line"] for letter in letters] == [2, 3, 4]
    assert "409" in letters[0]["reason"]
    assert "mapper_parsing" in letters[1]["reason"]
    assert [one[0] for one in few.content()] == ["1", "2", "5"]


def test_upsert_and_merge(bulk: Bulk, few: Index) -> None:
    """The one writes documents over, the other sets what the file has."""
    few.put("1", {"n": 1, "name": "a"})
    few.put("2", {"n": 2, "name": "b"})
    (bulk.folder / "few.jsonl").write_text('{"_id": 1, "n": 5}\n{"_id": 3, "n": 3}\n')
    bulk.back("few.jsonl", "--into", "few", *STORE, "--mode", "upsert")
    (bulk.folder / "more.jsonl").write_text('{"_id": 2, "n": 7}\n')
    bulk.back("more.jsonl", "--into", "few", *STORE, "--mode", "merge")

    assert [one[2] for one in few.content()] == [{"n": 5}, {"n": 7, "name": "b"}, {"n": 3}]


KILLED = """
import os, signal, sys
import django; django.setup()
from accord.bulk import records
records.batches.__defaults__ = (2000,)
from searchindex.bulk.positions import Positions
real, counted = Positions.move, [0]
def move(self, before, after):
    counted[0] += 1
    if counted[0] == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, before, after)
Positions.move = move
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def test_killed_import_writes_nothing_twice(bulk: Bulk, few: Index) -> None:
    """Killed between a batch and its position, also documents without an id are there once."""
    lines = [json.dumps({"n": n, "x": "x" * 20}) if n % 100 else "bad" for n in range(1, 501)]
    (bulk.folder / "few.jsonl").write_text("\n".join(lines))
    call = ("bulk_import", str(bulk.folder / "few.jsonl"), "--into", "few", *STORE)
    killed = bulk.project.run("-c", KILLED, *call, program=())
    between = len(few.content())
    answer = json.loads(bulk.run(*call, "--format", "json").stdout)

    assert killed.returncode == -9
    assert 0 < between < 495
    assert sorted(one[2]["n"] for one in few.content()) == [n for n in range(1, 501) if n % 100]
    assert answer["rows"] == 495
    assert [letter["line"] for letter in bulk.letters(answer)] == [100, 200, 300, 400, 500]


def test_airports_go_through_all_stores_and_back(bulk: Bulk, few: Index) -> None:
    """PostgreSQL, MongoDB, search, PostgreSQL: what comes back is byte for byte what left."""
    from tests.acceptance.test_bulk_documents import collection

    before = bulk.fill_airports(3000)
    first = bulk.out("airports", "one", "--files", "jsonl")
    names = ",".join(column["name"] for column in first["columns"])
    with collection(bulk, "airports") as airports:
        airports.database.create_collection("airports")
        bulk.back("one", "--into", "airports", "--store", "mongodb")
        bulk.out("airports", "two", "--store", "mongodb", "--files", "jsonl")
    bulk.back("two", "--into", "few", *STORE)
    bulk.out("few", "three", *STORE, "--files", "jsonl", "--columns", names)
    bulk.sql("TRUNCATE airports")
    bulk.back("three", "--into", "airports", "--store", "default")
    last = bulk.out("airports", "four", "--files", "jsonl", "--part-rows", "1000")
    lines = [
        (bulk.folder / to / part["file"]).read_text().splitlines()
        for to, of in (("one", first), ("four", last))
        for part in of["parts"]
    ]

    assert bulk.content("airports") == before
    assert sorted(lines[0]) == sorted(line for part in lines[1:] for line in part)


@SELDOM
def test_personal_paths_are_left_out(bulk: Bulk) -> None:
    """The sample's index of playlists holds whose they are."""
    masked = bulk.out("public-playlists", "masked", *STORE)
    text = (bulk.folder / "masked" / "part-00000.ndjson").read_text()

    assert masked["masked"]
    assert masked["rows"]
    assert [path for path in masked["masked"] if f'"{path}"' in text] == []


@SELDOM
@pytest.mark.parametrize(
    ("name", "more", "says"),
    [("nosuch", (), "ACC-103"), ("accord-ledger", (), "suite's own"), ("tracks", ("--query", "{"), "JSON")],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_call_that_fits_nothing_is_refused(bulk: Bulk, name: str, more: tuple[str, ...], says: str) -> None:
    """Each says what is wrong."""
    done = bulk.run("bulk_export", name, *STORE, *more, "--output", bulk.folder / "one")

    assert done.returncode == 2, done.stderr
    assert says in done.stderr


@SELDOM
def test_an_index_has_the_one_name_that_the_data_map_knows(bulk: Bulk, few: Index) -> None:
    """Neither a pattern nor the index behind an alias: what is personal would not be known by these."""
    bulk.project.ask("PUT", f"/{few.name}/_alias/{bulk.project.prefix}some", {})
    try:
        refused = [
            bulk.run("bulk_export", name, *STORE, "--output", bulk.folder / "x") for name in ("som*", "few")
        ]
        bulk.out("some", "some", *STORE)
    finally:
        bulk.project.ask("DELETE", f"/{few.name}/_alias/{bulk.project.prefix}some")

    assert ["ACC-103" in one.stderr for one in refused] == [True, True]
