"""The clock of Art. 12(3): one calendar month from receipt, two more where the person was told in time."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

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
    """Return until when a request must be answered."""
    return add_months(received_at, MONTHS)


def extended(received_at: datetime) -> datetime:
    """Return until when an extended request must be answered: three months from receipt."""
    return add_months(received_at, MONTHS + EXTENSION_MONTHS)


def may_extend(received_at: datetime, now: datetime) -> bool:
    """Return whether the person can still be told in time: within one month of receipt."""
    return now <= due(received_at)


def left(due_at: datetime, now: datetime) -> timedelta:
    """Return the time that is left; negative when the request is overdue."""
    return due_at - now
