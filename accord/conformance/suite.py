"""
The suite that every adapter passes: what the engine relies on, on the real server.

Derive from the classes, and give them a fixture `harness`.
"""

from __future__ import annotations

import pytest

from accord.conformance.crash import FENCE
from accord.conformance.harness import Harness, RevisionHarness
from accord.errors import AccordError, ChecksumMismatch, StaleFence, StepFailed
from accord.events import StepNoted
from accord.seam.stores import Explains, Probes, Records, Store, Unfinished
from accord.seam.types import Direction, Presence, Step
from accord.testing import RecordingReporter, make_lease


class StoreConformance:
    """What a store promises to the engine; each test has a harness of its own."""

    def test_store_has_the_shape_of_the_seam(self, harness: Harness) -> None:
        """An adapter is a store, and the engine finds its further powers."""
        store = harness.store()

        assert isinstance(store, Store)
        assert isinstance(store, Records)
        assert isinstance(store, Explains)
        assert isinstance(store, Probes)

    def test_ping_tells_kind_and_version(self, harness: Harness) -> None:
        """A server that answers says who it is."""
        info = harness.store().ping()

        assert info.kind
        assert info.version

    def test_virgin_server_has_nothing_applied_and_stays_untouched(self, harness: Harness) -> None:
        """Looking creates nothing."""
        before = harness.observe()

        assert not _applied_names(harness)
        assert harness.observe() == before
        assert not harness.ledger_entries()

    def test_steps_come_from_disk_with_their_dependencies(self, harness: Harness) -> None:
        """Each file is a step, and names what it needs."""
        steps = {step.key.name: step for step in harness.store().steps() if step.key.app == harness.app}

        assert set(harness.step_names) <= set(steps)
        first, second, third = (steps[name] for name in harness.step_names)
        assert first.key in second.dependencies
        assert second.key in third.dependencies
        assert first.source.path.exists() or first.source.content is not None

    def test_applied_step_is_in_the_ledger_with_checksum_run_and_fence(self, harness: Harness) -> None:
        """The ledger beside the data says what was applied, by whom, from which content."""
        step = harness.step(harness.step_names[0])
        before = harness.observe()

        harness.store().apply(step, make_lease(7, run_id="run-7"))

        entry = harness.store().applied()[step.key]
        assert (entry.checksum, entry.fingerprint) == (step.source.checksum, step.source.fingerprint)
        assert (entry.run_id, entry.fence) == ("run-7", 7)
        assert harness.observe() != before

    def test_applying_again_changes_nothing(self, harness: Harness) -> None:
        """A second apply finds the step done."""
        store = harness.store()
        apply_all(harness, store)
        before = harness.observe()

        outcomes = [
            harness.store().apply(harness.step(name), make_lease(FENCE)) for name in harness.step_names
        ]

        assert all(outcome.already for outcome in outcomes)
        assert harness.observe() == before

    def test_reverting_restores_what_stood_before(self, harness: Harness) -> None:
        """Each revert brings back the state before its step, and strikes the ledger."""
        store = harness.store()
        virgin = harness.observe()
        apply_all(harness, store, 1)
        after_first = harness.observe()
        store.apply(harness.step(harness.step_names[1]), make_lease(FENCE))

        store.revert(harness.step(harness.step_names[1]), make_lease(FENCE))
        middle = harness.observe()
        store.revert(harness.step(harness.step_names[0]), make_lease(FENCE))

        assert middle == after_first or harness.leaves_traces
        assert harness.observe() == virgin
        assert not _applied_names(harness)

    def test_reverting_again_changes_nothing(self, harness: Harness) -> None:
        """A second revert finds nothing to undo."""
        store = harness.store()
        apply_all(harness, store, 1)
        step = harness.step(harness.step_names[0])
        store.revert(step, make_lease(FENCE))
        before = harness.observe()

        outcome = harness.store().revert(step, make_lease(FENCE))

        assert outcome.already
        assert harness.observe() == before

    def test_applied_reverted_and_applied_again_is_the_same(self, harness: Harness) -> None:
        """Start, back, start again: the state of a first start."""
        store = harness.store()
        apply_all(harness, store, 2)
        once = harness.observe()
        for name in reversed(harness.step_names[:2]):
            store.revert(harness.step(name), make_lease(FENCE))

        apply_all(harness, harness.store(), 2)

        assert harness.observe() == once

    def test_stale_fence_can_change_nothing(self, harness: Harness) -> None:
        """A holder that was overtaken is refused by every way of writing."""
        first, second, _ = (harness.step(name) for name in harness.step_names)
        harness.store().apply(first, make_lease(9))
        before, ledger = harness.observe(), harness.ledger_entries()
        late, store = make_lease(8), harness.store()
        assert isinstance(store, Records)

        for write in (store.apply, store.record):
            with pytest.raises(StaleFence):
                write(second, late)
        for undo in (store.revert, store.forget):
            with pytest.raises(StaleFence):
                undo(first, late)

        assert harness.observe() == before
        assert harness.ledger_entries() == ledger

    def test_recording_and_forgetting_leave_the_data_alone(self, harness: Harness) -> None:
        """The ledger alone moves."""
        step = harness.step(harness.step_names[0])
        before = harness.observe()
        store = harness.store()
        assert isinstance(store, Records)

        store.record(step, make_lease(FENCE))
        recorded = _applied_names(harness)
        store.forget(step, make_lease(FENCE))

        assert recorded == {step.key.name}
        assert not _applied_names(harness)
        assert harness.observe() == before

    def test_comment_keeps_the_checksum_and_a_statement_changes_it(self, harness: Harness) -> None:
        """What the engine compares is the content, not its dress."""
        name = harness.step_names[0]
        before = harness.step(name).source.checksum

        harness.edit(name, comment_only=True)
        commented = harness.step(name).source.checksum
        harness.edit(name, comment_only=False)

        assert commented == before
        assert harness.step(name).source.checksum != before

    def test_object_with_another_definition_is_refused(self, harness: Harness) -> None:
        """What another user made stays as it is, and the step is not recorded."""
        harness.spoil()
        before = harness.observe()

        with pytest.raises(Exception) as caught:
            harness.store().apply(harness.step(harness.step_names[0]), make_lease(FENCE))

        assert not isinstance(caught.value, AssertionError)
        assert not _applied_names(harness)
        assert harness.observe() == before

    def test_explaining_changes_nothing(self, harness: Harness) -> None:
        """A dry run shows every step, both ways, and leaves the server alone."""
        before = harness.observe()
        steps = [harness.step(name) for name in harness.step_names]
        store = harness.store()
        assert isinstance(store, Explains)

        shown = list(store.explain(steps, Direction.APPLY))

        assert [step.key for step, _ in shown] == [step.key for step in steps]
        assert all(statements and all(item.text for item in statements) for _, statements in shown)
        assert harness.observe() == before
        assert not harness.ledger_entries()

    def test_probe_tells_absent_from_done(self, harness: Harness) -> None:
        """A baseline asks the server, not the ledger."""
        step = harness.step(harness.step_names[0])
        store = harness.store()
        assert isinstance(store, Probes)
        [before] = store.probe([step])
        store.apply(step, make_lease(FENCE))
        assert isinstance(store, Records)
        store.forget(step, make_lease(FENCE))

        [after] = harness.store().probe([step])  # type: ignore[attr-defined]  # every adapter probes: see above

        assert before.presence is Presence.ABSENT
        assert before.findings
        assert after.presence is Presence.DONE


HALF, STUCK = "0004_half", "0005_stuck"


class RevisionConformance:
    """What a store that is built on :mod:`accord.revisions` promises beyond: edited files, half ways."""

    def test_half_applied_revision_that_was_edited_is_refused(self, harness: RevisionHarness) -> None:
        """What is done must be what the file says; then the run goes on where it stopped."""
        step = _begin_half(harness)
        before, ledger = harness.observe(), harness.ledger_entries()

        harness.write_revision(HALF, harness.half.edited)
        for way in ("apply", "revert"):
            with pytest.raises(ChecksumMismatch, match="edited after 1 of its operations"):
                getattr(harness.store(), way)(harness.step(HALF), make_lease(FENCE))

        assert (harness.observe(), harness.ledger_entries()) == (before, ledger)
        assert step.key not in harness.store().applied()

    def test_operation_that_was_never_done_may_be_mended(self, harness: RevisionHarness) -> None:
        """The run says that it goes on, and ends as one that never stopped."""
        _begin_half(harness)
        reporter = RecordingReporter()
        harness.write_revision(HALF, harness.half.mended)

        harness.store().apply(harness.step(HALF), make_lease(FENCE), reporter)
        continued = harness.observe()
        harness.store().revert(harness.step(HALF), make_lease(FENCE))
        harness.store().apply(harness.step(HALF), make_lease(FENCE))

        notes = [event.note for event in reporter.of(StepNoted)]
        assert "Continues an interrupted run: 1 of 2 operations are done." in notes
        assert harness.observe() == continued

    def test_half_applied_revision_can_be_reverted(self, harness: RevisionHarness) -> None:
        """What is done is undone, and nothing is on record afterwards."""
        virgin = harness.observe()
        step = _begin_half(harness)

        harness.store().revert(step, make_lease(FENCE))

        assert harness.observe() == virgin
        assert HALF not in str(list(harness.ledger_entries()))

    def test_half_reverted_revision_that_was_edited_is_refused(self, harness: RevisionHarness) -> None:
        """It counts as half reverted, and another file neither completes the revert nor applies again."""
        step = _stop_reverting(harness)
        before = harness.observe()

        harness.write_revision(STUCK, harness.stuck.edited)
        for way in ("revert", "apply"):
            with pytest.raises(ChecksumMismatch, match="edited after"):
                getattr(harness.store(), way)(harness.step(STUCK), make_lease(FENCE))

        assert harness.store().applied()[step.key].reverting
        assert harness.observe() == before

    def test_interrupted_revert_is_completed_before_applying_again(self, harness: RevisionHarness) -> None:
        """Forward after half a way back ends where a first apply does; so does the rest of the way back."""
        virgin = harness.observe()
        _stop_reverting(harness)
        harness.write_revision(STUCK, harness.stuck.mended)

        harness.store().apply(harness.step(STUCK), make_lease(FENCE))
        again = harness.observe()
        harness.store().revert(harness.step(STUCK), make_lease(FENCE))
        empty = harness.observe()
        harness.store().apply(harness.step(STUCK), make_lease(FENCE))

        assert again == harness.observe() != empty
        assert empty == virgin

    def test_unfinished_steps_are_named(self, harness: RevisionHarness) -> None:
        """A step that is half applied or half reverted is named by the ledger, and no other."""
        harness.store().apply(harness.step(harness.step_names[0]), make_lease(FENCE))
        half, stuck = _begin_half(harness), _stop_reverting(harness)
        store = harness.store()
        assert isinstance(store, Unfinished)

        assert {key for key in store.recorded().begun if key.app == harness.app} == {half.key, stuck.key}


def _begin_half(harness: RevisionHarness) -> Step:
    harness.write_revision(HALF, harness.half.begun)
    with pytest.raises(AccordError) as caught:
        harness.store().apply(harness.step(HALF), make_lease(FENCE))
    assert not isinstance(caught.value, ChecksumMismatch)
    return harness.step(HALF)


def _stop_reverting(harness: RevisionHarness) -> Step:
    harness.write_revision(STUCK, harness.stuck.begun)
    step = harness.step(STUCK)
    harness.store().apply(step, make_lease(FENCE))
    with pytest.raises(StepFailed):
        harness.store().revert(step, make_lease(FENCE))
    assert harness.store().applied()[step.key].reverting
    return step


def apply_all(harness: Harness, store: Store, count: int = 3) -> None:
    """Apply the first steps of a harness in their order."""
    for name in harness.step_names[:count]:
        store.apply(harness.step(name), make_lease(FENCE))


def _applied_names(harness: Harness) -> set[str]:
    return {key.name for key in harness.store().applied() if key.app == harness.app}
