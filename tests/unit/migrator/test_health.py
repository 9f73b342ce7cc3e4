"""The lease's row, judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from accord import process
from accord.health.runner import Level
from accord.lease import LeaseRow
from accord.seam.registry import Registry
from accord.seam.types import Origin
from accord.testing import MemoryStore, make_lease, make_step
from migrator.engine.situation import read_situation
from migrator.health_checks import LONG_RUN, judge_lease, recorded_on_word

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(*, held: bool = True, age: float = 1.0) -> LeaseRow:
    """Make the row of a lease that this process holds."""
    return LeaseRow(
        fence=1,
        owner=process.identity(),
        run_id="run",
        acquired_at=NOW,
        expires_at=NOW,
        held=held,
        age=age,
    )


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (None, Level.OK),
        (row(held=False, age=LONG_RUN * 9), Level.OK),
        (row(), Level.OK),
        (row(age=LONG_RUN), Level.WARN),
    ],
)
def test_lease_is_worth_a_look_once_it_is_held_for_long(found: LeaseRow | None, level: Level) -> None:
    """A free lease is fine however old its row is."""
    assert judge_lease(found).level is level


def test_steps_that_nobody_proved_are_counted() -> None:
    """A person's word stays one: in a ledger that is whole, too."""
    steps = [make_step(f"mem:shop{number}.0001_x") for number in range(3)]
    store = MemoryStore("mem", steps)
    for step, how in zip(steps, Origin, strict=True):
        store.record(step, make_lease(), how)
    situation = read_situation(cast("Registry", {"mem": store}))

    assert recorded_on_word(situation, "mem") == 1
    assert recorded_on_word(situation, "other") == 0
