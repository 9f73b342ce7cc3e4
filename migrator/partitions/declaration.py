"""What an app declares of a table that is to be partitioned, in its `partitions.py`."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import ConfigurationError

_WORD = re.compile(r"^[a-z0-9_]{1,20}$")
_HINT = "See docs/howto/partition-a-large-table.md."
_FEWEST, _MOST = 2, 500
"""Partitions of one table: each is a file and a lock, and a query that names no key opens them all."""


class Every(enum.StrEnum):
    """For how long one partition of a table lasts, counted in UTC."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class _Written:
    """Is written into a migration as the call that makes it."""

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what it is made of, as Django's serializer asks for it."""
        return f"migrator.partitions.{type(self).__name__}", [], dict(vars(self))


@dataclass(frozen=True, kw_only=True)
class ByTime(_Written):
    """
    A partition for each period of time.

    Attributes:
        every: How long a period is.
        ahead: Periods after the present one whose partitions have to stand already.
        keep: Periods before the present one that stay; None keeps all.
        default: Whether there is a partition for rows of no period. Without it such a row is refused, and a
            period that is over can be detached without any lock on the table.
    """

    every: Every = Every.MONTH
    ahead: int = 3
    keep: int | None = None
    default: bool = True

    method = "RANGE"

    def problem(self) -> str:
        """Return what is wrong with it; empty where nothing is."""
        if not 1 <= self.ahead <= _MOST:
            return f"ahead must be from 1 to {_MOST}"
        return "keep must be 1 or more" if self.keep is not None and self.keep < 1 else ""


@dataclass(frozen=True, kw_only=True)
class ByList(_Written):
    """
    A partition for each group of values.

    Attributes:
        lists: Words that end the partitions' names, each with the values of its partition.
        default: Whether there is a partition for every other value.
    """

    lists: Mapping[str, Sequence[str | int]]
    default: bool = True

    method = "LIST"

    def problem(self) -> str:
        """Return what is wrong with it; empty where nothing is."""
        if not self.lists or len(self.lists) > _MOST:
            return f"lists must name from 1 to {_MOST} partitions"
        strange = [name for name in self.lists if not _WORD.match(name) or name == "default"]
        if strange:
            return f"lists can't have the name {strange[0]!r}: 1 to 20 of a-z, 0-9 and _, and not 'default'"
        values = [value for group in self.lists.values() for value in group]
        if not all(self.lists.values()) or len({str(value) for value in values}) < len(values):
            return "lists must give each partition values, and each value to one"
        return ""


@dataclass(frozen=True, kw_only=True)
class ByHash(_Written):
    """
    A number of partitions, each with about as many rows.

    Attributes:
        parts: How many. That can't be changed later.
    """

    parts: int

    method = "HASH"
    default = False

    def problem(self) -> str:
        """Return what is wrong with it; empty where nothing is."""
        return "" if _FEWEST <= self.parts <= _MOST else f"parts must be from {_FEWEST} to {_MOST}"


@dataclass(frozen=True, kw_only=True)
class Partitioned:
    """
    A model whose table is partitioned.

    Attributes:
        model: Its label: `app.Model`.
        key: Name of the field whose value decides where a row goes.
        by: How.
        widen_primary_key: Agrees that the table's primary key becomes the model's and the partition key
            together. PostgreSQL knows no uniqueness over all partitions without the key: that no two rows
            share a primary key is then kept by the sequence, or the randomness of a UUID, alone.
    """

    model: str
    key: str
    by: ByTime | ByList | ByHash
    widen_primary_key: bool = False

    def __post_init__(self) -> None:
        """
        Check what can be checked without the model.

        Raises:
            ConfigurationError: Something doesn't fit.
        """
        problem = self.by.problem()
        if problem:
            raise ConfigurationError(f"Partitioned({self.model!r}): {problem}.", hint=_HINT)
