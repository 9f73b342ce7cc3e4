"""The health check of values of before that are kept longer than their backfills say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accord.health.runner import Check, Finding, Level
from accord.words import counted
from migrator.relational import before

NAME = "kept_values"


def checks() -> Iterable[Check]:
    """Yield the check."""
    yield Check(name=NAME, look=look)


def look() -> Iterator[Finding]:
    """Tell what should have gone."""
    over = [each for each in before.everywhere() if each.is_over]
    if not over:
        yield Finding(name=NAME, level=Level.OK, message="No values of before are kept for too long.")
        return
    yield Finding(
        name=NAME,
        level=Level.WARN,
        message=f"{counted(len(over), 'backfill')} kept what it wrote over for long enough: "
        f"{', '.join(each.what for each in over)}.",
        value=len(over),
        threshold=1,
        hint="manage.py backfill_kept --drop",
    )
