"""How far a step is, in the journal that pages of runs show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accord.events import Reporter, StepNoted, StepProgressed
from accord.seam.types import Lease, Step, StepOutcome
from accord.testing import MemoryStore, make_step
from migrator.engine.request import Request
from tests.fix_trail import Trail
from tests.integration.engine.test_exits import journal, migrations

pytestmark = pytest.mark.integration
__all__ = ["journal"]
STEP = make_step("mem:shop.0001_a")
DETAIL = "SELECT detail, outcome FROM migrator_steprun"


class Long(MemoryStore):
    """
    A store whose step takes its time.

    Args:
        goes_on: What it does, given whom to tell.
    """

    def __init__(self, goes_on: Callable[[Reporter], None]) -> None:
        super().__init__("mem", [STEP])
        self._goes_on = goes_on

    def apply(self, step: Step, lease: Lease, report: Reporter | None = None) -> StepOutcome:
        assert report is not None
        self._goes_on(report)
        return super().apply(step, lease)


def progressed(done: int, total: int | None) -> StepProgressed:
    return StepProgressed(key=str(STEP.key), done=done, total=total)


def test_how_far_a_step_is_stands_in_the_journal_while_it_goes_on(journal: Trail) -> None:
    """In one line, at most ten times; beside what else was told, and no more once it is done."""
    seen: list[object] = []

    def goes_on(report: Reporter) -> None:
        report(StepNoted(key=str(STEP.key), note="slow disks"))
        for done in (0, 30_000, 30_001, 39_999, 55_000):
            report(progressed(done, 100_000))
            seen.append(journal.rows(DETAIL)[0][0])
        report(progressed(60_000, None))
        seen.append(journal.rows(DETAIL)[0][0])

    report = migrations(Long(goes_on)).run(Request())

    assert report.error is None
    third, half = ("slow disks\nso far 30,000 of 100,000", "slow disks\nso far 55,000 of 100,000")
    assert seen == ["", third, third, third, half, half]
    assert journal.rows(DETAIL) == [("slow disks", "succeeded")]


def test_step_that_fails_leaves_how_far_it_was(journal: Trail) -> None:
    """Whoever looks after it wants to know."""

    def goes_on(report: Reporter) -> None:
        report(progressed(70, 100))
        raise ValueError("no more")

    migrations(Long(goes_on)).run(Request())

    assert journal.rows(DETAIL) == [("so far 70 of 100", "failed")]
