"""What a store promises that keeps marks about itself: one writer wins, an overtaken one writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from accord import db
from accord.conformance.harness import Harness, MarksHarness
from accord.errors import StaleFence
from accord.seam.marks import LONGEST_NAME, KeepsMarks, MarkChanged, MarkNotUnderstood
from accord.seam.traces import LeavesTraces
from accord.testing import make_lease

NAME = "place"
RIVALS = 4


class MarksConformance:
    """What a store promises about its marks; each test has a harness of its own."""

    def test_reading_where_nothing_is_kept_creates_nothing(self, harness: MarksHarness) -> None:
        """A virgin server has no mark, and has none of ours afterwards."""
        store = marked(harness)
        before = traces(harness)

        assert store.takes_marks()
        assert store.read_mark(NAME) is None
        assert traces(harness) == before

    def test_mark_is_kept_in_the_store_beside_its_ledger(self, harness: MarksHarness) -> None:
        """Another process reads it, in whatever letters; steps and their records know nothing of it."""
        virgin, step = harness.observe(), harness.step(harness.step_names[0])
        value, longest = "é \"{}' % \\ :name\n→", "n" * LONGEST_NAME

        marked(harness).write_mark(NAME, value, make_lease(5), expected=None)
        marked(harness).write_mark(longest, "", make_lease(5), expected=None)

        assert (marked(harness).read_mark(NAME), marked(harness).read_mark(longest)) == (value, "")
        assert harness.observe() == virgin
        assert step.key not in harness.store().applied()
        harness.store().apply(step, make_lease(5))
        assert marked(harness).read_mark(NAME) == value
        assert step.key in harness.store().applied()

    def test_writer_who_expects_another_value_is_refused(self, harness: MarksHarness) -> None:
        """Of two who read the same, the second is refused, and reads again."""
        first, second = marked(harness), marked(harness)
        first.write_mark(NAME, "a", make_lease(5), expected=None)

        for expected in (None, "b"):
            with pytest.raises(MarkChanged):
                second.write_mark(NAME, "c", make_lease(5), expected=expected)
        assert first.read_mark(NAME) == "a"

        second.write_mark(NAME, "c", make_lease(5), expected="a")
        assert first.read_mark(NAME) == "c"
        with pytest.raises(MarkChanged):
            first.write_mark("another", "x", make_lease(5), expected="never there")
        assert first.read_mark("another") is None

    def test_of_rivals_at_the_same_moment_one_wins(self, harness: MarksHarness) -> None:
        """What stands is what the one wrote that was not refused; also where a mark stood before."""
        marked(harness).write_mark("older", "before", make_lease(5), expected=None)

        for name, expected in ((NAME, None), ("older", "before")):
            winners = _race(harness, name, expected)
            assert winners == [marked(harness).read_mark(name)]

    def test_writing_the_same_again_is_no_conflict(self, harness: MarksHarness) -> None:
        """A writer whose answer was lost, or who was killed after the write, says it again."""
        store = marked(harness)
        for _ in range(2):
            store.write_mark(NAME, "a", make_lease(5), expected=None)

        assert store.read_mark(NAME) == "a"

    def test_overtaken_holder_marks_nothing(self, harness: MarksHarness) -> None:
        """Once a later run has written, a step or a mark, an earlier one is refused everywhere."""
        step = harness.step(harness.step_names[0])
        harness.store().apply(step, make_lease(7))
        with pytest.raises(StaleFence):
            marked(harness).write_mark(NAME, "late", make_lease(6), expected=None)
        assert marked(harness).read_mark(NAME) is None

        marked(harness).write_mark(NAME, "new", make_lease(9), expected=None)
        with pytest.raises(StaleFence):
            marked(harness).write_mark(NAME, "late", make_lease(8), expected="new")
        with pytest.raises(StaleFence):
            harness.store().revert(step, make_lease(8))

        assert marked(harness).read_mark(NAME) == "new"
        assert step.key in harness.store().applied()

    def test_mark_of_an_unknown_form_stops(self, harness: MarksHarness) -> None:
        """It is neither guessed at nor written over, nor taken for none; its sibling is read."""
        for name in (NAME, "sibling"):
            marked(harness).write_mark(name, "a", make_lease(5), expected=None)

        harness.rewrite_mark(NAME, 99)

        with pytest.raises(MarkNotUnderstood, match=f"“{NAME}”.*form 99"):
            marked(harness).read_mark(NAME)
        for expected in (None, "a"):
            with pytest.raises(MarkNotUnderstood):
                marked(harness).write_mark(NAME, "b", make_lease(5), expected=expected)
        assert marked(harness).read_mark("sibling") == "a"
        harness.rewrite_mark(NAME, 1)
        assert marked(harness).read_mark(NAME) == "a"


class MarksLeaveConformance:
    """What a store that the suite can be taken out of promises about its marks."""

    def test_marks_go_with_the_ledger(self, harness: MarksHarness) -> None:
        """Nothing is left of them."""
        store = harness.store()
        assert isinstance(store, LeavesTraces)
        marked(harness).write_mark(NAME, "a", make_lease(5), expected=None)
        assert store.traces()

        store.take_out(make_lease(6), evidence=True)

        assert marked(harness).read_mark(NAME) is None
        assert not traces(harness)


def marked(harness: Harness) -> KeepsMarks:
    """Return a new store, as another process would have it, as one that keeps marks."""
    store = harness.store()
    assert isinstance(store, KeepsMarks)
    return store


def traces(harness: Harness) -> Sequence[str]:
    """Return what the suite keeps on the server, as far as the store can tell."""
    store = harness.store()
    return [trace.what for trace in store.traces()] if isinstance(store, LeavesTraces) else []


def _race(harness: Harness, name: str, expected: str | None) -> Sequence[str]:
    """Let rivals write a mark at the same moment; return what those wrote that were not refused."""
    stores = [marked(harness) for _ in range(RIVALS)]
    start = Barrier(RIVALS)

    def write(number: int) -> str | None:
        start.wait()
        try:
            stores[number].write_mark(name, f"of {number}", make_lease(5), expected=expected)
        except MarkChanged:
            return None
        finally:
            db.close_own()
        return f"of {number}"

    with ThreadPoolExecutor(RIVALS) as pool:
        return [value for value in pool.map(write, range(RIVALS)) if value is not None]
