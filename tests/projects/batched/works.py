"""Works of tests: one whose batches are exactly once, and one that may repeat a batch."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import psycopg2
from django.db import connections

from accord import conf
from accord.batches import Bounds, Done, Portion, Pressure, Sizes, TooMuchAtOnce, Work

COUNT = """
WITH next AS (SELECT id FROM numbers WHERE id > %s AND id <= %s ORDER BY id LIMIT %s FOR NO KEY UPDATE)
UPDATE numbers SET n = n + 1 FROM next WHERE numbers.id = next.id RETURNING numbers.id
"""


class Counting(Work):
    """
    Adds one to each row of `numbers`: whoever does one twice is found out.

    Args:
        rows: How many there are.
        parts: How many slices.
        wait: Seconds that each batch takes.
        size: Rows of a batch.
        fails_at: A row that can't be counted; 0 for none.
        fits: Rows that get through at once.
        release: What tells this code from other code; empty for what the engine takes.
    """

    def __init__(
        self,
        rows: int,
        parts: int = 4,
        wait: float = 0.0,
        size: int = 10,
        fails_at: int = 0,
        fits: int = 1000,
        release: str = "",
    ) -> None:
        self.rows, self.parts, self.wait, self.fails_at, self.fits = rows, parts, wait, fails_at, fits
        self.sizes = Sizes(first=size, most=size)
        self.release = release

    @property
    def database(self) -> str:  # type: ignore[override]
        return conf.load().coordinator

    @property
    def version(self) -> str:
        release = os.environ.get("BATCHED_RELEASE") or self.release
        return release * 64 if release else super().version

    def slices(self) -> Iterator[Bounds]:
        step = self.rows // self.parts
        for number in range(self.parts):
            last = self.rows if number == self.parts - 1 else (number + 1) * step
            yield {"after": number * step, "last": last}

    def total(self) -> int:
        return self.rows

    def batch(self, portion: Portion) -> Done:
        if portion.size > self.fits:
            raise TooMuchAtOnce
        after = (portion.cursor or portion.bounds)["after"]
        with connections[self.database].cursor() as cursor:
            cursor.execute(COUNT, [after, portion.bounds["last"], portion.size])
            found = [row for (row,) in cursor.fetchall()]
            cursor.execute("SELECT pg_sleep(%s)", [self.wait])
        if self.fails_at in found:
            raise ValueError(f"row {self.fails_at} can't be counted")
        return Done(cursor={"after": max(found)} if found else None, rows=len(found))


class Elsewhere(Counting):
    """
    Sets each row of `numbers` to 1 by a connection of its own, and notes each visit.

    The store has no part in the engine's transaction, so that a batch may come twice: it comes to the same.
    """

    database = None  # type: ignore[assignment]

    def batch(self, portion: Portion) -> Done:
        after = (portion.cursor or portion.bounds)["after"]
        settings = connections[conf.load().coordinator].get_connection_params()
        settings.pop("cursor_factory", None)
        connection = psycopg2.connect(**{name: value for name, value in settings.items() if name in KNOWN})
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "WITH next AS (SELECT id FROM numbers WHERE id > %s AND id <= %s ORDER BY id LIMIT %s) "
                    "UPDATE numbers SET n = 1, visits = visits + 1 FROM next WHERE numbers.id = next.id "
                    "RETURNING numbers.id",
                    [after, portion.bounds["last"], portion.size],
                )
                found = [row for (row,) in cursor.fetchall()]
        finally:
            connection.close()
        time.sleep(self.wait)
        return Done(cursor={"after": max(found)} if found else None, rows=len(found))

    def pressure(self) -> Pressure:
        with connections[conf.load().coordinator].cursor() as cursor:
            cursor.execute("SELECT coalesce(max(seconds), 0) FROM pressure")
            [(seconds,)] = cursor.fetchall()
        return Pressure(seconds=float(seconds), why="a test loads it") if seconds else Pressure()


class Sparing(Counting):
    """Counts the rows of people whom nothing may bring back as little as anybody else does."""

    subject = "batched.person"

    def batch(self, portion: Portion) -> Done:
        after = (portion.cursor or portion.bounds)["after"]
        keys = range(after + 1, min(after + portion.size, portion.bounds["last"]) + 1)
        left = set(keys) - portion.erased(keys)
        if self.fails_at in left:
            raise ValueError(f"zoe.{self.fails_at}@canary.example can't be counted")
        with connections[self.database].cursor() as cursor:
            cursor.execute("UPDATE numbers SET n = n + 1 WHERE id = ANY(%s)", [sorted(left)])
        return Done(cursor={"after": keys[-1]} if keys else None, rows=len(left))


KNOWN = frozenset(("dbname", "database", "user", "password", "host", "port"))


class Row:
    """No work at all."""
