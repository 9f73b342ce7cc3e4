from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from accord.errors import ChecksumMismatch, InconsistentLedger
from accord.seam.types import AppliedStep, Step, StepKey
from accord.testing import make_step
from migrator.engine.drift import Drift, find_drift
from migrator.engine.forgetting import plan_forgetting
from migrator.engine.graph import build_graph
from migrator.engine.plan import Target, plan_revert
from migrator.engine.situation import Situation
from migrator.errors import LedgerOrphan

A1, A2 = "pg:music.0001_a", "pg:music.0002_b"


def ledger(*steps: Step) -> Mapping[StepKey, AppliedStep]:
    return {
        step.key: AppliedStep(
            key=step.key, checksum=step.source.checksum, fingerprint=step.source.fingerprint
        )
        for step in steps
    }


def drift(steps: Sequence[Step], applied: Mapping[StepKey, AppliedStep]) -> Sequence[Drift]:
    return find_drift(build_graph(steps, applied), steps, applied)


def test_untouched_files_show_no_drift() -> None:
    """The same files and ledger agree."""
    steps = [make_step(A1), make_step(A2, A1)]

    assert not drift(steps, ledger(*steps))


def test_edited_step_is_drift() -> None:
    """Another statement in an applied file is found."""
    before, after = make_step(A1, text="x = 1"), make_step(A1, text="x = 2")

    [found] = drift([after], ledger(before))

    assert isinstance(found.error, ChecksumMismatch)
    assert not found.tolerable


def test_file_of_a_half_reverted_step_may_be_mended() -> None:
    """A revert that failed in the middle can only go on with another file."""
    before, after = make_step(A1, text="x = 1"), make_step(A1, text="x = 2")
    half = {key: replace(entry, reverting=True) for key, entry in ledger(before).items()}

    assert not drift([after], half)


def test_half_reverted_step_is_pending_and_still_to_be_undone() -> None:
    """A run forward has to make it whole, and a revert has to undo the rest."""
    steps = (make_step(A1), make_step(A2, A1))
    whole, half = ledger(*steps).values()
    applied = {whole.key: whole, half.key: replace(half, reverting=True)}

    situation = Situation(steps=steps, applied=applied, graph=build_graph(steps, applied))

    assert situation.half_reverted == {half.key}
    assert situation.done == {whole.key}
    assert situation.standing == {whole.key, half.key}


def test_comment_in_an_applied_step_is_no_drift() -> None:
    """Comments, docstrings, formatting and import order don't count."""
    before = make_step(A1, text="import os\nimport sys\nx = [1, 2]\n")
    after = make_step(A1, text='"""Why."""\nimport sys\nimport os\n\n# how\nx = [\n    1,\n    2,\n]\n')

    assert not drift([after], ledger(before))


def test_edit_by_an_upgraded_package_is_tolerable() -> None:
    """Nobody in the project can restore what a package's new version changed."""
    before, after = make_step(A1, text="x = 1"), make_step(A1, text="x = 2")

    [found] = drift([replace(after, third_party=True)], ledger(before))

    assert found.tolerable


def test_entry_without_file_is_an_orphan() -> None:
    """An applied step whose file is gone is named with the way out."""
    gone = make_step(A2)

    [found] = drift([make_step(A1)], ledger(make_step(A1), gone))

    assert isinstance(found.error, LedgerOrphan)
    assert A2 in found.error.hint


def test_app_that_is_not_installed_is_told_once_and_stops_nothing() -> None:
    """Django's `migrate` goes on there; a lost file beside it stops a run as ever."""
    lost, old, older = make_step(A2), make_step("pg:gone.0002_b"), make_step("pg:gone.0001_a")
    absent = {step.key: "is not installed here" for step in (old, older)}
    applied = ledger(make_step(A1), lost, old, older)
    steps = [make_step(A1)]

    lost_file, gone_app = find_drift(build_graph(steps, applied), steps, applied, absent=absent)

    assert (lost_file.key, lost_file.tolerable) == (lost.key, False)
    assert (gone_app.key, gone_app.tolerable) == (old.key, True)
    assert gone_app.error.message == (
        "The ledger of “pg” holds 2 steps of “gone”, which is not installed here."
    )
    situation = Situation(
        steps=tuple(steps), applied=ledger(make_step(A1), old, older), graph=build_graph(steps, applied),
        absent=absent,
    )  # fmt: skip
    situation.refuse_drift()
    forgets = plan_forgetting("pg:gone", situation)
    assert [step.key for step in forgets.steps] == [old.key, older.key]


def test_row_of_a_gone_app_that_another_tool_wrote_is_not_told() -> None:
    """Django wrote it, and Django doesn't mind it either."""
    key = StepKey.parse("pg:gone.0001_a")
    steps = [make_step(A1)]
    applied = {key: AppliedStep(key=key)}

    assert not find_drift(build_graph(steps, applied), steps, applied, absent={key: "is not installed here"})


def test_entry_of_another_tool_without_file_is_no_orphan() -> None:
    """Rows that Django wrote for an app that was uninstalled are left in peace."""
    key = StepKey.parse(A2)

    assert not drift([make_step(A1)], {key: AppliedStep(key=key)})


def test_step_applied_before_what_it_needs_is_inconsistent() -> None:
    """A store that lost its ledger is noticed by the others."""
    steps = [make_step(A1), make_step("mongo:music.0001_m", A1)]

    [found] = drift(steps, ledger(steps[1]))

    assert isinstance(found.error, InconsistentLedger)
    assert A1 in found.error.message


def test_replaced_steps_stand_for_the_squashed_one() -> None:
    """A history that applied both replaced steps agrees with the squashed file."""
    old = [make_step(A1), make_step(A2, A1)]
    squashed = make_step("pg:music.0001_squashed", replaces=[A1, A2])
    later = make_step("pg:music.0003_d", "pg:music.0001_squashed")

    assert not drift([squashed, later], ledger(*old, later))


def squashed(*applied: str) -> Situation:
    steps = (
        make_step(A1),
        make_step(A2, A1),
        make_step("pg:music.0001_squashed", replaces=[A1, A2]),
        make_step("pg:music.0003_d", "pg:music.0001_squashed"),
    )
    rows = {StepKey.parse(name): AppliedStep(key=StepKey.parse(name)) for name in applied}
    return Situation(steps=steps, applied=rows, graph=build_graph(steps, rows))


def test_row_of_a_squashed_step_counts_with_all_of_its_parts_alone() -> None:
    """Django leaves that row behind when a part is undone."""
    situation = squashed(A1, "pg:music.0001_squashed")

    assert situation.done == {StepKey.parse(A1)}
    assert StepKey.parse(A2) in situation.graph


def test_way_back_leads_into_a_squashed_step() -> None:
    """As `migrate music 0001_a` does: the parts stand for the squashed step, and what needs it goes first."""
    situation = squashed(A1, A2, "pg:music.0001_squashed", "pg:music.0003_d")
    target = Target(to=A1)

    plan = plan_revert(situation.graph_back(A1, target), situation.standing, target)

    assert [str(step.key) for step in plan.steps] == ["pg:music.0003_d", A2]


def test_way_back_past_a_squashed_step_takes_it_whole() -> None:
    """Where the graph has what is named, nothing is taken apart; what nothing has is unknown as ever."""
    situation = squashed(A1, A2, "pg:music.0001_squashed", "pg:music.0003_d")

    for text in ("pg:music.0003", "zero", "", "pg:music.0009"):
        assert situation.graph_back(text, Target(to=text)) is situation.graph
