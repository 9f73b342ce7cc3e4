"""
Rows filled batch by batch along the key of their table, beside those who write; one loop for every operation.

A batch, and where the walk stands after it, are one transaction. A kill loses at most the one that was under
way. A walk ends at the row that was the last one when it began: what comes in meanwhile would give it no end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from django.db import DataError, IntegrityError, OperationalError, transaction

from accord.batches import Sizes, TooMuchAtOnce, work_through
from accord.locks.patience import is_kept_out
from migrator.operations.keys import NAMED
from migrator.operations.positions import Keeps, Position
from migrator.operations.refusing import goes, refused, written
from migrator.operations.sparing import Subject, spared
from migrator.operations.sql import EVERY, Sql, ask, both, put
from migrator.operations.walking import Place, Rows, Walk
from migrator.relational import hearing

SIZES = Sizes(first=500, most=5000, slow=0.1, quick=0.04)
"""Who writes a row of a batch waits until the batch ends: short enough for nobody to notice."""

_Result = TypeVar("_Result")
_KNOWN = Sql("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)")


@dataclass(frozen=True, kw_only=True)
class Fill:
    """
    What is filled, and how.

    Attributes:
        walk: The table.
        todo: Condition of the rows that are written.
        change: Writes the rows of a condition within a transaction, and returns how many.
        sizes: Rows of a batch.
        subject: Whose the rows are; those of erased people are left out.
        narrow: Only rows of this condition are counted for a batch, where few of many are looked for.
        each: Where a batch is refused, its rows are tried one by one; code is called once.
        pause: Seconds between two batches.
        keeps_end: Its last row is kept when it is over: what came behind that one is never undone.
    """

    walk: Walk
    todo: Sql
    change: Callable[[Sql], int]
    sizes: Sizes = SIZES
    subject: Subject | None = None
    narrow: Sql = EVERY
    each: bool = True
    pause: float = 0.0
    keeps_end: bool = False


@dataclass(frozen=True)
class Done:
    """
    What a batch did.

    Attributes:
        chosen: Condition of those that were written.
        changed: How many these were.
    """

    chosen: Sql
    changed: int


Watch = Callable[[Done], None]
"""Looks at what a batch did, after it."""


def unwatched(done: Done) -> None:
    """Look at nothing."""


def last_place(connection: Any, walk: Walk) -> Place | None:
    """Return the key of the last row; None for an empty table."""
    return _first(ask(connection, walk.last()))


def forwards(connection: Any, fill: Fill, keeps: Keeps, *, watch: Watch = unwatched) -> None:
    """
    Fill what is left, up to the row that was the last one when it was begun.

    Args:
        connection: Of the database, outside of a transaction.
        fill: What.
        keeps: Keeps how far it is; something was written there.
        watch: Looks at each batch.

    Raises:
        StepFailed: Rows refuse their values; their keys are in the message. What was done before stays.
    """
    _through(connection, fill, keeps, _rising, watch)


def backwards(connection: Any, fill: Fill, keeps: Keeps) -> None:
    """Undo what is done, from the last row that is. Arguments as above."""
    _through(connection, fill, keeps, _falling, unwatched)


@dataclass(frozen=True)
class _Next:
    """Rows of the next batch, where the walk stands after it, and whether that is its end."""

    rows: Rows
    after: Position
    last: bool


_Step = Callable[[Any, Fill, Position, int], _Next | None]
"""Returns the next batch of some size; None where nothing is left."""


def _rising(connection: Any, fill: Fill, now: Position, size: int) -> _Next | None:
    if now.finished:
        return None
    left = both(fill.walk.among(Rows(now.at, now.until)), fill.narrow)
    end = _first(ask(connection, fill.walk.nth(size - 1, left))) if now.until else None
    if end is None or end == now.until:
        return _Next(Rows(now.at, now.until), _over(fill, now), last=True)
    return _Next(Rows(now.at, end), replace(now, at=end, done=now.done + size), last=False)


def _over(fill: Fill, now: Position) -> Position:
    """Return the position of a walk that is through; of an empty table nothing is ever undone."""
    if fill.keeps_end and now.until is None:
        return Position()
    kept = now.until if fill.keeps_end else None
    return Position(at=kept, until=kept, done=now.done, finished=True)


def _falling(connection: Any, fill: Fill, now: Position, size: int) -> _Next | None:
    if now.at is None:
        return None
    before = _first(ask(connection, fill.walk.nth(size, fill.walk.among(Rows(until=now.at)), backwards=True)))
    after = replace(now, at=before, done=max(now.done - size, 0)) if before else Position()
    return _Next(Rows(before, now.at), after, last=before is None)


def _through(connection: Any, fill: Fill, keeps: Keeps, step: _Step, watch: Watch) -> None:
    total = _expected(connection, fill.walk)

    def batch(size: int) -> bool:
        hearing.check()
        found = _patiently(lambda: _batch(connection, fill, keeps, step, size))
        if found is None:
            return False
        done, one = found
        watch(done)
        # What is left for the last batch nobody has counted.
        there = max(total or 0, one.after.done)
        hearing.progressed(there if one.last else one.after.done, there if total else None)
        time.sleep(0 if one.last else fill.pause)
        return not one.last

    try:
        work_through(batch, fill.sizes)
    except TooMuchAtOnce as exc:
        raise exc.__cause__ or exc from None


def _patiently(act: Callable[[], _Result]) -> _Result:
    """Do something; where others' locks kept it out, a smaller batch may get through."""
    try:
        return act()
    except OperationalError as exc:
        if is_kept_out(exc):
            raise TooMuchAtOnce from exc
        raise


def _batch(connection: Any, fill: Fill, keeps: Keeps, step: _Step, size: int) -> tuple[Done, _Next] | None:
    """Do one batch with its record, in one transaction; None where nothing is left."""
    with spared(connection, fill.walk, fill.subject) as spare, transaction.atomic(using=connection.alias):
        one = step(connection, fill, keeps.locked(), size)
        if one is None:
            return None
        among = fill.walk.among(one.rows)
        living = both(among, spare(among))
        chosen = both(living, fill.todo)
        changed = _changed(connection, fill, living)
        keeps.write(one.after)
    return Done(chosen, changed), one


def _changed(connection: Any, fill: Fill, living: Sql) -> int:
    try:
        return written(connection, partial(fill.change, both(living, fill.todo)))
    except (DataError, IntegrityError) as exc:
        keys = _refusing(connection, fill, living) if fill.each else ()
        raise refused(fill.walk, keys, exc) from exc


def _refusing(connection: Any, fill: Fill, living: Sql) -> Sequence[Place]:
    """Try each row by itself, for the first ones that are refused; already asking for it may be."""
    found: list[Place] = []
    for place in ask(connection, fill.walk.places(living, fill.sizes.most)):
        one = both(fill.walk.at(tuple(place)), fill.todo)
        if len(found) <= NAMED and not goes(connection, partial(fill.change, one)):
            found.append(tuple(place))
    return found


def _expected(connection: Any, walk: Walk) -> int | None:
    """Return how many rows there are: as the server's statistics say, or counted; None where nobody asks."""
    if not hearing.is_heard():
        return None
    [[known]] = ask(connection, Sql(_KNOWN.text, (walk.table,)))
    if known and known > 0:
        return int(known)
    return int(ask(connection, put("SELECT count(*) FROM {}", Sql.written(walk.table)))[0][0])


def _first(rows: Sequence[Sequence[Any]]) -> Place | None:
    return tuple(rows[0]) if rows else None
