"""What is done in batches: a work names its slices, and does a portion of one of them."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accord.batches.pressure import Pressure
from accord.batches.sizes import Sizes

Bounds = Mapping[str, Any]
"""What a slice covers, as JSON: the first and the last key, as a rule."""
Cursor = Mapping[str, Any]
"""How far a slice has come, as JSON."""
Erased = Callable[[Iterable[Any]], set[Any]]
"""Takes keys of people, and returns those whom nothing may bring back."""


def nobody(_keys: Iterable[Any]) -> set[Any]:
    """Say that nobody was erased: for works that are about no person."""
    return set()


@dataclass(frozen=True, kw_only=True)
class Portion:
    """
    What the next batch is to do.

    Attributes:
        job: Reference of the job.
        number: Of the slice within the job.
        fence: Number of the lease. A store that keeps the highest one it has seen refuses a lower one.
        bounds: What the slice covers.
        cursor: What the last batch returned; None to begin.
        size: Rows or documents at most.
        erased: Finds whom to leave out, where the work names a subject.
    """

    job: str
    number: int
    fence: int
    bounds: Bounds
    cursor: Cursor | None
    size: int
    erased: Erased = nobody


@dataclass(frozen=True, kw_only=True)
class Done:
    """
    What a batch came to.

    Attributes:
        cursor: Where the next one begins; None when the slice is finished.
        rows: Rows or documents that were looked at or changed; speed and what is left are told in them.
        bytes: How much they weigh, where that is known.
    """

    cursor: Cursor | None
    rows: int = 0
    bytes: int = 0


class Work(ABC):
    """
    Something that is done in batches.

    It is built from arguments that are JSON, by name: the same in a command, in a process and on a worker.
    Building one must be cheap and change nothing.

    Attributes:
        database: Alias of the database that a batch writes to by Django's connection, where it is one. If it
            is the coordinating one, a batch and its cursor are one transaction, opened by the engine, and a
            batch is done exactly once. Else a batch may be done twice, and has to come to the same.
        subject: Kind of the people that it is about; batches then find fences and tombstones in
            :attr:`Portion.erased`, and no fence goes up while one is written.
        sizes: How large batches are.
    """

    database: str | None = None
    subject: str | None = None
    sizes: Sizes = Sizes(first=100, most=10_000)

    @abstractmethod
    def slices(self) -> Iterable[Bounds]:
        """Return what each slice covers: together everything, no two of them the same. Asked once a job."""

    @abstractmethod
    def batch(self, portion: Portion) -> Done:
        """
        Do the next batch of a slice.

        Args:
            portion: What is to be done.

        Raises:
            TooMuchAtOnce: It did not get through and changed nothing; a smaller one may.
        """

    def total(self) -> int | None:
        """Return how many rows there are, about; None where that isn't known."""
        return None

    def pressure(self) -> Pressure:
        """
        Ask the store whether it wants to be left alone. One worker asks, about once a second.

        A PostgreSQL that :attr:`database` names is asked for replicas that are behind, for sessions that wait
        for what batches have locked, and for a vacuum that mustn't be held up. Others the work has to ask.
        """
        from django.db import connections

        from accord.batches import postgres

        if self.database is None or connections[self.database].vendor != "postgresql":
            return Pressure()
        return postgres.pressure(self.database)

    @property
    def version(self) -> str:
        """
        Return what tells this code from an earlier one: workers of another version leave the job alone.

        It is the digest of the module that defines the class; give another one where that isn't what counts.
        """
        return hashlib.sha256(
            inspect.getsource(inspect.getmodule(type(self)) or type(self)).encode()
        ).hexdigest()
