"""Health checks of divided tables: partitions that are missing, rows of no period, what came to no end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial

from django.db import connections

from accord import db
from accord.health.runner import Check, Finding, Level
from accord.words import counted
from migrator.partitions.declaration import Partitioned
from migrator.partitions.declared import database_of, declarations, model_of, wanted_of
from migrator.partitions.duties import Duties, Standing
from migrator.partitions.layout import Part
from migrator.partitions.standing import Found, State, probe
from migrator.partitions.table import Catalog
from migrator.partitions.upkeep import detached, due, in_the_way

_COUNTED = 1000
"""Rows of a default partition up to which they are counted; how many more there are changes nothing."""
_UPKEEP = "Run partition maintain; see docs/howto/partition-a-large-table.md for its place in cron."


def checks() -> Iterable[Check]:
    """Yield a check for each table that is declared."""
    for label, declared in declarations().items():
        yield Check(name=name_of(label), look=partial(look_at_table, declared))


def name_of(label: str) -> str:
    """Return what the check of a model is called."""
    return f"partitions.{label}"


def look_at_table(declared: Partitioned) -> Iterator[Finding]:
    """Look at the partitions of one table."""
    model, database = model_of(declared), database_of(declared)
    catalog, name = Catalog(connections[database]), name_of(declared.model.lower())
    with db.reading(f"The partitions of {declared.model}", database):
        wanted = wanted_of(declared, model, database)
        found = probe(catalog, wanted)
        if found.state in (State.PLAIN, State.BEGUN):
            yield _undivided(name, found)
            return
        what = due(catalog, wanted, found.table, datetime.now(UTC).date())
        strays = in_the_way(catalog, wanted, what.default, _COUNTED) if what.default else 0
        yield judge(name, found, what, strays, detached(catalog, wanted))


def _undivided(name: str, found: Found) -> Finding:
    if found.state is State.BEGUN:
        return Finding(
            name=name,
            level=Level.WARN,
            message="It is being divided; the old table is in use, and kept in step with the new one.",
            hint="If no process is at it, run the same command again, or undo it: partition revert MODEL.",
        )
    return Finding(name=name, level=Level.OK, message="It is declared, and not divided yet.")


def judge(name: str, found: Found, what: Duties, strays: int, left: Iterable[str]) -> Finding:
    """
    Judge a table that is divided.

    Args:
        name: Of the finding.
        found: How far it is.
        what: What there is to do.
        strays: Rows of its default partition, up to a number.
        left: Tables that were its partitions.
    """
    troubles = [*_troubles(what, strays)]
    level = Level.WARN if troubles else Level.OK
    if what.default is None and any(_is_present(part) for part in what.missing):
        level = Level.CRITICAL  # the rows of today are refused
    notes = [f"{one} is let go, and still there." for one in left]
    notes += ["The old table stands as the way back."] if found.state is State.CONVERTED else []
    return Finding(
        name=name,
        level=level,
        message=" ".join([*(troubles or ["Its partitions stand as declared."]), *notes]),
        value=len(what.missing),
        threshold=1,
        hint=_UPKEEP if troubles else "",
    )


def _troubles(what: Duties, strays: int) -> Iterator[str]:
    if what.missing:
        yield f"Not made yet: {_names(what.missing)}."
    if strays and what.default:
        many = f"{strays} rows or more" if strays >= _COUNTED else counted(strays, "row")
        yield f"{what.default.name}, which takes rows of no other, has {many}."
    if what.pending:
        yield f"Half detached: {_names(what.pending)}."
    if what.over:
        yield f"Over, and not let go: {_names(what.over)}."


def _names(parts: Iterable[Part | Standing]) -> str:
    return ", ".join(part.name for part in parts)


def _is_present(part: Part) -> bool:
    today = datetime.now(UTC).date()
    return bool(part.begin and part.end and part.begin <= today < part.end)
