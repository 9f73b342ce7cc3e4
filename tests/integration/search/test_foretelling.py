"""What is foretold of search revisions is what the server says then, and looking leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from accord.errors import AccordError
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, Step
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness, lease

pytestmark = pytest.mark.integration

_REVISION = "import searchindex as search\n\nclass Migration(search.Migration):\n    operations = [{}]\n"
_FIELDS = '{"properties": {"n": {"type": "long"}, "t": {"type": "text"}}}'
_LIMIT = '{"index.mapping.total_fields.limit": 3}'
TRACKS = f'search.CreateIndex("tracks", {_FIELDS}, {_LIMIT})'
PARTS = 'search.CreateIndex("parts", {"_source": {"excludes": ["body"]}})'
VENUES = 'search.CreateIndex("venues"), search.AddAlias("all", "venues"), search.AddAlias("all", "tracks")'


def looked(make: MakeHarness, url: str, operations: str) -> SearchHarness:
    """Make an index of three documents, and a second step of these operations."""
    made = _REVISION.format(f"{TRACKS}, {PARTS}, {VENUES}")
    harness = make(url, {"0001_tracks": made, "0002_next": _REVISION.format(operations)})
    harness.store().apply(harness.step("0001_tracks"), lease())
    for number in range(3):
        harness.ask("PUT", f"/{harness.prefix}tracks/_doc/{number}?refresh", {"n": number})
    return harness


def foretold(harness: SearchHarness, way: Direction = Direction.APPLY) -> Sequence[Foretold]:
    return list(harness.store().foretell([harness.step("0002_next")], way))


def outlooks(found: Iterable[Foretold]) -> set[Outlook]:
    return {item.outlook for item in found}


def analysed(analysis: str) -> str:
    return f'search.CreateIndex("new", settings={{"analysis": {analysis}}})'


def put(mapping: str) -> str:
    return f'search.PutMapping("tracks", {mapping}, leave_on_revert=True)'


def templated(template: str) -> str:
    return f'search.PutTemplate("t", ["t-*"], {template})'


def field(name: str, definition: str) -> str:
    return f'{{"properties": {{"{name}": {{{definition}}}}}}}'


NONSENSE = field("a", '"type": "nonsense"')
DATED = field("a", '"type": "date"')
NOSUCH = '"type": "text", "analyzer": "nosuch"'
KUROMOJI = '"type": "text", "analyzer": "kuromoji"'
MURMUR = '"type": "murmur3"'
REFUSED = {
    "changed type": put(field("n", '"type": "keyword"')),
    "field of no type": put(field("x", '"type": "nonsense"')),
    "analyzer that isn't there": put(field("x", NOSUCH)),
    "more fields than the limit": put(
        '{"properties": {"a": {"type": "long"}, "b": {"type": "long"}, "c": {"type": "long"}}}'
    ),
    "mapping of nothing": 'search.PutMapping("nosuch", {}, leave_on_revert=True)',
    "mapping of several indexes": 'search.PutMapping("all", {}, leave_on_revert=True)',
    "new index with an analyzer that isn't there": f'search.CreateIndex("new", {field("x", NOSUCH)})',
    "tokenizer that isn't there": analysed('{"analyzer": {"a": {"type": "custom", "tokenizer": "nosuch"}}}'),
    "filter that isn't there": analysed(
        '{"analyzer": {"a": {"type": "custom", "tokenizer": "standard", "filter": ["nosuch"]}}}'
    ),
    "filter of a plugin": analysed('{"filter": {"f": {"type": "nosuch_plugin"}}}'),
    "new index with a setting that isn't there": 'search.CreateIndex("new", settings={"nosuch": 1})',
    "more shards than an index has": 'search.CreateIndex("new", settings={"number_of_shards": 2000})',
    "less than no copy": 'search.CreateIndex("new", settings={"number_of_replicas": -1})',
    "analyzer of a plugin": f'search.CreateIndex("new", {field("x", KUROMOJI)})',
    "tokenizer of a plugin": analysed('{"analyzer": {"a": {"tokenizer": "icu_tokenizer"}}}'),
    "field of a plugin": f'search.CreateIndex("new", {field("x", MURMUR)})',
    "template with an analyzer that isn't there": templated(f'{{"mappings": {field("x", NOSUCH)}}}'),
    "copy of what keeps a part alone": 'search.Reindex("parts")',
    "drop of documents": 'search.DropIndex("tracks")',
    "drop of several": 'search.DropIndex("all")',
    "new index under a taken alias": 'search.CreateIndex("tracks")',
    "setting that is fixed": 'search.PutSettings("tracks", {"index.number_of_shards": 7})',
    "setting that isn't there": 'search.PutSettings("tracks", {"index.nosuch": 7})',
    "template that can't be read": templated(f'{{"mappings": {NONSENSE}}}'),
    "component that isn't there": 'search.PutTemplate("t", ["t-*"], composed_of=["nosuch"])',
    "alias to nothing": 'search.AddAlias("songs", "nosuch")',
    "copy of nothing": 'search.Reindex("nosuch")',
    "copy of several": 'search.Reindex("all")',
    "copy into an analyzer that isn't there": f'search.Reindex("tracks", {field("x", NOSUCH)})',
    "name that is too long": f'search.CreateIndex("{"n" * 250}")',
}  # fmt: skip


def test_what_is_foretold_as_refused_is_refused(make_search_harness: MakeHarness, search_url: str) -> None:
    """The look names the reason and a way on, leaves nothing behind, and the server agrees."""
    harness = looked(make_search_harness, search_url, "")
    before = harness.observe()
    for kind, operation in REFUSED.items():
        harness.write_revision("0002_next", _REVISION.format(operation))

        found = foretold(harness)

        assert outlooks(found) == {Outlook.REFUSED}, kind
        assert all(item.text and item.hint for item in found), kind
        with pytest.raises(AccordError):
            harness.store().apply(harness.step("0002_next"), lease())
    assert harness.observe() == before


FINE = {
    "field": put(field("x", '"type": "keyword"')),
    "field that is there": put(field("n", '"type": "long"')),
    "settings": 'search.PutSettings("tracks", {"refresh_interval": "9s"})',
    "index": f'search.CreateIndex("new", {DATED})',
    "template": templated('{"settings": {"number_of_replicas": 0}}'),
    "alias": 'search.AddAlias("songs", "tracks")',
    "switched alias": 'search.SwitchAlias("all", "tracks")',
    "copy": 'search.Reindex("tracks")',
    "drop": 'search.DropIndex("nosuch")',
    "block": 'search.PutSettings("tracks", {"index.blocks.write": True})',
}  # fmt: skip


def test_what_the_server_takes_is_not_foretold_as_refused(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """A false alarm would stop a run."""
    harness = looked(make_search_harness, search_url, "")
    for number, (kind, operation) in enumerate(FINE.items(), start=3):
        name = f"{number:04}_next"
        harness.write_revision(name, _REVISION.format(operation))
        before = harness.observe()

        found = list(harness.store().foretell([harness.step(name)], Direction.APPLY))

        assert not outlooks(found) & {Outlook.REFUSED, Outlook.UNKNOWN}, (kind, found)
        assert harness.observe() == before, kind
        harness.store().apply(harness.step(name), lease())


def test_copy_is_foretold_with_its_size_and_its_block(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """How many documents, how many bytes, and what writers meet; what a new mapping refuses is unknown."""
    mapping = field("n", '"type": "keyword"')
    harness = looked(make_search_harness, search_url, f'search.Reindex("tracks", {mapping})')

    found = foretold(harness)

    [size] = [item for item in found if item.rows is not None]
    assert (size.rows, size.lock) == (3, "index.blocks.write")
    assert size.bytes
    assert Outlook.UNKNOWN in outlooks(found)


def test_block_and_pipeline_that_nobody_made_are_told(
    make_search_harness: MakeHarness, search_url: str
) -> None:
    """Somebody blocked the index; and without its pipeline the new one would refuse every document."""
    settings = 'settings={"index.default_pipeline": "nosuch-pipeline"}'
    harness = looked(make_search_harness, search_url, f'search.Reindex("tracks", {settings})')
    harness.ask("PUT", f"/{harness.prefix}tracks-0001/_settings", {"index.blocks.write": True})

    told = " ".join(item.text for item in foretold(harness) if item.outlook is Outlook.WARNING)

    assert "index.blocks.write" in told
    assert "nosuch-pipeline" in told


def test_template_brings_the_analyzer_that_an_index_needs(
    make_search_harness: MakeHarness, opensearch_url: str
) -> None:
    """What stands already counts; what an earlier operation writes is unknown until then."""
    analysis = '{"settings": {"analysis": {"analyzer": {"nosuch": {"type": "standard"}}}}}'
    template = f'search.PutTemplate("t", ["new-*"], {analysis})'
    create = f'search.CreateIndex("new", {field("x", NOSUCH)})'
    harness = looked(make_search_harness, opensearch_url, f"{template}, {create}")

    assert foretold(harness)[-1].outlook is Outlook.UNKNOWN
    harness.write_revision("0002_next", _REVISION.format(template))
    harness.store().apply(harness.step("0002_next"), lease())
    harness.write_revision("0003_new", _REVISION.format(create))
    found = list(harness.store().foretell([harness.step("0003_new")], Direction.APPLY))
    assert Outlook.REFUSED not in outlooks(found)
    harness.store().apply(harness.step("0003_new"), lease())


HIDDEN = {
    "made": 'search.CreateIndex("new"), search.PutMapping("new", {}, leave_on_revert=True)',
    "code": "search.RunPython(print), " + REFUSED["changed type"],
    "copied": 'search.Reindex("tracks"), search.DropIndex("tracks", number="0001")',
}


@pytest.mark.parametrize("kind", list(HIDDEN))
def test_what_an_earlier_operation_makes_is_unknown(
    make_search_harness: MakeHarness, opensearch_url: str, kind: str
) -> None:
    """Neither well nor refused: an earlier one may mend it."""
    harness = looked(make_search_harness, opensearch_url, HIDDEN[kind])

    found = foretold(harness)

    assert found[-1].outlook is Outlook.UNKNOWN
    assert "until" in found[-1].text
    assert Outlook.REFUSED not in outlooks(found)


def test_way_back_tells_what_goes(make_search_harness: MakeHarness, opensearch_url: str) -> None:
    """The bytes of an index that the step made; its documents are counted with what is lost."""
    harness = looked(make_search_harness, opensearch_url, 'search.CreateIndex("new")')
    harness.store().apply(harness.step("0002_next"), lease())
    harness.ask("PUT", f"/{harness.prefix}new/_doc/1?refresh", {"n": 1})

    [found] = foretold(harness, Direction.REVERT)
    [lost] = harness.store().losses([harness.step("0002_next")], Direction.REVERT)
    assert (found.rows, found.bytes is not None, lost.count.number) == (None, True, 1)


def _scratches(harness: SearchHarness) -> list[str]:
    return [
        name for name in harness.ask("GET", f"/{harness.prefix}*?expand_wildcards=all") if "scratch" in name
    ]


def test_looks_at_the_same_time_do_not_meet(make_search_harness: MakeHarness, search_url: str) -> None:
    """Each has a scratch index of its own: none sees another's definition, and none takes it away."""
    harness = looked(make_search_harness, search_url, f"{put(field('x', NOSUCH))}")
    harness.write_revision("0003_fine", _REVISION.format(put(field("y", '"type": "keyword"'))))
    steps = [harness.step("0002_next"), harness.step("0003_fine")] * 4

    def look(step: Step) -> set[Outlook]:
        return outlooks(harness.store().foretell([step], Direction.APPLY))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(look, steps))

    assert found == [{Outlook.REFUSED}, {Outlook.NOTE}] * 4
    assert _scratches(harness) == []


def test_what_a_killed_look_left_is_removed_an_hour_later(
    make_search_harness: MakeHarness, search_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By age, so that the index of a look that is under way stays."""
    harness = looked(make_search_harness, search_url, put(field("y", '"type": "keyword"')))
    left = f"{harness.prefix}accord-scratch-left"
    harness.ask("PUT", f"/{left}", {"settings": {"number_of_replicas": 0, "hidden": True}})

    foretold(harness)
    assert _scratches(harness) == [left]
    monkeypatch.setattr("searchindex.scratch._LEFT_BEHIND", 0)
    foretold(harness)

    assert _scratches(harness) == []


def test_name_as_long_as_a_server_takes_is_fine(make_search_harness: MakeHarness, search_url: str) -> None:
    """The scratch index has a short name, whatever the index is called."""
    harness = looked(make_search_harness, search_url, "")
    long = "n" * (255 - len(f"{harness.prefix}-0003"))
    harness.write_revision("0003_long", _REVISION.format(f'search.CreateIndex("{long}")'))

    assert outlooks(harness.store().foretell([harness.step("0003_long")], Direction.APPLY)) == set()
    harness.store().apply(harness.step("0003_long"), lease())
