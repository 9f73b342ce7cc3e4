"""What the partitions of a table ask for as time goes by: decided from those that stand. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from migrator.partitions.declaration import ByTime
from migrator.partitions.layout import Part, after, begin_of, last_ahead, periods

_BOUNDS = re.compile(r"^FOR VALUES FROM \('(\d{4}-\d\d-\d\d)[^']*'\) TO \('(\d{4}-\d\d-\d\d)[^']*'\)$")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    A partition that stands.

    Attributes:
        name: Its table, without schema.
        bounds: As the server writes it, for a session that is in UTC.
        pending: Whether it was to be detached, and that did not come to its end.
    """

    name: str
    bounds: str
    pending: bool = False

    @property
    def is_default(self) -> bool:
        """Return whether it takes what no other one does."""
        return self.bounds == "DEFAULT"

    @property
    def period(self) -> tuple[date, date] | None:
        """First day, and the one after the last; None where it is no period."""
        found = _BOUNDS.match(self.bounds)
        return (date.fromisoformat(found[1]), date.fromisoformat(found[2])) if found else None


@dataclass(frozen=True, kw_only=True)
class Duties:
    """
    What is to be done.

    Attributes:
        pending: Partitions whose detaching has to come to its end.
        missing: Those that have to be made.
        over: Those whose time is over.
        default: The one for rows of no period; None where there is none.
    """

    pending: Sequence[Standing] = ()
    missing: Sequence[Part] = ()
    over: Sequence[Standing] = ()
    default: Standing | None = None


def duties(table: str, by: object, kind: str, found: Sequence[Standing], today: date) -> Duties:
    """
    Decide what is to be done.

    Args:
        table: Name of the table, without schema.
        by: How it is divided; only periods of time come and go.
        kind: Type of the key's column.
        found: The partitions that stand.
        today: The present day, in UTC.
    """
    pending = [part for part in found if part.pending]
    default = next((part for part in found if part.is_default), None)
    if not isinstance(by, ByTime):
        return Duties(pending=pending, default=default)
    spans = [part.period for part in found if part.period and not part.pending]
    wanted = periods(table, by, kind, today, last_ahead(by, today))
    missing = [part for part in wanted if not any(_covers(span, part) for span in spans)]
    return Duties(pending=pending, missing=missing, over=_over(by, found, today), default=default)


def _covers(span: tuple[date, date] | None, part: Part) -> bool:
    return bool(span and part.begin and part.end and span[0] <= part.begin and part.end <= span[1])


def _over(by: ByTime, found: Sequence[Standing], today: date) -> Sequence[Standing]:
    if by.keep is None:
        return ()
    oldest = after(begin_of(today, by.every), by.every, -by.keep)
    over = [part for part in found if part.period and not part.pending and part.period[1] <= oldest]
    return sorted(over, key=lambda part: part.bounds)
