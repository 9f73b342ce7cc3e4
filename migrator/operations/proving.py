"""That nothing is left to fill: counted by the server, after what came in meanwhile was filled, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from accord.errors import StepFailed
from accord.words import counted
from migrator.operations.filling import Done, Fill, Watch, forwards, last_place
from migrator.operations.keys import NAMED, shown
from migrator.operations.positions import InMemory, Position
from migrator.operations.sparing import spared
from migrator.operations.sql import Sql, ask, both, put


@dataclass(frozen=True)
class Proof:
    """
    How it is known that rows are filled.

    Attributes:
        fill: What was filled.
        lacks: Condition of a row that isn't.
    """

    fill: Fill
    lacks: Sql

    def refuse_endless(self, connection: Any) -> Watch:
        """Return a watch on the first batch: what lacks its value right after it was written always will."""
        seen: list[Done] = []

        def watch(done: Done) -> None:
            if seen or not done.changed:
                return
            seen.append(done)
            left = self._counted(connection, done.chosen)
            # A value by chance may be the one that is there; a row may have been changed since.
            if left * 2 > done.changed:
                raise self._endless(left)

        return watch

    def complete(self, connection: Any) -> None:
        """
        Fill what came in meanwhile, and make sure that nothing is left.

        Raises:
            StepFailed: Rows still lack their value; some are named.
        """
        if self._left(connection):
            late = replace(self.fill, todo=self.lacks, narrow=self.lacks)
            until = last_place(connection, late.walk)
            forwards(connection, late, InMemory(Position(until=until)))
        if left := self._left(connection):
            raise self._incomplete(connection, left)

    def _left(self, connection: Any) -> int:
        with spared(connection, self.fill.walk, self.fill.subject) as spare:
            return self._counted(connection, both(self.lacks, spare(self.lacks)))

    def _counted(self, connection: Any, where: Sql) -> int:
        query = put("SELECT count(*) FROM {} WHERE {}", Sql.written(self.fill.walk.table), where)
        return int(ask(connection, query)[0][0])

    def _incomplete(self, connection: Any, left: int) -> StepFailed:
        walk = self.fill.walk
        with spared(connection, walk, self.fill.subject) as spare:
            query = walk.places(both(self.lacks, spare(self.lacks)), NAMED + 1)
            keys = shown(walk, [tuple(place) for place in ask(connection, query)])
        return StepFailed(
            f"{walk.table}: {counted(left, 'row')} that came or changed meanwhile {_verb(left)} what was to "
            f"be filled{f': {keys}' if keys else ''}.",
            hint="A release that knows nothing of it still writes there, or something writes past a trigger. "
            "Have it write the value, or give the column a default; then run it again: what is filled stays.",
        )

    def _endless(self, left: int) -> StepFailed:
        return StepFailed(
            f"{self.fill.walk.table}: {counted(left, 'row')} of the first batch {_verb(left)} the value "
            "again, right after it was written.",
            hint="A value that is another one each time (now(), random()) needs a `where` that is false of a "
            "filled row (column IS NULL), or `lacks`. A trigger may have taken it back, too.",
        )


def _verb(number: int) -> str:
    return "lacks" if number == 1 else "lack"
