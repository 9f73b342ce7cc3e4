"""A reindex leaves erased people behind."""

from __future__ import annotations

import pytest

from accord.erased import tombstones
from accord.errors import InvalidRevision
from accord.events import Event, StepNoted
from searchindex.operations.reindex import Reindex
from tests.fix_search import MakeHarness, lease
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

KIND = "streaming.listener"
_HEAD = """
def fill(context):
    lines = []
    for number in range(1200):
        head = {"_index": context.index("plays"), "_id": str(number), "routing": str(number % 3)}
        lines.append({"index": head})
        lines.append({"listener": {"id": number % 10}, "title": "Göteborg"})
    lines.append({"index": {"_index": context.index("plays"), "_id": "nobody"}})
    lines.append({"title": "Göteborg"})
    assert not context.client.bulk(operations=lines)["errors"]
    return 1
"""
_REVISION = """import searchindex as search
{head}

class Migration(search.Migration):
    operations = [{list}]
"""


class Heard(list[Event]):
    """A reporter that remembers."""

    def __call__(self, event: Event) -> None:
        self.append(event)


def test_reindex_leaves_erased_people_behind(
    make_search_harness: MakeHarness, search_url: str, trail: Trail
) -> None:
    """The copy holds everybody else's documents, and those of nobody; people hear how many stayed."""
    plays = 'search.CreateIndex("plays", mappings={"properties": {"title": {"type": "text"}}})'
    copy = f'search.Reindex("plays", subject=("{KIND}", "listener.id"))'
    filled = f"{plays}, search.RunPython(fill, search.RunPython.nothing)"
    harness = make_search_harness(
        search_url,
        {
            "0001_plays": _REVISION.format(head=_HEAD, list=filled),
            "0002_copy": _REVISION.format(head="", list=copy),
        },
    )
    heard = Heard()
    first, second = harness.steps()
    harness.store().apply(first, lease())
    for key in (3, 7):
        tombstones.raise_fence(tombstones.subject_tag(KIND, key))

    harness.store().apply(second, lease(), heard)

    documents = harness.documents(f"{harness.prefix}plays")
    owners = {found.get("listener", {}).get("id") for found in documents.values()}
    assert owners == {None, *range(10)} - {3, 7}
    assert len(documents) == 1201 - 240
    notes = [event.note for event in heard if isinstance(event, StepNoted)]
    assert any("240 documents of erased people" in note for note in notes)


def test_odd_keys_are_the_same_person_or_nobody(
    make_search_harness: MakeHarness, search_url: str, trail: Trail
) -> None:
    """42.0 and a dotted name are the person 42; empty keys and truth values stop no reindex."""
    odd = """
def fill(context):
    sources = [{"who": {"id": 42.0}}, {"who.id": 42}, {"who": {"id": ["", 42]}}, {"who": {"id": "42"}},
               {"who": {"id": ""}}, {"who": {"id": False}}, {"who": {"id": 43.0}}, {"who": {}}]
    lines = []
    for number, source in enumerate(sources):
        lines += [{"index": {"_index": context.index("plays"), "_id": str(number)}}, source]
    assert not context.client.bulk(operations=lines)["errors"]
    return 1
"""
    mapping = '{"dynamic": False, "properties": {}}'
    filled = (
        f'search.CreateIndex("plays", mappings={mapping}), search.RunPython(fill, search.RunPython.nothing)'
    )
    copy = f'search.Reindex("plays", subject=("{KIND}", "who.id"))'
    harness = make_search_harness(
        search_url,
        {
            "0001_plays": _REVISION.format(head=odd, list=filled),
            "0002_copy": _REVISION.format(head="", list=copy),
        },
    )
    first, second = harness.steps()
    harness.store().apply(first, lease())
    tombstones.raise_fence(tombstones.subject_tag(KIND, 42))

    harness.store().apply(second, lease())

    assert set(harness.documents(f"{harness.prefix}plays")) == {"4", "5", "6", "7"}


def test_subject_that_is_none_is_refused() -> None:
    """The mistake shows when the revision is read."""
    with pytest.raises(InvalidRevision, match="subject"):
        Reindex("plays", subject=("listener_id", ""))
