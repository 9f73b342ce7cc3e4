"""The clock of Art. 12(3): one calendar month from receipt, two more where the person was told in time."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time

from django.utils import timezone

from accord import clock
from accord.errors import UsageError

MONTHS = 1
EXTENSION_MONTHS = 2


def add_months(moment: datetime, months: int) -> datetime:
    """
    Go forward by calendar months.

    Where the month is too short for the day, its last day counts: 31 January and one month is
    28 or 29 February.
    """
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def due(received_at: datetime) -> datetime:
    """Return until when a request must be answered, counted on the project's own calendar."""
    return _months_later(received_at, MONTHS)


def extended(received_at: datetime) -> datetime:
    """Return until when an extended request must be answered: three months from receipt."""
    return _months_later(received_at, MONTHS + EXTENSION_MONTHS)


def may_extend(received_at: datetime, now: datetime) -> bool:
    """Return whether the person can still be told in time: within one month of receipt."""
    return now <= due(received_at)


def received_on(day: date, now: datetime) -> datetime:
    """
    Return the moment that counts for a demand of which the day is known: its end, or now if that is earlier.

    Args:
        day: On the project's calendar.
        now: The time.

    Raises:
        UsageError: The day has not come yet.
    """
    zone = timezone.get_default_timezone()
    refuse_future(datetime.combine(day, time.min, tzinfo=zone), now)
    return min(datetime.combine(day, time.max, tzinfo=zone), now).astimezone(UTC)


def refuse_future(received_at: datetime, now: datetime) -> None:
    """
    Make sure that a demand has come in.

    Raises:
        UsageError: It would have been received later than now.
    """
    if received_at > now:
        raise UsageError("A demand can't have been received in the future.", hint="Give the day of receipt.")


def days_left(due_at: datetime, now: datetime) -> int:
    """
    Return the days that are left by the project's calendar, as people count them.

    Args:
        due_at: The end of the time.
        now: The time.

    Returns:
        0 on the last day; negative from the moment on from which the request is overdue.
    """
    if now > due_at:
        return (due_at - now).days
    zone = timezone.get_default_timezone()
    return (clock.aware(due_at).astimezone(zone).date() - clock.aware(now).astimezone(zone).date()).days


def _months_later(moment: datetime, months: int) -> datetime:
    # Late in the evening it is another day in UTC, and perhaps another month.
    here = clock.aware(moment).astimezone(timezone.get_default_timezone())
    return add_months(here, months).astimezone(UTC)
