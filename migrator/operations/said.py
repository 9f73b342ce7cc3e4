"""What an author says of a backfill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.erased.subject_key import check_pair
from accord.errors import InvalidRevision
from accord.seam.types import Direction
from migrator.operations.code import RowFunction
from migrator.operations.compiling import Condition

Values = Mapping[str, Any]
"""Fields, with what they get."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """
    The words of :class:`migrator.operations.backfill.Backfill`, which explains them.

    Raises:
        InvalidRevision: They don't fit together.
    """

    model_name: str
    set: Values | None
    run: RowFunction | None
    writes: Sequence[str]
    where: str
    filter: Condition | None
    lacks: Condition
    backward: Values | RowFunction | None
    backward_where: Condition
    batch_size: int
    pause: float
    keep_before: int
    subject: tuple[str, str] | None

    def __post_init__(self) -> None:
        if bool(self.set) == bool(self.run):
            raise InvalidRevision("Backfill takes `set` or `run`.", hint='Write set={"field": "SQL"}.')
        if self.batch_size < 1:
            raise InvalidRevision(
                f"A batch of {self.batch_size} rows is none.", hint="Set batch_size to 1 or more."
            )
        if self.writes and not self.run:
            raise InvalidRevision("`writes` goes with `run`.", hint="`set` names its fields by itself.")
        if self.keep_before and (self.backward is not None or not self.fields):
            raise InvalidRevision(
                "`keep_before` undoes what `set` or `writes` name, by itself.",
                hint="Leave `backward` out; say `writes` with `run`.",
            )
        check_pair(self.subject, "Backfill")

    @property
    def fields(self) -> Sequence[str]:
        """Fields that are written."""
        return tuple(self.set or self.writes)

    def values(self, direction: Direction) -> Values:
        """Return what fields get in a direction; nothing where code says it."""
        found = self.set if direction is Direction.APPLY else self.backward
        return {} if found is None or callable(found) else found

    def function(self, direction: Direction) -> RowFunction | None:
        """Return what is called in a direction."""
        found = self.run if direction is Direction.APPLY else self.backward
        return found if callable(found) else None

    def conditions(self, direction: Direction) -> Sequence[Condition | None]:
        """Return which rows are meant in a direction."""
        return (self.where, self.filter) if direction is Direction.APPLY else (self.backward_where,)

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"Fill {', '.join(self.fields) or 'rows'} of {self.model_name}"

    def identity(self, migration: str) -> str:
        """
        Return what tells it from any other: the migration that it is of, its fields and its rows.

        Not the value: who mends one in the middle goes on behind the rows that are done.
        """
        words = (migration, self.model_name.lower(), *sorted(self.fields), self.where, repr(self.filter))
        return "\0".join(words)
