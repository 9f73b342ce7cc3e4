"""Terms: until when something is kept, counted from a date that the row or document itself holds."""

from __future__ import annotations

import calendar
import dataclasses
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from accord import clock
from gdpr.errors import InvalidDataMap

_MONTHS = 12
NOT_KNOWN = " (not known yet)"
"""Stands behind a term where no row has the date yet that it is counted from."""
_SPAN = re.compile(r"(\d+) (year|month|day)s?")
_WRITTEN = re.compile(
    rf"(?P<span>{_SPAN.pattern}(?: and {_SPAN.pattern})*) after "
    r"(?P<year>the end of the year of )?(?P<field>\S+)"
)


@dataclass(frozen=True, kw_only=True)
class Span:
    """
    A length of time on the calendar.

    Attributes:
        years: Calendar years.
        months: Calendar months.
        days: Days; they are added last.
    """

    years: int = 0
    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if min(self.years, self.months, self.days) < 0 or not (self.years or self.months or self.days):
            raise InvalidDataMap(
                f"{type(self).__name__} has no length.", hint="Give it years, months or days, from 1 on."
            )

    def later(self, day: date) -> date:
        """Return the day that comes so much later; in a month that is too short, its last day."""
        years, month = divmod(day.month - 1 + self.months, _MONTHS)
        year = day.year + self.years + years
        if year > date.max.year:
            return date.max
        last = calendar.monthrange(year, month + 1)[1]
        found = date(year, month + 1, min(day.day, last))
        return date.max if (date.max - found).days < self.days else found + timedelta(days=self.days)

    def earlier(self, day: date) -> date:
        """Return the first day from which :meth:`later` comes to a day or to one after it."""
        found = max(date.min.toordinal(), day.toordinal() - self._longest)
        while self.later(date.fromordinal(found)) < day:
            found += 1
        return date.fromordinal(found)

    def __str__(self) -> str:
        units = (("year", self.years), ("month", self.months), ("day", self.days))
        return " and ".join(f"{number} {unit}{'s' * (number != 1)}" for unit, number in units if number)

    @property
    def _longest(self) -> int:
        return 366 * self.years + 31 * self.months + self.days + 31


@dataclass(frozen=True, kw_only=True)
class After(Span):
    """
    So long after a date that a row holds; the last day of it is still within the time.

    `After("ended_on", years=10, end_of_year=True)` is ten years after the end of the calendar year in which
    the day lies, as tax law counts.

    Attributes:
        field: Field of the row or document that holds a date or a moment; it may stand first, unnamed.
        end_of_year: Whether it is counted from the end of the calendar year.
    """

    field: str = dataclasses.field(kw_only=False)
    end_of_year: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.field.strip():
            raise InvalidDataMap(
                "A term counts from no field.", hint='Name a field with a date: After("ended_on", years=10).'
            )

    def last_day(self, day: date) -> date:
        """Return the last day on which a row of this date is kept."""
        return self.later(date(day.year, _MONTHS, 31) if self.end_of_year else day)

    def first_kept(self, today: date) -> date:
        """Return the earliest date of a row that is still kept today; every row before it has run out."""
        day = self.earlier(today)
        return date(day.year, 1, 1) if self.end_of_year else day

    @classmethod
    def read(cls, text: str) -> After | None:
        """Read a term as :meth:`__str__` writes it; None for other words."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        spans = {f"{unit}s": int(number) for number, unit in _SPAN.findall(found["span"])}
        return cls(found["field"], **spans, end_of_year=bool(found["year"]))

    def __str__(self) -> str:
        return f"{super().__str__()} after {'the end of the year of ' * self.end_of_year}{self.field}"


def day_of(value: date) -> date:
    """Return the day of a value of a database, on the project's own calendar."""
    if not isinstance(value, datetime):
        return value
    return clock.aware(value).astimezone(timezone.get_default_timezone()).date()


def day_of_moment(value: datetime) -> date:
    """
    Return the day of a moment of a store that has no days.

    A day is kept there as its beginning in UTC, which west of Greenwich is the evening before: of the two
    days the later one counts, so that nothing ends before its time.
    """
    moment = value if value.tzinfo else value.replace(tzinfo=UTC)
    return max(day_of(moment), moment.astimezone(UTC).date())
