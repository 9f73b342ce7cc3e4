"""Entries that earlier versions wrote are read, whatever state they are in."""

from __future__ import annotations

from typing import Any

import pytest

from accord.errors import ChecksumMismatch, IrreversibleStep, LedgerNotUnderstood
from accord.seam.types import Step
from accord.testing import make_lease
from tests.conformance.harness_search import SearchHarness
from tests.fix_search import MakeHarness

pytestmark = pytest.mark.integration

TEXT = """import searchindex as search


class Migration(search.Migration):
    operations = [search.CreateIndex("tracks"), search.PutSettings("tracks", {"refresh_interval": "9s"})]
"""
BEFORE = {"0": {"title": "create index tracks", "there": False}}


@pytest.fixture
def harness(make_search_harness: MakeHarness, opensearch_url: str) -> SearchHarness:
    return make_search_harness(opensearch_url, {"0001_tracks": TEXT})


def plant(harness: SearchHarness, step: Step, **entry: Any) -> None:
    """Write the ledger as an earlier version did: no digests, no counts."""
    usual = {
        "state": "applying",
        "checksum": step.source.checksum,
        "fingerprint": step.source.fingerprint,
        "run_id": "run-1",
        "fence": 1,
        "applied_at": "",
        "operations_done": 1,
        "saved": BEFORE,
    }
    name = f"{harness.prefix}accord-ledger"
    entries = {f"{step.key.app}.{step.key.name}": {**usual, **entry}}
    if not harness.ledger():
        index = {"aliases": {name: {"is_hidden": True}}, "mappings": {"dynamic": False}}
        harness.ask("PUT", f"/{name}-1", index)
    body = {"fence": 1, "nonce": "x", "entries": entries}
    harness.ask("PUT", f"/{name}/_doc/ledger?refresh", body)


def make_index(harness: SearchHarness) -> None:
    """Make what the first operation makes."""
    body = {"aliases": {f"{harness.prefix}tracks": {"is_write_index": True}}}
    harness.ask("PUT", f"/{harness.prefix}tracks-0001", body)


def interval(harness: SearchHarness) -> Any:
    """Read what the second operation sets."""
    found = harness.observe()["indexes"][f"{harness.prefix}tracks-0001"]  # type: ignore[index]  # a mapping
    return found["settings"].get("index.refresh_interval")


def test_half_applied_entry_goes_on(harness: SearchHarness) -> None:
    """The same file as then: what is done is not done again, and the rest follows."""
    step = harness.step("0001_tracks")
    plant(harness, step)
    make_index(harness)

    harness.store().apply(step, make_lease())

    assert interval(harness) == "9s"
    assert harness.store().applied()[step.key].applied_at is not None


@pytest.mark.parametrize("way", ["apply", "revert"])
def test_half_applied_entry_of_another_file_is_refused(harness: SearchHarness, way: str) -> None:
    """Without digests nobody knows which operation was edited, so none is taken for untouched."""
    step = harness.step("0001_tracks")
    plant(harness, step, checksum="1:another", fingerprint="another")
    make_index(harness)
    before = harness.observe(), harness.ledger()

    with pytest.raises(ChecksumMismatch):
        getattr(harness.store(), way)(step, make_lease())

    assert (harness.observe(), harness.ledger()) == before


def test_file_may_change_as_long_as_nothing_is_done(harness: SearchHarness) -> None:
    """A step that stopped at its first operation has nothing that could be another one now."""
    step = harness.step("0001_tracks")
    plant(harness, step, checksum="1:another", operations_done=0, saved={})

    harness.store().apply(step, make_lease())

    assert interval(harness) == "9s"


def test_applied_entry_is_undone_with_what_it_kept(harness: SearchHarness) -> None:
    """Its facts are those of today; where it kept none, nothing is touched."""
    step = harness.step("0001_tracks")
    make_index(harness)
    applied = {"state": "applied", "operations_done": 2, "applied_at": "2026-01-01T00:00:00+00:00"}
    plant(harness, step, **applied)
    with pytest.raises(IrreversibleStep, match="only recorded"):
        harness.store().revert(step, make_lease())
    kept = {**BEFORE, "1": {"title": "put settings tracks", "before": {"index.refresh_interval": None}}}
    plant(harness, step, **applied, saved=kept)

    harness.store().revert(step, make_lease())

    assert harness.observe() == {"indexes": {}, "documents": {}, "templates": {}}
    assert harness.ledger_entries() == {}


@pytest.mark.parametrize(
    "entry", [{"state": "dreaming"}, {"how": "dreamt"}, {"colour": "red"}, {"applied_at": "yesterday"}]
)
def test_entry_that_no_version_wrote_is_told(harness: SearchHarness, entry: dict[str, str]) -> None:
    """What can't be read is no empty ledger."""
    plant(harness, harness.step("0001_tracks"), **entry)

    with pytest.raises(LedgerNotUnderstood):
        harness.store().applied()
