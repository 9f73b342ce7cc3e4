"""What was found stays, what was made goes, what was refused never was, and a killed copy can be undone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from accord.errors import AccordError
from accord.seam.types import Direction, Origin
from accord.testing import make_lease
from searchindex.context import Context
from searchindex.reindex import block
from searchindex.reindex.strategy import Copy
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness

pytestmark = pytest.mark.integration

_HEAD = "import searchindex as search\n\n\nclass Migration(search.Migration):\n"
_FIELDS = '{"properties": {"n": {"type": "long"}}}'
CREATE = f'{_HEAD}    operations = [search.CreateIndex("d", mappings={_FIELDS})]\n'
REINDEX = f'{_HEAD}    dependencies = [("APP", "0001_d")]\n    operations = [search.Reindex("d")]\n'
FIRST, SECOND = "0001_d", "0002_r"


class Killed(BaseException):
    """The end of a process, for code that must not hear of it."""


@pytest.fixture
def harness(make_search_harness: MakeHarness, opensearch_url: str) -> SearchHarness:
    return make_search_harness(opensearch_url, {FIRST: CREATE, SECOND: REINDEX})


def _die(context: Context, copy: Copy) -> int:
    raise Killed


def fill(harness: SearchHarness, name: str) -> None:
    for number in range(3):
        harness.ask("PUT", f"/{harness.prefix}{name}/_doc/{number}", {"n": number})


def make_index(harness: SearchHarness, name: str) -> None:
    """Make the index as an application would, with its alias and documents."""
    body = {
        "aliases": {f"{harness.prefix}d": {"is_write_index": True}},
        "mappings": {"properties": {"n": {"type": "long"}}},
    }
    harness.ask("PUT", f"/{harness.prefix}{name}", body)
    fill(harness, name)


def test_found_index_stays_when_the_step_is_undone(harness: SearchHarness) -> None:
    """It stood under the very name that the step would have given it."""
    make_index(harness, "d-0001")
    harness.store().apply(harness.step(FIRST), make_lease())

    outcome = harness.store().revert(harness.step(FIRST), make_lease())

    assert len(harness.documents(f"{harness.prefix}d")) == 3
    assert outcome.detail == f"left, because it was found there: index {harness.prefix}d-0001"


@pytest.mark.parametrize("name", ["d-0001", "old_v7"])
def test_adopted_index_stays_and_can_be_adopted_again(harness: SearchHarness, name: str) -> None:
    """Whatever it is called behind its alias."""
    make_index(harness, name)
    for _ in range(2):
        harness.store().record(harness.step(FIRST), make_lease(), Origin.ADOPTED)
        harness.store().revert(harness.step(FIRST), make_lease())

        assert len(harness.documents(f"{harness.prefix}d")) == 3
        assert harness.store().recorded().applied == {}


def test_made_index_goes_with_its_step(harness: SearchHarness) -> None:
    """The neighbour."""
    harness.store().apply(harness.step(FIRST), make_lease())
    fill(harness, "d")

    harness.store().revert(harness.step(FIRST), make_lease())

    assert harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}


def test_killed_copy_is_undone_and_the_old_index_takes_writes_again(
    harness: SearchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process died while the block stood."""
    harness.store().apply(harness.step(FIRST), make_lease())
    fill(harness, "d")
    before = harness.observe()

    with monkeypatch.context() as dying:
        dying.setattr(block, "_copy", _die)
        dying.setattr(block.BlockWrites, "abandon", lambda *_: None)
        with pytest.raises(Killed):
            harness.store().apply(harness.step(SECOND), make_lease())
    with pytest.raises(AssertionError, match="cluster_block_exception"):
        fill(harness, "d")
    begun = harness.store().recorded().begun

    harness.store().revert(harness.step(SECOND), make_lease())

    fill(harness, "d")
    assert set(begun) == {harness.key(SECOND)}
    assert harness.observe() == before
    assert harness.store().recorded().begun == {}


@pytest.mark.parametrize("edited", ['search.Reindex("e")', ""])
def test_killed_copy_that_the_file_has_no_more_leaves_nothing(
    harness: SearchHarness, monkeypatch: pytest.MonkeyPatch, edited: str
) -> None:
    """Edited to another name, or taken out: the index that was being copied takes writes again."""
    both = CREATE.replace("operations = [", 'operations = [search.CreateIndex("e"), ')
    harness.write_revision(FIRST, both)
    harness.store().apply(harness.step(FIRST), make_lease())
    fill(harness, "d")
    with monkeypatch.context() as dying:
        dying.setattr(block, "_copy", _die)
        dying.setattr(block.BlockWrites, "abandon", lambda *_: None)
        with pytest.raises(Killed):
            harness.store().apply(harness.step(SECOND), make_lease())

    harness.write_revision(SECOND, REINDEX.replace('search.Reindex("d")', edited))
    harness.store().apply(harness.step(SECOND), make_lease())

    fill(harness, "d")
    names = {name.removeprefix(harness.prefix) for name in harness.observe()["indexes"]}  # type: ignore[index]  # the harness observes a mapping
    assert names == {"d-0001", "e-0001", *(["e-0002"] if edited else [])}


REFUSED: Mapping[str, str] = {
    "mapping that can't change in place": (
        'search.PutMapping("d", {"properties": {"n": {"type": "keyword"}}}, leave_on_revert=True)'
    ),
    "setting that is fixed": 'search.PutSettings("d", {"index.number_of_shards": 7})',
    "template that can't be read": (
        'search.PutTemplate("t", ["t-*"], {"mappings": {"properties": {"a": {"type": "nonsense"}}}})'
    ),
    "copy into a mapping that can't be read": (
        'search.Reindex("d", mappings={"properties": {"a": {"type": "nonsense"}}})'
    ),
}


@pytest.mark.parametrize("kind", list(REFUSED))
def test_refused_first_operation_is_on_no_record(harness: SearchHarness, kind: str) -> None:
    """The server said no, and nothing of it stands: the step is pending, as before."""
    harness.store().apply(harness.step(FIRST), make_lease())
    before = harness.observe()
    harness.write_revision(SECOND, f"{_HEAD}    operations = [{REFUSED[kind]}]\n")

    with pytest.raises(AccordError):
        harness.store().apply(harness.step(SECOND), make_lease())

    assert harness.store().recorded().begun == {}
    assert harness.observe() == before


def lost(harness: SearchHarness) -> dict[str, int | None]:
    """Count what undoing both steps would drop."""
    steps = [harness.step(SECOND), harness.step(FIRST)]
    found = harness.store().losses(steps, Direction.REVERT)
    return {loss.what.replace(harness.prefix, ""): loss.count.number for loss in found}


def test_losses_are_what_a_run_made(harness: SearchHarness) -> None:
    """The copy of a Reindex and the index before it, with their documents; undone, nothing is left."""
    for name in (FIRST, SECOND):
        harness.store().apply(harness.step(name), make_lease())
        fill(harness, "d")

    assert lost(harness) == {"index d-0002": 3, "index d-0001": 3}
    for name in (SECOND, FIRST):
        harness.store().revert(harness.step(name), make_lease())
    assert not any(lost(harness).values())


@pytest.mark.parametrize("how", [Origin.APPLIED, Origin.ADOPTED])
def test_index_that_was_found_is_no_loss(harness: SearchHarness, how: Origin) -> None:
    """It stays with its documents: a run met it under that very name, or a baseline adopted it."""
    make_index(harness, "d-0001")
    if how is Origin.APPLIED:
        harness.store().apply(harness.step(FIRST), make_lease())
    else:
        harness.store().record(harness.step(FIRST), make_lease(), how)

    assert "index d-0001" not in lost(harness)
