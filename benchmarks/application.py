"""An application that is at work while a table of it is changed, and its longest query meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2

WRITERS, PAUSE, OPEN, FEW = 4, 0.01, 0.25, 100
_CHANGE = "UPDATE shop_order SET customer_id = customer_id + 1 WHERE id = %s"
_LOOK = "SELECT count(*) FROM shop_order WHERE id < %s"


@dataclass
class Application:
    """
    Four writers and a reader, as long as they are wanted.

    Args:
        url: The database.
        rows: How many rows there are.
    """

    url: str
    rows: int
    longest: float = 0.0
    queries: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Work while the body runs; a fault of a worker's is a fault of the measurement."""
        faults: list[BaseException] = []
        workers = [self._write] * WRITERS + [self._read]
        threads = [threading.Thread(target=self._safely, args=(one, faults)) for one in workers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        if faults:
            raise faults[0]

    def _safely(self, work: Callable[[], None], faults: list[BaseException]) -> None:
        try:
            work()
        except BaseException as exc:  # noqa: BLE001 - it is raised again where the measurement ends
            faults.append(exc)

    def _write(self) -> None:
        chance = random.Random(threading.get_ident())
        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            while not self._over.wait(PAUSE):
                self._timed(cursor, _CHANGE, chance.randrange(1, self.rows))
        connection.close()

    def _read(self) -> None:
        connection = psycopg2.connect(self.url)
        while not self._over.wait(PAUSE):
            with connection, connection.cursor() as cursor:
                self._timed(cursor, _LOOK, FEW)
                self._over.wait(OPEN)
        connection.close()

    def _timed(self, cursor: Any, query: str, number: int) -> None:
        began = time.perf_counter()
        cursor.execute(query, [number])
        # Lost updates of two threads would only make a count smaller; the longest is what is looked for.
        self.longest = max(self.longest, time.perf_counter() - began)
        self.queries += 1
