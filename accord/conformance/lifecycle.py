"""What becomes of a step from its begin to its end, and which words its ledger has for it meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accord.conformance.crash import FENCE
from accord.conformance.harness import Harness, RevisionHarness
from accord.conformance.suite import HALF, apply_all
from accord.errors import AccordError
from accord.seam.describing import Describes
from accord.seam.foretelling import Foretells, refused
from accord.seam.losses import CountsLosses
from accord.seam.stores import Probes, Records, read_ledger
from accord.seam.types import Direction, Lease, Origin, Presence, Probe, Source, Step
from accord.testing import make_lease


class LifecycleConformance:
    """What every adapter promises; each test has a harness of its own."""

    def test_ledger_tells_how_a_step_came_there(self, harness: Harness) -> None:
        """What a run did, what a baseline found and what a person said are three things."""
        found = {}
        for how, name in zip(Origin, harness.step_names, strict=True):
            store, step = harness.store(), harness.step(name)
            assert isinstance(store, Records)
            if how is Origin.APPLIED:
                store.apply(step, make_lease(FENCE))
            else:
                store.record(step, make_lease(FENCE), how)
            found[how] = read_ledger(harness.store()).applied[step.key].how

        assert found == {how: how for how in Origin}
        assert not [key for key in read_ledger(harness.store()).begun if key.app == harness.app]

    def test_step_whose_file_is_gone_can_be_forgotten(self, harness: Harness) -> None:
        """The ledger's line goes, and everything else stays as it is."""
        step = harness.step(harness.step_names[0])
        harness.store().apply(step, make_lease(FENCE))
        before = harness.observe()
        for name in reversed(harness.step_names):
            harness.remove(name)

        store = harness.store()
        assert isinstance(store, Records)
        store.forget(replace(step, source=Source(Path("gone"), b"")), make_lease(FENCE))

        assert step.key not in harness.store().applied()
        assert harness.observe() == before

    def test_refused_step_is_pending(self, harness: Harness) -> None:
        """What was there under its name stopped it: it is neither applied nor begun, also at another try."""
        harness.spoil()
        before = harness.observe()

        for _ in range(2):
            with pytest.raises(AccordError):
                harness.store().apply(harness.step(harness.step_names[0]), make_lease(FENCE))

        ledger = read_ledger(harness.store())
        assert not [key for key in (*ledger.applied, *ledger.begun) if key.app == harness.app]
        assert harness.observe() == before

    def test_store_that_forgot_everything_is_filled_again(self, harness: Harness) -> None:
        """A rebuild: with ledger and objects gone, the same steps in the same order end where they did."""
        names = harness.step_names[:2]
        apply_all(harness, harness.store(), len(names))
        whole = harness.observe()
        for name in reversed(names):
            harness.store().revert(harness.step(name), make_lease(FENCE))
        # Lines that say nothing true any more, as after a restore.
        for name in names:
            harness.store().record(harness.step(name), make_lease(FENCE), Origin.RECORDED)  # type: ignore[attr-defined]  # every adapter records
        for name in reversed(names):
            harness.store().forget(harness.step(name), make_lease(FENCE))  # type: ignore[attr-defined]  # as above

        apply_all(harness, harness.store(), len(names))

        assert harness.observe() == whole

    def test_killed_step_is_undone_or_goes_on(self, harness: Harness) -> None:
        """
        Wherever the process dies, what stands is on record: the step goes on, or is undone so far.

        The holder of the lease dies when it looks at it for the first time, for the second, and so on.
        """
        step, virgin = harness.step(harness.step_names[0]), harness.observe()
        harness.store().apply(step, make_lease(FENCE))
        whole = harness.observe()
        harness.store().revert(step, make_lease(FENCE))

        for moment in range(_MOST_LOOKS):
            if not _killed(harness, step, moment):
                break
            ledger = read_ledger(harness.store())
            assert step.key not in ledger.applied
            assert step.key in ledger.begun or harness.observe() == virgin
            harness.store().apply(step, make_lease(FENCE))
            assert harness.observe() == whole
            harness.store().revert(step, make_lease(FENCE))
            assert _killed(harness, step, moment)
            harness.store().revert(step, make_lease(FENCE))
            assert harness.observe() == virgin
            assert not [key for key in read_ledger(harness.store()).begun if key == step.key]

        assert moment
        harness.store().revert(step, make_lease(FENCE))

    def test_begun_step_can_be_forgotten(self, harness: Harness) -> None:
        """Its line goes, whatever of it stands stays; a step that was never begun is no error."""
        step = harness.step(harness.step_names[0])
        for moment in range(_MOST_LOOKS):
            if not _killed(harness, step, moment) or step.key in read_ledger(harness.store()).begun:
                break
        left = harness.observe()

        store = harness.store()
        assert isinstance(store, Records)
        store.forget(step, make_lease(FENCE))

        ledger = read_ledger(harness.store())
        assert step.key not in {*ledger.begun, *ledger.applied}
        assert harness.observe() == left


class ForetellingConformance:
    """What a store promises that is asked what stands, what would become of a step, and what would go."""

    def test_foretelling_changes_nothing_and_alarms_nobody(self, harness: Harness) -> None:
        """Steps that a run would apply are not foretold to fail, before the first one and after it."""
        for applied, name in enumerate(harness.step_names[:2]):
            store, before = harness.store(), harness.observe()
            steps = [harness.step(later) for later in harness.step_names[applied:]]
            assert isinstance(store, Foretells)

            found = list(store.foretell(steps, Direction.APPLY))

            assert not refused(found)
            assert {item.key for item in found} <= {step.key for step in steps}
            assert harness.observe() == before
            harness.store().apply(harness.step(name), make_lease(FENCE))

    def test_nothing_stands_where_nothing_was_ever_made(self, harness: Harness) -> None:
        """A step that only takes something away is done on an empty server, too: that is no sign of life."""
        steps = [harness.step(name) for name in harness.step_names]
        store = harness.store()
        assert isinstance(store, Probes)

        empty = [probe for probe in store.probe(steps) if _stands(probe)]
        apply_all(harness, store)

        assert empty == []
        assert any(_stands(probe) for probe in harness.store().probe(steps))  # type: ignore[attr-defined]  # as above

    def test_losses_are_told_with_numbers_and_nothing_is_lost_by_that(self, harness: Harness) -> None:
        """What two steps made and filled; once they are undone, nothing is left that could go."""
        store, names = harness.store(), harness.step_names[:2]
        assert isinstance(store, CountsLosses)
        apply_all(harness, store, len(names))
        steps, before = [harness.step(name) for name in reversed(names)], harness.observe()

        found = [loss for loss in harness.store().losses(steps, Direction.REVERT) if loss.may_hold_data]  # type: ignore[attr-defined]  # as above

        assert found
        assert {loss.key for loss in found} <= {step.key for step in steps}
        assert harness.observe() == before
        for step in steps:
            harness.store().revert(step, make_lease(FENCE))
        assert not [one for one in harness.store().losses(steps, Direction.REVERT) if one.may_hold_data]  # type: ignore[attr-defined]  # as above


class DescribingConformance:
    """What a store promises that describes what stands in it."""

    def test_description_is_that_of_the_schema_and_not_of_its_history(self, harness: Harness) -> None:
        """Down and up gives the same text, each step another one, and looking changes nothing."""
        names, seen = harness.step_names[:2], [_described(harness)]
        for name in names:
            harness.store().apply(harness.step(name), make_lease(FENCE))
            seen.append(_described(harness))
        for name in reversed(names):
            harness.store().revert(harness.step(name), make_lease(FENCE))
        apply_all(harness, harness.store(), len(names))
        before = harness.observe()

        again = _described(harness)

        assert len(set(seen)) == len(seen)
        assert again == seen[-1]
        assert harness.observe() == before

    def test_recorded_step_changes_no_description(self, harness: Harness) -> None:
        """What the suite keeps for itself is in none."""
        before = _described(harness)
        store = harness.store()
        assert isinstance(store, Records)

        store.record(harness.step(harness.step_names[0]), make_lease(FENCE))

        assert _described(harness) == before


def _described(harness: Harness) -> str:
    store = harness.store()
    assert isinstance(store, Describes)
    found = store.describe()
    assert found is not None
    return found.text


def _stands(probe: Probe) -> bool:
    sure = probe.presence not in (Presence.ABSENT, Presence.UNKNOWN)
    return sure if probe.stands is None else probe.stands


class AdoptionConformance:
    """What every adapter promises of what a baseline found, or a person said."""

    @pytest.mark.parametrize("how", [Origin.ADOPTED, Origin.RECORDED])
    def test_found_step_is_reverted_without_touching_anything(self, harness: Harness, how: Origin) -> None:
        """It was never ours: nothing is sent, nothing foretold, nothing counted, and the outcome says so."""
        step = harness.step(harness.step_names[0])
        harness.store().apply(step, make_lease(FENCE))
        harness.store().forget(step, make_lease(FENCE))  # type: ignore[attr-defined]  # every adapter records
        harness.store().record(step, make_lease(FENCE), how)  # type: ignore[attr-defined]  # as above
        before = harness.observe()
        store = harness.store()
        if isinstance(store, CountsLosses):
            assert list(store.losses([step], Direction.REVERT)) == []
        if isinstance(store, Foretells):
            assert list(store.foretell([step], Direction.REVERT)) == []

        [(_, shown)] = harness.store().explain([step], Direction.REVERT)  # type: ignore[attr-defined]  # as above
        outcome = harness.store().revert(step, make_lease(FENCE))

        assert [statement.opaque for statement in shown] == [True]
        assert outcome.detail.startswith("left, because it was found there:")
        assert harness.observe() == before
        assert step.key not in harness.store().applied()


class RevisionLifecycleConformance:
    """What a store that is built on :mod:`accord.revisions` promises beyond: refused, killed, adopted."""

    def test_refused_first_operation_leaves_a_pending_step(self, harness: RevisionHarness) -> None:
        """It changed nothing, so nothing is on record of it, also when it is tried again."""
        virgin = harness.observe()
        harness.write_revision(HALF, harness.refused)

        for _ in range(2):
            with pytest.raises(AccordError):
                harness.store().apply(harness.step(HALF), make_lease(FENCE))

        assert HALF not in str(list(harness.ledger_entries()))
        assert harness.observe() == virgin

    @pytest.mark.parametrize("moment", [3, 4])
    def test_killed_step_can_be_reverted_or_forgotten(self, harness: RevisionHarness, moment: int) -> None:
        """Wherever the process dies, the step is begun, and is undone as far as it went."""
        virgin = harness.observe()
        harness.write_revision(HALF, harness.half.mended)
        step = harness.step(HALF)
        with pytest.raises(Killed):
            harness.store().apply(step, _dying(moment))

        begun = harness.store().recorded().begun  # type: ignore[attr-defined]  # see test_unfinished_steps_are_named
        harness.store().revert(step, make_lease(FENCE))
        undone = harness.observe()
        with pytest.raises(Killed):
            harness.store().apply(step, _dying(moment))
        left = harness.observe()
        harness.store().forget(step, make_lease(FENCE))  # type: ignore[attr-defined]  # every adapter records

        assert begun[step.key].direction is Direction.APPLY
        assert undone == virgin
        assert harness.observe() == left
        assert HALF not in str(list(harness.ledger_entries()))


_MOST_LOOKS = 40


def _killed(harness: Harness, step: Step, moment: int) -> bool:
    """Apply a step until its holder dies; tell whether it did, or the step was done before."""
    try:
        harness.store().apply(step, _dying(moment))
    except Killed:
        return True
    return False


class Killed(BaseException):
    """The end of a process, for code that must not hear of it."""


def _dying(moment: int) -> Lease:
    """Return a lease whose holder dies when it looks at it for the n-th time."""
    left = iter(range(moment))

    def guard() -> None:
        if next(left, None) is None:
            raise Killed

    return replace(make_lease(FENCE), guard=guard)
