"""Reading, erasing and backing up an index with vectors leaves it searchable; so does a copy of it."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accord.errors import StoreError, StoreUnavailable
from gdpr.datamap.actions import Action, Anonymise, Delete
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Key
from gdpr.datamap.strategies import Redact
from gdpr.datamap.subjects import SubjectKeys
from gdpr.drill.index_backups import SearchBackup
from searchindex import fields, transport, vector_field
from searchindex.transport import at
from searchindex.views import documents, is_whole, pages
from tests.fix_search import MakeHarness, lease
from tests.integration.gdpr.conftest import OwnSearch

pytestmark = pytest.mark.integration

KEYS = SubjectKeys(kind="x", primary=42)
OWN, OTHERS = 24, 26
"""Documents of the person lie side by side: it is ten such in a page that do the harm."""
VECTOR = vector_field(3, "euclidean")


@pytest.fixture
def search(search_url: str) -> Iterator[OwnSearch]:
    """Give the adapter of indexes with a prefix of its own, on each engine in turn."""
    adapter = OwnSearch(search_url, f"gdpr-{uuid.uuid4().hex[:10]}-")
    yield adapter
    own = adapter.own.transport
    for index in own.find(f"{at(adapter.own.names.prefix + '*')}?expand_wildcards=all") or {}:
        own.request("DELETE", at(index))
    adapter.own.close()


def make(search: OwnSearch, *, vectors: bool, shards: int = 1, **settings: object) -> str:
    """Make the index “things”, with documents of the person and, behind them, of others."""
    engine, name = search.own.engine, search.own.names.alias("things")
    properties = {
        "owner": {"type": "long"},
        "name": {"type": "text"},
        **({"near": VECTOR} if vectors else {}),
    }
    needed = engine.vector_settings if vectors else {}
    body = {
        "settings": {"number_of_shards": shards, "number_of_replicas": 0, **needed, **settings},
        "mappings": {"properties": fields.render(properties, engine)},
    }
    search.own.transport.request("PUT", f"{at(name)}?wait_for_active_shards=0", body)
    return name


def put(search: OwnSearch, name: str, *, vectors: bool) -> None:
    lines: list[object] = []
    for number in range(OWN + OTHERS):
        near = {"near": [number, 1, 2]} if vectors else {}
        owner = 42 if number < OWN else 43
        lines += [{"index": {"_id": str(number)}}, {"owner": owner, "name": "Ada", **near}]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    answer = search.own.transport.request("POST", f"{at(name, '_bulk')}?refresh=true", content).body
    assert not answer["errors"], answer


def entry(action: Action) -> Entry:
    return Entry(id="one", store="search", target="things", action=action, locator=Key("owner", int))


def found(search: OwnSearch, name: str) -> Mapping[str, Any]:
    """Search without waiting for a server that says that it is busy; every shard has to answer."""
    answer = search.own.transport.request("POST", at(name, "_search"), {"size": 100}, accept=(503,))
    assert answer.status == 200, answer.body
    assert answer.body["_shards"]["failed"] == 0, answer.body
    return {hit["_id"]: hit["_source"] for hit in answer.body["hits"]["hits"]}


def nearest(search: OwnSearch, name: str) -> list[str]:
    """Return the ids of the two documents that are nearest to the last one."""
    point, far = [float(OWN + OTHERS), 1.0, 2.0], {"k": 2, "num_candidates": 10}
    by_query = {"query": {"knn": {"near": {"vector": point, "k": 2}}}}
    by_search = {"knn": {"field": "near", "query_vector": point, **far}}
    body = by_query if search.own.engine.kind == "OpenSearch" else by_search
    hits = search.own.transport.request("POST", at(name, "_search"), body).body["hits"]["hits"]
    return [hit["_id"] for hit in hits]


def erased(search: OwnSearch, action: Action) -> int:
    one, affected = entry(action), 0
    while not (done := search.erase(one, KEYS, 15)).done:
        affected += done.affected
    return affected + done.affected


ACTS: Mapping[str, tuple[Callable[[OwnSearch], object], object]] = {
    "export": (lambda search: len(list(search.export(entry(Delete()), KEYS))), OWN),
    "collect": (lambda search: len(search.collect(entry(Delete()), KEYS)["one"]), OWN),
    "collect by key": (lambda search: len((search.collect_by_key(entry(Delete()), KEYS) or {})["42"]), OWN),
    "preview": (lambda search: search.find(entry(Anonymise({"name": Redact()})), KEYS).pending, OWN),
    "look": (lambda search: search.residue(entry(Delete()), KEYS), OWN),
    "anonymise": (lambda search: erased(search, Anonymise({"name": Redact()})), OWN),
    "look again": (lambda search: search.residue(entry(Anonymise({"name": Redact()})), KEYS), 0),
    "delete": (lambda search: erased(search, Delete()), OWN),
    "last look": (lambda search: search.residue(entry(Delete()), KEYS), 0),
}


@pytest.mark.parametrize(
    "vectors",
    [pytest.param(True, id="vectors"), pytest.param(False, id="none", marks=pytest.mark.by_turns(3))],
)
def test_index_is_searchable_after_each_act(
    search: OwnSearch, search_url: str, tmp_path: Path, vectors: bool
) -> None:
    """Export, previews, erasures, two looks and two backups: each does its work, and searches go on."""
    name = make(search, vectors=vectors)
    put(search, name, vectors=vectors)
    backup = SearchBackup(search_url, search.own.names.prefix, tmp_path / "backup")

    for act, (run, expected) in ACTS.items():
        assert (act, run(search)) == (act, expected)
        assert len(found(search, name)) == (OTHERS if act in ("delete", "last look") else OWN + OTHERS), act
        if vectors:
            assert nearest(search, name) == ["49", "48"], act
    for _ in range(2):
        backup.make()
        assert len(found(search, name)) == OTHERS
    backup.restore()
    assert len(found(search, name)) == OTHERS


def test_documents_that_are_changed_keep_their_vectors(search: OwnSearch) -> None:
    """A name is redacted by a change of the document, which the server puts together again."""
    name = make(search, vectors=True)
    put(search, name, vectors=True)

    erased(search, Anonymise({"name": Redact()}))

    [one] = [hit for hit in documents(search.own.transport, search.own.engine, name) if hit["_id"] == "3"]
    assert one["_source"] == {"owner": 42, "name": "[erased]", "near": [3.0, 1.0, 2.0]}


def test_scroll_breaks_this_very_index(opensearch_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What all this is for, so that these tests are known to see it; and what mends such an index.

    Once OpenSearch bears it, this fails, and `bears_scrolls` may go.
    """
    search = OwnSearch(opensearch_url, f"gdpr-{uuid.uuid4().hex[:10]}-")
    own, name = search.own.transport, make(search, vectors=True)
    put(search, name, vectors=True)
    answer = own.request("POST", f"{at(name, '_search')}?scroll=1m", {"size": 100}).body
    own.request("DELETE", "/_search/scroll", {"scroll_id": answer["_scroll_id"]})

    monkeypatch.setattr(transport, "_PATIENCE", transport._PATIENCE.new(status=0))
    with pytest.raises(transport.RequestRefused, match="503") as broken:
        list(documents(own, search.own.engine, name))
    for verb in re.findall(r"POST /INDEX/(\w+)", broken.value.hint):
        own.request("POST", at(name, verb))

    assert len(found(search, name)) == OWN + OTHERS
    own.request("DELETE", at(name))
    search.own.close()


@pytest.mark.parametrize("version", ["", "3.2.0"], ids=["as it is", "older order"])
def test_view_is_frozen_and_gives_each_document_once(search: OwnSearch, version: str) -> None:
    """Of several shards too, while it is written to; also in the order that older servers know."""
    engine = replace(search.own.engine, version=version) if version else search.own.engine
    if version and engine.kind != "OpenSearch":
        pytest.skip("one order is enough for every Elasticsearch")
    name = make(search, vectors=True, shards=3)
    put(search, name, vectors=True)

    ids: list[str] = []
    for number, page in enumerate(pages(search.own.transport, engine, name)):
        ids += [hit["_id"] for hit in page]
        late = {"owner": 42, "near": [1, 1, 1]}
        search.own.transport.request("PUT", f"{at(name, '_doc', f'late-{number}')}?refresh=true", late)
        search.own.transport.request("DELETE", f"{at(name, '_doc', str(number))}?refresh=true")

    assert sorted(ids) == sorted(map(str, range(OWN + OTHERS)))


def test_index_of_which_a_part_is_missing_is_not_read_as_empty(
    search: OwnSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two shards has no place: the rest would say “nothing”, and OpenSearch calls no shard failed."""
    at_once = transport._PATIENCE.new(status=0)
    monkeypatch.setattr(transport, "_PATIENCE", at_once)
    name = make(search, vectors=False, shards=2, **{"index.routing.allocation.total_shards_per_node": 1})
    own = search.own.transport
    while (answer := own.request("POST", at(name, "_count"), accept=(503,))).status == 503:
        time.sleep(0.05)  # not even the other one has started

    assert answer.body["count"] == 0
    assert not is_whole(answer.body)
    with pytest.raises(StoreUnavailable, match="did not read every part"):
        search._count(name, {"match_all": {}})
    with pytest.raises(StoreError):
        list(documents(own, search.own.engine, name))


_REVISION = """import searchindex as search

class Migration(search.Migration):
    operations = [{operation}]
"""
_NEAR = '{"properties": {"owner": {"type": "long"}, "near": search.vector_field(3, "euclidean")}}'


def test_copy_of_an_index_with_vectors_leaves_both_searchable(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """The server's own copy would break the old index, to which an undone revision leads back."""
    revisions = {
        "0001_near": _REVISION.format(operation=f'search.CreateIndex("near", mappings={_NEAR})'),
        "0002_copy": _REVISION.format(operation='search.Reindex("near")'),
    }
    harness = make_search_harness(opensearch_url, revisions)
    store, (first, second) = harness.store(), harness.steps()
    store.apply(first, lease())
    for number in range(OWN):
        harness.ask("PUT", f"/{harness.prefix}near/_doc/{number}", {"owner": 1, "near": [number, 1, 2]})

    for act in (store.apply, store.revert):
        act(second, lease())
        assert len(harness.documents(f"{harness.prefix}near")) == OWN
        assert len(harness.documents(f"{harness.prefix}near-0001")) == OWN
