"""Erasing from indexes, on both engines: exact fields, older copies, arrays, and the live check."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gdpr.datamap.actions import Action, Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.locators import AnyOf, Array, Key, Locator, Path, Rows, Through
from gdpr.datamap.strategies import RandomToken, Redact
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused
from searchindex.transport import at
from tests.integration.gdpr.conftest import OwnSearch

pytestmark = pytest.mark.integration

KEYS = SubjectKeys(
    kind="x", primary=42, alternates={"id": 42, "email": "ada@example.com"}, collected={"orders": (7, 8)}
)
PROPERTIES: Mapping[str, Any] = {
    "owner": {"type": "long"},
    "order": {"type": "keyword"},
    "email": {"type": "text", "fields": {"exact": {"type": "keyword"}}},
    "name": {"type": "text"},
    "short": {"type": "keyword", "ignore_above": 5},
    "hidden": {"type": "keyword", "index": False},
    "closed": {"type": "object", "enabled": False},
    "author": {"properties": {"id": {"type": "keyword"}}},
    "comments": {"properties": {"by": {"type": "long"}, "text": {"type": "text"}}},
    "replies": {"type": "nested", "properties": {"by": {"type": "long"}, "text": {"type": "text"}}},
}


@pytest.fixture
def search(search_url: str) -> Iterator[OwnSearch]:
    """Give the adapter of indexes with a prefix of its own, on each engine in turn."""
    adapter = OwnSearch(search_url, f"gdpr-{uuid.uuid4().hex[:10]}-")
    make(adapter, "things-0001", alias="things")
    yield adapter
    transport = adapter.own.transport
    for index in transport.find(f"{at(adapter.own.names.prefix + '*')}?expand_wildcards=all") or {}:
        transport.request("DELETE", at(index))
    adapter.own.close()


def make(search: OwnSearch, index: str, *, alias: str = "", **properties: Any) -> None:
    body: dict[str, Any] = {
        "settings": {"number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1"},
        "mappings": {"properties": properties or PROPERTIES},
    }
    if alias:
        body["aliases"] = {search.own.names.alias(alias): {}}
    search.own.transport.request("PUT", at(search.own.names.alias(index)), body)


def put(search: OwnSearch, *documents: Mapping[str, Any], index: str = "things-0001") -> None:
    """Write documents without making them visible."""
    lines = [line for number, one in enumerate(documents) for line in ({"index": {"_id": str(number)}}, one)]
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    answer = search.own.transport.request("POST", at(search.own.names.alias(index), "_bulk"), body).body
    assert not answer["errors"], answer


def things(search: OwnSearch, index: str = "things-0001") -> dict[str, Any]:
    name = search.own.names.alias(index)
    search.own.transport.request("POST", at(name, "_refresh"))
    hits = search.own.transport.request("POST", at(name, "_search"), {"size": 100}).body["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits}


def entry(action: Action, locator: Locator | None, **changes: Any) -> Entry:
    return Entry(id="one", store="search", target="things", action=action, locator=locator, **changes)


def run(search: OwnSearch, one: Entry, limit: int = 2) -> int:
    affected = 0
    for _ in range(50):
        erased = search.erase(one, KEYS, limit)
        affected += erased.affected
        assert erased.affected <= erased.matched <= limit
        if erased.done:
            assert search.residue(one, KEYS) == 0
            assert search.erase(one, KEYS, limit).affected == 0
            return affected
    raise AssertionError("never done")


def test_unrefreshed_documents_are_deleted_in_batches(search: OwnSearch) -> None:
    """Documents that no query has seen yet are found, and a batch is never larger than asked for."""
    put(search, *[{"owner": 42} for _ in range(7)], {"owner": 43})

    assert run(search, entry(Delete(), Key("owner", int))) == 7
    assert list(things(search).values()) == [{"owner": 43}]


@pytest.mark.parametrize(
    ("locator", "gone"),
    [
        (Key("email", str, by="email"), {"0"}),
        (Path("author.id", "both"), {"1"}),
        (Array("comments[].by", int), {"2"}),
        (Array("replies[].by", int), {"3"}),
        (Rows("orders", "order", str), {"4"}),
        (AnyOf((Key("owner", int), Key("email", str, by="email"))), {"0", "5"}),
        (Key("_id", int), {"42"}),
    ],
    ids=["sub-field", "path", "array", "nested", "rows", "any", "id"],
)
def test_locator_finds_the_person_and_nobody_else(
    search: OwnSearch, locator: Locator, gone: set[str]
) -> None:
    """Each kind of field is matched exactly: a longer address is another person's."""
    put(
        search,
        {"email": "ada@example.com"},
        {"author": {"id": "42"}},
        {"comments": [{"by": 43}, {"by": 42}]},
        {"replies": [{"by": 42}]},
        {"order": "8"},
        {"owner": 42},
        {"email": "ada@example.com.au", "order": "9", "author": {"id": "421"}},
        *[{} for _ in range(7, 43)],
    )

    assert run(search, entry(Delete(), locator), limit=10) == len(gone)
    assert things(search).keys() == {str(number) for number in range(43)} - gone


def test_older_copies_behind_no_alias_are_erased(search: OwnSearch) -> None:
    """The index that a reindex left behind holds the person as well; another alias's index is left alone."""
    make(search, "things-0004")
    make(search, "things-other-0001", alias="things-other")
    for index in ("things-0001", "things-0004", "things-other-0001"):
        put(search, {"owner": 42}, {"owner": 42}, index=index)

    assert run(search, entry(Delete(), Key("owner", int)), limit=3) == 4
    assert things(search) == things(search, "things-0004") == {}
    assert len(things(search, "things-other-0001")) == 2


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Unset(("name",)), {"owner": 42, "name": None, "email": "ada@example.com"}),
        (Detach("owner"), {"owner": None, "name": "Ada", "email": "ada@example.com"}),
        (Anonymise({"name": Redact()}), {"owner": 42, "name": "[erased]", "email": "ada@example.com"}),
        (Retain("17(3)(b)", "law", "2030", ("email",)), {"owner": 42, "name": "Ada", "email": None}),
        (Retain("17(3)(b)", "law", "2030"), {"owner": 42, "name": "Ada", "email": "ada@example.com"}),
    ],
    ids=["unset", "detach", "anonymise", "minimise", "retain"],
)
def test_documents_that_stay_lose_what_they_must(
    search: OwnSearch, action: Action, expected: dict[str, Any]
) -> None:
    """Each action leaves exactly what it promises."""
    put(search, {"owner": 42, "name": "Ada", "email": "ada@example.com"})

    run(search, entry(action, Key("owner", int)))

    assert things(search) == {"0": expected}


def test_pull_and_elements_change_the_persons_own_alone(search: OwnSearch) -> None:
    """Of an array shared with others, only the person's elements go or change."""
    mixed = [{"by": 42, "text": "mine"}, {"by": 43, "text": "theirs"}]
    put(search, {"comments": mixed, "replies": mixed})

    assert run(search, entry(Pull(), Array("comments[].by", int))) == 1
    assert run(search, entry(Anonymise({"replies[].text": Redact()}), Array("replies[].by", int))) == 1
    assert things(search)["0"] == {
        "comments": [{"by": 43, "text": "theirs"}],
        "replies": [{"by": 42, "text": "[erased]"}, {"by": 43, "text": "theirs"}],
    }
    assert list(search.export(entry(Pull(), Array("replies[].by", int)), KEYS)) == [
        {"_id": "0", "replies": [{"by": 42, "text": "[erased]"}]}
    ]


def test_export_of_a_shared_document_is_a_projection(search: OwnSearch) -> None:
    """Own documents are whole; of shared ones the declared elements and their declared fields come, once."""
    shared = {"author": {"id": "5"}, "replies": [{"by": 42, "text": "mine"}, {"by": 5, "text": "theirs"}]}
    put(search, {"owner": 42, **shared}, {"owner": 5, **shared})
    both = AnyOf((Key("owner", int), Array("replies[].by", int)))

    found = list(search.export(entry(Delete(), both, fields=("replies[].text",)), KEYS))

    assert found == [
        {"_id": "0", "owner": 42, **shared},
        {"_id": "1", "replies": [{"text": "mine", "by": 42}]},
    ]


def test_tokens_differ_and_settle(search: OwnSearch) -> None:
    """Every document gets a token of its own, once."""
    put(search, *[{"owner": 42, "name": "Ada"} for _ in range(5)])

    assert run(search, entry(Anonymise({"name": RandomToken()}), Key("owner", int))) == 5
    assert len({one["name"] for one in things(search).values()}) == 5


def test_late_document_is_seen_by_the_second_look(search: OwnSearch) -> None:
    """A document written after the erasure is counted, in any copy, although nothing has refreshed it."""
    make(search, "things-0002")
    one = entry(Delete(), Key("owner", int))
    run(search, one)

    put(search, {"owner": 42}, index="things-0002")

    assert search.residue(one, KEYS) == 1


def test_second_look_takes_a_number_for_itself_in_any_form(search: OwnSearch) -> None:
    """A document's source keeps 42.0 and "42" as they were sent; each is the person 42."""
    put(search, {"owner": 42.0}, {"owner": "42"}, {"owner": 43.0})

    assert search.residue(entry(Delete(), Key("owner", int)), KEYS) == 2


@pytest.mark.parametrize("odd", ["²", "9" * 30, "-"])
def test_second_look_asks_a_number_field_for_numbers_only(search: OwnSearch, odd: str) -> None:
    """A text that the engine can't read as a number of the field is not asked for, and stops nothing."""
    put(search, {"owner": 42})

    assert search.residue(entry(Delete(), Key("owner", str)), SubjectKeys(kind="x", primary=odd)) == 0


def test_preview_counts_and_names_documents(search: OwnSearch) -> None:
    """A preview says how many there are, how many will change, and a few of their ids."""
    put(search, {"owner": 42, "name": "Ada"}, {"owner": 42, "name": "[erased]"}, {"owner": 43})

    found = search.find(entry(Anonymise({"name": Redact()}), Key("owner", int)), KEYS)

    assert (found.count, found.pending, set(found.sample)) == (2, 1, {"0", "1"})
    assert search.collect(entry(Delete(), Key("owner", int)), KEYS) in (
        {"one": ["0", "1"]},
        {"one": ["1", "0"]},
    )


def test_field_that_cannot_match_is_refused_rather_than_found_empty(search: OwnSearch) -> None:
    """Where an exact search would find nothing although it is there, the erasure refuses."""
    put(search, {"name": "ada@example.com"})

    with pytest.raises(ErasureRefused, match="analysed"):
        search.erase(entry(Delete(), Key("name", str, by="email")), KEYS, 10)


def test_manual_entries_change_nothing_and_are_counted(search: OwnSearch) -> None:
    """What a person has to do stays in the count until it is done."""
    put(search, {"owner": 42})
    one = entry(Manual("Ask the archive."), Key("owner", int))

    assert search.erase(one, KEYS, 10).done
    assert search.residue(one, KEYS) == 1


def test_fingerprint_tells_product_and_cluster(search: OwnSearch) -> None:
    """A receipt can say which server it was."""
    assert search.fingerprint().split()[0] in ("OpenSearch", "Elasticsearch")
    assert "unknown" not in search.fingerprint()


# --- the live check ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (entry(Delete(), Key("name", str, by="email")), Fault.NOT_EXACT),
        (entry(Delete(), Key("short", str, by="email")), Fault.NOT_EXACT),
        (entry(Delete(), Key("hidden", str, by="email")), Fault.NOT_EXACT),
        (entry(Delete(), Path("closed.id", int)), Fault.NOT_EXACT),
        (entry(Delete(), Key("owner", str)), Fault.WRONG_KEY_TYPE),
        (entry(Delete(), Key("ownr", int)), Fault.NO_FIELD),
        (entry(Delete(), Key("owner", int), fields=("nme",)), Fault.NO_FIELD),
        (entry(Unset(("nme",)), Key("owner", int)), Fault.NO_FIELD),
        (entry(Delete(), Through("a__b", int)), Fault.WRONG_ACTION),
        (entry(Delete(), Key("owner", int, where={"a": 1})), Fault.WRONG_ACTION),
    ],
    ids=[
        "text",
        "ignore_above",
        "index false",
        "enabled false",
        "type",
        "field",
        "fields",
        "unset",
        "fk",
        "where",
    ],
)
def test_fault_of_an_entry_is_found(search: OwnSearch, one: Entry, fault: Fault) -> None:
    """Each way in which an entry would silently find nothing is told by reading the mapping."""
    assert {found.fault for found in search.inspect([one])} == {fault}


def test_sound_entry_is_clean(search: OwnSearch) -> None:
    """Nothing is said of an entry whose field exists and matches exactly."""
    one = entry(Delete(), Key("email", str, by="email"), fields=("name", "author.id", "replies[].text"))

    assert list(search.inspect([one])) == []
    assert "email.exact" in search.explain(one, KEYS).detail
    assert "ada" not in search.explain(one, KEYS).detail


def test_unclassified_and_missing_indexes_are_found(search: OwnSearch) -> None:
    """An index nobody thought of, a copy of it, and an entry for none."""
    make(search, "letters-0001", alias="letters")
    gone = Entry(id="gone", store="search", target="gone", action=Nothing("music"))

    found = {(one.fault, one.target) for one in search.inspect([gone, entry(Nothing("x"), None)])}

    assert found == {(Fault.UNCLASSIFIED, "letters"), (Fault.NO_TARGET, "gone")}


def test_document_that_came_after_the_fence_with_a_key_given_again_stays(search: OwnSearch) -> None:
    """What is settled is what was collected, in indexes as in tables."""
    one = entry(Delete(), Key("email", str, by="email"))
    put(search, {"email": "ada@example.com"}, {"email": "bob@example.com"})
    settled = KEYS.with_collected(search.collect(one, KEYS)).settle(["one"])
    name = search.own.names.alias("things-0001")
    search.own.transport.request("PUT", at(name, "_doc", "9"), {"email": "ada@example.com"})

    erased = search.erase(one, settled, 10)
    asked = settled.with_collected(search.collect(one, settled.unsettled("one")))

    assert (erased.affected, erased.done, sorted(things(search))) == (1, True, ["1", "9"])
    assert asked.newer == {"one": ("9",)}
    assert (search.residue(one, settled), search.residue(one, asked)) == (1, 0)
    assert search.erase(one, asked.told("one", same_person=True), 10).affected == 1
