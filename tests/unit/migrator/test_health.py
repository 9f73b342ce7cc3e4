"""The lease's row, judged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accord import process
from accord.health.runner import Level
from accord.lease import LeaseRow
from migrator.health_checks import LONG_RUN, judge_lease

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
