"""The clock of Art. 12(3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accord.errors import UsageError
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


@pytest.fixture
def paris(settings: Settings) -> None:
    """Work in Paris, as far as the project's settings say."""
    settings.TIME_ZONE = "Europe/Paris"


@pytest.mark.usefixtures("paris")
@pytest.mark.parametrize(
    ("received", "due"),
    [
        ("2026-01-31T00:30", "2026-02-28T00:30"),
        ("2026-03-01T00:30", "2026-04-01T00:30"),
        ("2026-02-28T12:00", "2026-03-28T12:00"),
        ("2026-09-30T23:30", "2026-10-30T23:30"),
    ],
)
def test_month_is_counted_on_the_projects_calendar(received: str, due: str) -> None:
    """Half past midnight in Paris is still the day before in UTC; summer time moves no hour of the wall."""
    zone = timezone.get_default_timezone()
    moment, expected = (datetime.fromisoformat(text).replace(tzinfo=zone) for text in (received, due))

    assert deadlines.due(moment.astimezone(UTC)) == expected


@pytest.mark.usefixtures("paris")
def test_extension_is_counted_on_the_projects_calendar() -> None:
    """Three months from half past midnight on 31 January end on 30 April."""
    zone = timezone.get_default_timezone()

    assert deadlines.extended(datetime(2026, 1, 31, 0, 30, tzinfo=zone).astimezone(UTC)) == datetime(
        2026, 4, 30, 0, 30, tzinfo=zone
    )


@pytest.mark.usefixtures("paris")
def test_day_of_receipt_counts_to_its_end() -> None:
    """A letter of some day has that whole day; today's counts from now, tomorrow's is refused."""
    now = datetime(2026, 5, 10, 22, 30, tzinfo=UTC)  # half past midnight on the 11th in Paris
    past = deadlines.received_on(date(2026, 4, 30), now)

    assert past == datetime(2026, 4, 30, 21, 59, 59, 999999, tzinfo=UTC)
    assert deadlines.received_on(date(2026, 5, 11), now) == now
    with pytest.raises(UsageError):
        deadlines.received_on(date(2026, 5, 12), now)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        (datetime(2026, 4, 10, 22, 30, tzinfo=UTC), 30),
        (datetime(2026, 4, 10, 22, 30, 1, tzinfo=UTC), 30),
        (datetime(2026, 5, 10, 21, 59, tzinfo=UTC), 1),
        (datetime(2026, 5, 10, 22, 30, tzinfo=UTC), 0),
        (datetime(2026, 5, 10, 22, 30, 1, tzinfo=UTC), -1),
        (datetime(2026, 5, 12, 22, 30, 1, tzinfo=UTC), -3),
    ],
)
def test_days_are_counted_as_people_count_them(now: datetime, left: int, settings: Settings) -> None:
    """By the project's calendar, where it is the eleventh already; on the day of filing a month is left."""
    settings.TIME_ZONE = "Europe/Paris"
    due = deadlines.due(datetime(2026, 4, 10, 22, 30, tzinfo=UTC))

    assert deadlines.days_left(due, now) == left
