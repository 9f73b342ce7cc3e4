"""A copy holds what its source holds: nothing lost, nothing changed twice, nothing of an older definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from accord.errors import ConflictingState, LeaseLost, StepFailed
from accord.events import StepNoted
from accord.seam.types import Lease
from searchindex.reindex import block
from searchindex.reindex.content import Content
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

_REVISION = "import searchindex as search\n\nclass Migration(search.Migration):\n    operations = [{}]\n"
BY_SERVER = 'search.Reindex("plays")'
BY_CLIENT = 'search.Reindex("plays", subject=("streaming.listener", "listener"))'
COUNT = 30
ONCE = {"price": 200, "seen": 1, "title": "hello"}


def two_steps(make: MakeHarness, url: str, copy: str = BY_SERVER, create: str = "") -> SearchHarness:
    """Make an index, and a second step that copies it."""
    create = create or 'search.CreateIndex("plays", mappings={"properties": {"title": {"type": "text"}}})'
    harness = make(url, {"0001_plays": _REVISION.format(create), "0002_copy": _REVISION.format(copy)})
    harness.store().apply(harness.steps()[0], lease())
    return harness


def fill(harness: SearchHarness, document: Mapping[str, Any] | None = None) -> None:
    """Write some documents by the alias."""
    for number in range(COUNT):
        path = f"/{harness.prefix}plays/_doc/{number}?routing={number % 3}"
        harness.ask("PUT", path, document or {"title": f"hello {number}"})


def copy(harness: SearchHarness, holder: Lease | None = None) -> list[str]:
    """Apply the second step; give its notes."""
    notes: list[str] = []
    harness.store().apply(
        harness.steps()[1],
        holder or lease(),
        lambda event: notes.append(event.note) if isinstance(event, StepNoted) else None,
    )
    return notes


def dying_when(seen: Callable[[], object]) -> Lease:
    """Give a lease that is lost, as to a run that was killed, once something is there to see."""

    def guard() -> None:
        if seen():
            raise LeaseLost("gone")

    return replace(lease(), guard=guard)


def found(harness: SearchHarness, number: str) -> Mapping[str, Any]:
    """Read an index; nothing when it isn't there."""
    name = f"{harness.prefix}plays-{number}"
    index: Mapping[str, Any] = harness.ask("GET", f"/{name}?flat_settings=true").get(name, {})
    return index


def is_open(harness: SearchHarness) -> bool:
    """Tell whether the old index takes writes and stands behind the alias."""
    harness.ask("PUT", f"/{harness.prefix}plays/_doc/late", {"title": "late"})
    return f"{harness.prefix}plays" in found(harness, "0001")["aliases"]


# --- what `_source` does not hold ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"excludes": ["body"]}, "does not hold body"),
        ({"includes": ["title"]}, "all but title"),
        ({"enabled": False}, "`_source` is off"),
    ],
)
@pytest.mark.parametrize("operation", [BY_SERVER, BY_CLIENT])
def test_index_that_keeps_no_whole_documents_is_not_copied(
    make_search_harness: MakeHarness, search_url: str, source: Mapping[str, Any], told: str, operation: str
) -> None:
    """It is refused before anything is touched, and the fields are named."""
    create = f'search.CreateIndex("plays", mappings={{"_source": {source!r}}})'
    harness = two_steps(make_search_harness, search_url, operation, create)

    with pytest.raises(StepFailed, match=told):
        copy(harness)

    assert found(harness, "0002") == {}
    assert is_open(harness)


# --- pipelines ---------------------------------------------------------------------------------------


@pytest.fixture
def priced(
    request: pytest.FixtureRequest, make_search_harness: MakeHarness, opensearch_url: str, trail: Trail
) -> Iterator[SearchHarness]:
    """Make an index whose pipelines change each document, with documents that went through them."""
    harness = two_steps(make_search_harness, opensearch_url, request.param)
    script = "ctx.price = ctx.price * 100"
    pipelines = {"default": script, "final": "ctx.seen = ctx.seen + 1"}
    for name, source in pipelines.items():
        body = {"processors": [{"script": {"source": source}}]}
        harness.ask("PUT", f"/_ingest/pipeline/{harness.prefix}{name}", body)
    settings = {f"index.{name}_pipeline": f"{harness.prefix}{name}" for name in pipelines}
    harness.ask("PUT", f"/{harness.prefix}plays/_settings", settings)
    fill(harness, {"price": 2, "seen": 0, "title": "hello"})
    yield harness
    harness.clean()
    for name in pipelines:
        harness.ask("DELETE", f"/_ingest/pipeline/{harness.prefix}{name}")


@pytest.mark.parametrize("priced", [BY_SERVER, BY_CLIENT], indirect=True)
def test_pipelines_are_off_while_documents_are_copied_and_on_afterwards(priced: SearchHarness) -> None:
    """A document goes through its pipelines once; also when the copy dies just before the alias moves."""

    def is_ready() -> bool:
        settings = found(priced, "0002").get("settings", {})
        return bool(settings.get("index.final_pipeline", "_none") != "_none")

    with pytest.raises(LeaseLost):
        copy(priced, dying_when(is_ready))
    copy(priced)

    assert list(priced.documents(f"{priced.prefix}plays-0002").values()) == [ONCE] * COUNT
    priced.ask("PUT", f"/{priced.prefix}plays/_doc/new", {"price": 2, "seen": 0, "title": "hello"})
    assert priced.documents(f"{priced.prefix}plays")["new"] == ONCE


def test_pipeline_of_the_declared_settings_is_put_on_after_the_copy(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """Nested or with dots; that it does not even exist disturbs no copy."""
    settings = '{"index": {"default_pipeline": "none-such", "number_of_replicas": 0}}'
    harness = two_steps(make_search_harness, search_url, f'search.Reindex("plays", settings={settings})')
    fill(harness)

    copy(harness)

    assert found(harness, "0002")["settings"]["index.default_pipeline"] == "none-such"
    assert "index.final_pipeline" not in found(harness, "0002")["settings"]
    assert len(harness.documents(f"{harness.prefix}plays")) == COUNT


# --- content ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [BY_SERVER, BY_CLIENT])
def test_document_that_was_changed_on_its_way_stops_the_copy(
    make_search_harness: MakeHarness,
    opensearch_url: str,
    trail: Trail,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
) -> None:
    """The numbers agree and one document is another: the alias stays, and writes go on."""
    harness = two_steps(make_search_harness, opensearch_url, operation)
    fill(harness)
    whole = block._copied

    def tampered(*arguments: Any) -> Any:
        sent = whole(*arguments)
        harness.ask("PUT", f"/{harness.prefix}plays-0002/_doc/7?routing=1", {"title": "another"})
        return sent

    monkeypatch.setattr(block, "_copied", tampered)
    with pytest.raises(StepFailed, match=f"hold {COUNT} documents, and not the same content"):
        copy(harness)

    assert is_open(harness)


def test_only_numbers_are_compared_where_that_is_asked_for(
    make_search_harness: MakeHarness, opensearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision may turn the reading of both indexes off."""
    harness = two_steps(make_search_harness, opensearch_url, 'search.Reindex("plays", verify="counts")')
    fill(harness)
    monkeypatch.setattr(block, "content_of", None)

    copy(harness)

    assert len(harness.documents(f"{harness.prefix}plays-0002")) == COUNT


def test_content_is_the_same_in_any_order_and_not_by_chance() -> None:
    """Id, routing, version, value and number each count; the order of documents and of keys does not."""
    one = {"_id": "1", "_version": 1, "_source": {"a": 1, "b": [1, 2]}}
    other = {"_id": "2", "_version": 1, "_routing": "x", "_source": {"a": 1}}
    content = Content().plus([one, other])

    assert content == Content().plus([other]).plus([{**one, "_source": {"b": [1, 2], "a": 1}}])
    assert content != Content().plus([one, {**other, "_routing": "y"}])
    assert content != Content().plus([one, {**other, "_id": "3"}])
    assert content != Content().plus([{**one, "_source": {"a": 1, "b": [2, 1]}}, other])
    assert content != Content().plus([{**one, "_version": 2}, other])
    assert content != Content().plus([one, other, other])


# --- versions -----------------------------------------------------------------------------------------


def versions(harness: SearchHarness, number: str) -> Mapping[str, int]:
    """Read the version of every document of an index."""
    body = {"size": 1000, "version": True, "query": {"match_all": {}}}
    answer = harness.ask("POST", f"/{harness.prefix}plays-{number}/_search", body)
    return {hit["_id"]: hit["_version"] for hit in answer["hits"]["hits"]}


@pytest.mark.parametrize("operation", [BY_SERVER, BY_CLIENT])
def test_documents_keep_their_versions(
    make_search_harness: MakeHarness, search_url: str, trail: Trail, operation: str
) -> None:
    """Killed and continued, too: the new index refuses a late write as the old one would have refused it."""
    harness = two_steps(make_search_harness, search_url, operation)
    alias = f"/{harness.prefix}plays"

    def counted(kind: str, version: int, key: str, title: str = "mine") -> None:
        path = f"{alias}/_doc/{key}?version={version}&version_type={kind}"
        harness.ask("PUT", path, {"title": title})

    fill(harness)
    for number in (1, 1, 2):
        harness.ask("PUT", f"{alias}/_doc/{number}?routing={number}", {"title": "again"})
    for version in (0, 77):
        counted("external", version, "ours")
    counted("external_gte", 5, "equal")
    counted("external", 0, "zero")

    def is_begun() -> bool:
        harness.ask("POST", f"/{harness.prefix}plays-0002/_refresh")
        return bool(found(harness, "0002") and versions(harness, "0002"))

    with pytest.raises(LeaseLost):
        copy(harness, dying_when(is_begun))
    notes = copy(harness)

    assert any("continues" in note for note in notes)
    wanted = {"1": 3, "2": 2, "3": 1, "ours": 77, "equal": 5, "zero": 0}
    assert versions(harness, "0002").items() >= wanted.items()
    assert versions(harness, "0002") == versions(harness, "0001")
    for late in (5, 77):
        with pytest.raises(AssertionError, match="version_conflict"):
            counted("external", late, "ours", "late")
    counted("external", 78, "ours", "next")
    harness.ask("PUT", f"{alias}/_doc/1?routing=1", {"title": "plain"})
    documents = harness.documents(f"{harness.prefix}plays")
    assert [documents[key]["title"] for key in ("ours", "1")] == ["next", "plain"]


# --- documents that the new mapping does not take ------------------------------------------------------

_STRICTER = '{"dynamic": "strict", "properties": {"title": {"type": "text"}, "length": {"type": "integer"}}}'


@pytest.mark.parametrize("subject", [None, ("streaming.listener", "listener")])
def test_refused_documents_are_named_and_nothing_of_what_is_in_them(
    make_search_harness: MakeHarness, search_url: str, trail: Trail, subject: tuple[str, str] | None
) -> None:
    """Fields, number and the first ids; of people's documents no id, and no name beside the mapping's."""
    copying = f'search.Reindex("plays", mappings={_STRICTER}, subject={subject!r})'
    harness = two_steps(make_search_harness, search_url, copying)
    for number in range(12):
        document = {"title": "a"} | ({"joe": {"x": 1}} if number == 11 else {"length": "a song"})
        harness.ask("PUT", f"/{harness.prefix}plays/_doc/joe-{number:02}", document)

    with pytest.raises(StepFailed) as failure:
        copy(harness)

    told = failure.value.message
    assert "12 " in told
    assert "length" in told
    assert "song" not in told
    assert ("Fields: joe, length" in told) is (subject is None)
    assert ("and 2 more" in told) is (subject is None)
    assert ("joe" in told) is (subject is None)
    assert "those documents" in failure.value.hint
    assert is_open(harness)


# --- an operation that was edited after a kill ----------------------------------------------------------

_ANALYZED = (
    'search.Reindex("plays", mappings={{"properties": {{"title": {{"type": "text", "analyzer": "{}"}}}}}})'
)


def analyzer(harness: SearchHarness) -> str:
    """Tell by which analyzer the titles of the new index are read."""
    return str(found(harness, "0002")["mappings"]["properties"]["title"].get("analyzer"))


def test_killed_copy_of_an_edited_operation_begins_anew(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """Edited and edited back: what stands behind the alias is what the file says, each time."""
    harness = two_steps(make_search_harness, search_url, _ANALYZED.format("simple"))
    fill(harness)

    with pytest.raises(LeaseLost):
        copy(harness, dying_when(lambda: found(harness, "0002")))
    assert analyzer(harness) == "simple"

    harness.write_revision("0002_copy", _REVISION.format(_ANALYZED.format("whitespace")))
    with pytest.raises(LeaseLost):
        copy(harness, dying_when(lambda: found(harness, "0002") and analyzer(harness) == "whitespace"))
    harness.write_revision("0002_copy", _REVISION.format(_ANALYZED.format("simple")))
    notes = copy(harness)

    assert any("was edited" in note for note in notes)
    assert analyzer(harness) == "simple"
    assert not found(harness, "0002")["mappings"].get("_meta")
    assert harness.documents(f"{harness.prefix}plays") == harness.documents(f"{harness.prefix}plays-0001")


def test_killed_copy_that_was_not_edited_continues(make_search_harness: MakeHarness, search_url: str) -> None:
    """The target that is there is taken as it is."""
    harness = two_steps(make_search_harness, search_url, _ANALYZED.format("simple"))
    fill(harness)
    with pytest.raises(LeaseLost):
        copy(harness, dying_when(lambda: found(harness, "0002")))
    uuid = found(harness, "0002")["settings"]["index.uuid"]

    notes = copy(harness)

    assert any("continues" in note for note in notes)
    assert found(harness, "0002")["settings"]["index.uuid"] == uuid


@pytest.mark.parametrize("unmarked", [True, False])
def test_operation_edited_after_the_alias_moved_is_not_recorded(
    make_search_harness: MakeHarness,
    opensearch_url: str,
    monkeypatch: pytest.MonkeyPatch,
    unmarked: bool,
) -> None:
    """The index behind the alias is of another definition, and the error says so."""
    from searchindex.operations import reindex

    off = reindex._take_mark_off

    def dying(*arguments: Any) -> None:
        if unmarked:
            off(*arguments)
        raise LeaseLost("gone")

    harness = two_steps(make_search_harness, opensearch_url, _ANALYZED.format("simple"))
    with monkeypatch.context() as patch:
        patch.setattr(reindex, "_take_mark_off", dying)
        with pytest.raises(LeaseLost):
            copy(harness)

    harness.write_revision("0002_copy", _REVISION.format(_ANALYZED.format("whitespace")))
    with pytest.raises(ConflictingState, match="analyzer" if unmarked else "edited after the alias"):
        copy(harness)
    harness.write_revision("0002_copy", _REVISION.format(_ANALYZED.format("simple")))
    copy(harness)

    assert not found(harness, "0002")["mappings"].get("_meta")


def test_index_in_the_place_of_the_target_that_is_not_ours_is_left_alone(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """Somebody made it after the copy had begun: it is named, not deleted."""
    harness = two_steps(make_search_harness, opensearch_url)
    fill(harness)
    with pytest.raises(LeaseLost):
        copy(harness, dying_when(lambda: found(harness, "0002")))
    harness.ask("DELETE", f"/{harness.prefix}plays-0002")
    harness.ask("PUT", f"/{harness.prefix}plays-0002/_doc/1?refresh", {"mine": True})

    with pytest.raises(ConflictingState, match="does not bear the mark"):
        copy(harness)

    assert harness.documents(f"{harness.prefix}plays-0002") == {"1": {"mine": True}}
    assert is_open(harness)
