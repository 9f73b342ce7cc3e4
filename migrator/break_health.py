"""The health check of what ran without approval: critical until another person has reviewed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accord import conf
from accord.health.runner import Check, Finding, Level
from accord.words import counted
from migrator.governance.break_glass import Breaks

NAME = "break_glass"


def checks() -> Iterable[Check]:
    """Yield the check."""
    yield Check(name=NAME, look=look)


def look() -> Iterator[Finding]:
    """Tell what ran without approval and waits for its review."""
    waiting = Breaks(conf.load()).open()
    if not waiting:
        yield Finding(name=NAME, level=Level.OK, message="Nothing that ran without approval is unreviewed.")
        return
    oldest = min(waiting, key=lambda row: row.broken_at)
    yield Finding(
        name=NAME,
        level=Level.CRITICAL,
        message=f"{counted(len(waiting), 'run')} went ahead without approval and nobody has reviewed it: "
        f"{', '.join(row.short for row in waiting)}.",
        value=len(waiting),
        threshold=1,
        hint=f"manage.py migration_approval review {oldest.short} --as USERNAME --reason TEXT",
    )
