"""The clock of Art. 12(3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdpr.erasure import deadlines


def day(year: int, month: int, number: int) -> datetime:
    return datetime(year, month, number, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (day(2026, 1, 31), day(2026, 2, 28)),
        (day(2028, 1, 31), day(2028, 2, 29)),
        (day(2026, 3, 31), day(2026, 4, 30)),
        (day(2026, 12, 31), day(2027, 1, 31)),
        (day(2026, 2, 28), day(2026, 3, 28)),
        (day(2028, 2, 29), day(2028, 3, 29)),
    ],
)
def test_one_calendar_month_ends_on_the_same_day_or_the_last(received: datetime, due: datetime) -> None:
    """A month is a calendar month, not thirty days; the hour stays."""
    assert deadlines.due(received) == due


def test_extension_counts_from_receipt() -> None:
    """Three months from receipt, not two from the shortened first month: 30 November gives 28 February."""
    assert deadlines.extended(day(2026, 11, 30)) == day(2027, 2, 28)
    assert deadlines.extended(day(2026, 1, 31)) == day(2026, 4, 30)


def test_extension_must_be_told_within_the_first_month() -> None:
    """At the end of the first month it is still in time, a moment later it is not."""
    received = day(2026, 1, 31)
    end = deadlines.due(received)

    assert deadlines.may_extend(received, end)
    assert not deadlines.may_extend(received, end + timedelta(microseconds=1))


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)), st.integers(0, 48))  # noqa: DTZ001 - the zone doesn't matter here
def test_months_never_skip_one_and_never_go_back(moment: datetime, months: int) -> None:
    """So many months later is in the month that the calendar says."""
    later = deadlines.add_months(moment, months)

    assert (later.year * 12 + later.month) - (moment.year * 12 + moment.month) == months
    assert later.day <= moment.day
    assert later.time() == moment.time()
