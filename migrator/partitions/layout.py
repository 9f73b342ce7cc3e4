"""Which partitions a table has to have: their names and bounds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from accord.errors import UsageError
from migrator.partitions.declaration import ByHash, ByList, ByTime, Every
from migrator.relational.copies import named

MOST = 500
_DECEMBER = 12
_MIDNIGHT = {
    "date": "",
    "timestamp without time zone": " 00:00:00",
    "timestamp with time zone": " 00:00:00+00",
}
TIMES = frozenset(_MIDNIGHT)
"""Types of columns that a table can be divided by time by."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """
    A partition.

    Attributes:
        name: Of its table, without schema.
        bounds: What it holds, as a statement says it.
        begin: First day of its period; None where it isn't one.
        end: First day after it.
    """

    name: str
    bounds: str
    begin: date | None = None
    end: date | None = None

    @property
    def is_default(self) -> bool:
        """Return whether it takes what no other one does."""
        return self.bounds == "DEFAULT"


def begin_of(day: date, every: Every) -> date:
    """Return the first day of the period that a day is in."""
    match every:
        case Every.DAY:
            return day
        case Every.WEEK:
            return day - timedelta(days=day.weekday())
        case Every.MONTH:
            return day.replace(day=1)
        case Every.YEAR:
            return day.replace(month=1, day=1)


def after(begin: date, every: Every, periods: int = 1) -> date:
    """
    Return the first day of a later period, or an earlier one.

    Args:
        begin: First day of a period.
        every: How long periods are.
        periods: How many later; below 0 for earlier.
    """
    match every:
        case Every.DAY:
            return begin + timedelta(days=periods)
        case Every.WEEK:
            return begin + timedelta(weeks=periods)
        case Every.MONTH:
            months = begin.year * _DECEMBER + begin.month - 1 + periods
            return date(months // _DECEMBER, months % _DECEMBER + 1, 1)
        case Every.YEAR:
            return date(begin.year + periods, 1, 1)


def periods(table: str, by: ByTime, kind: str, first: date, last: date) -> Iterator[Part]:
    """
    Yield the partitions of all periods from one day to another.

    Args:
        table: Name of the table, without schema.
        by: How it is divided.
        kind: Type of the key's column.
        first: A day of the first period.
        last: A day of the last one.
    """
    begin, until = begin_of(first, by.every), begin_of(last, by.every)
    while begin <= until:
        end = after(begin, by.every)
        yield Part(
            name=named(table, f"_p{_written(begin, by.every)}"),
            bounds=f"FROM ({bound(begin, kind)}) TO ({bound(end, kind)})",
            begin=begin,
            end=end,
        )
        begin = end


def bound(day: date, kind: str) -> str:
    """Return the beginning of a day, in UTC, as SQL writes it for a column of some type."""
    return f"'{day.isoformat()}{_MIDNIGHT[kind]}'"


def parts_of(
    table: str,
    by: ByTime | ByList | ByHash,
    *,
    kind: str,
    oldest: date | None,
    newest: date | None,
    today: date,
) -> Sequence[Part]:
    """
    Return every partition that a table has to have when it is converted.

    Args:
        table: Name of the table, without schema.
        by: How it is divided.
        kind: Type of the key's column.
        oldest: Day of the oldest row; None while there is none.
        newest: Day of the newest one.
        today: The present day, in UTC.

    Raises:
        UsageError: They would be too many.
    """
    default = [Part(name=named(table, "_pdefault"), bounds="DEFAULT")] if by.default else []
    match by:
        case ByHash():
            return [
                Part(
                    name=named(table, f"_p{number}"),
                    bounds=f"WITH (MODULUS {by.parts}, REMAINDER {number})",
                )
                for number in range(by.parts)
            ]
        case ByList():
            lists = by.lists.items()
            return [
                *(Part(name=named(table, f"_p{name}"), bounds=_in(values)) for name, values in lists),
                *default,
            ]
        case ByTime():
            first = min(oldest or today, today)
            last = max(newest or today, last_ahead(by, today))
            found = list(_at_most(periods(table, by, kind, first, last)))
            if len(found) > MOST:
                raise UsageError(
                    f"{table} has rows from {first} to {last}: that is more than {MOST} partitions, one each "
                    f"{by.every}.",
                    hint="Declare longer periods. If a few rows are far away, correct them, or delete them.",
                )
            return [*found, *default]


def last_ahead(by: ByTime, today: date) -> date:
    """Return the first day of the last period that has to stand already."""
    return after(begin_of(today, by.every), by.every, by.ahead)


def _at_most(found: Iterator[Part]) -> Iterator[Part]:
    return (part for _, part in takewhile(lambda pair: pair[0] <= MOST, enumerate(found)))


def _in(values: Sequence[str | int]) -> str:
    return f"IN ({', '.join(literal(value) for value in values)})"


def literal(value: str | int) -> str:
    """Return a value as SQL writes it; the server makes of it what the column holds."""
    text = str(value).replace("'", "''")
    return f"E'{text.replace(chr(92), chr(92) * 2)}'" if chr(92) in text else f"'{text}'"


def _written(begin: date, every: Every) -> str:
    match every:
        case Every.YEAR:
            return f"{begin.year:04}"
        case Every.MONTH:
            return f"{begin.year:04}_{begin.month:02}"
        case _:
            return f"{begin.year:04}_{begin.month:02}_{begin.day:02}"
