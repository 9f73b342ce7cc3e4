"""What an Alembic store can tell without running a revision: what stands, what would fail, its promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from accord.errors import StoreUnavailable
from accord.seam.assertions import Assertion, Broken, Moment
from accord.seam.describing import Description
from accord.seam.foretelling import Foretold, no_look
from accord.seam.losses import Loss
from accord.seam.origins import found_among, showing_left
from accord.seam.types import Direction, Probe, Recorded, Shown, Statement, Step, StepKey
from accord.seam.undeclared import Undeclared
from migrator.alembic.database import Database
from migrator.alembic.ledger import Ask, Tables
from migrator.alembic.reader import Reader

if TYPE_CHECKING:
    from migrator.alembic.environment import HistoryEnvironment
    from migrator.foretelling.looks import Size

_Answer = TypeVar("_Answer")


class LooksAhead(ABC):
    """The part of the store that only looks."""

    _database: Database | None
    _reader: Reader
    _tables: Tables

    @property
    @abstractmethod
    def _environment(self) -> HistoryEnvironment: ...

    @abstractmethod
    def recorded(self) -> Recorded:
        """Read the ledger. See :class:`accord.seam.stores.Unfinished`."""

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Show what steps would send. See :class:`accord.seam.stores.Explains`."""
        from migrator.alembic import offline

        rendered = offline.explain(self._environment, self._reader.history(), steps, direction)
        return showing_left(rendered, self._found(steps, direction))

    def _found(self, steps: Sequence[Step], direction: Direction) -> Collection[StepKey]:
        """Name the steps that a revert leaves where they are; none where nobody can ask."""
        if direction is Direction.APPLY:
            return ()
        with suppress(StoreUnavailable):
            return found_among(steps, self.recorded().applied)
        return ()

    @abstractmethod
    def _ask_once(self, question: Callable[[Ask], _Answer]) -> _Answer: ...

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Compare the live catalog with what the revisions leave."""
        from migrator.alembic import probing

        return probing.probe(self._environment, self._reader.history(), steps, self._ask_once)

    @property
    def product(self) -> str:
        """Histories run on PostgreSQL alone. See :class:`accord.seam.undeclared.TellsUndeclared`."""
        return "postgresql"

    def taken(self) -> Collection[str]:
        """Name Alembic's own table. See as above."""
        return (self._tables.version_table,)

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        """Name tables that no revision declares, and such indexes of its tables. See as above."""
        from migrator.alembic import probing, undeclared

        effects = probing.expected(self._environment, self._reader.history(), steps)
        return undeclared.undeclared(effects, self._ask_once, self.taken())

    def describe(self) -> Description | None:
        """Describe what stands in its database. See :class:`accord.seam.describing.Describes`."""
        from migrator.describing import sql

        return self._ask_once(lambda ask: sql.describe(lambda question: ask(question, {})))

    def assertions(self, step: Step, moment: Moment) -> Sequence[Assertion]:
        """Return what a revision's module declares."""
        from migrator.alembic import asserting

        if not asserting.may_declare(step, moment):
            return ()
        return asserting.declared(step, self._module(step), moment)

    def broken(self, step: Step, moment: Moment) -> Iterator[Broken]:
        """Ask the database, by way of env.py, which assertions of a revision don't hold."""
        from migrator.alembic import asserting
        from migrator.alembic.runner import Conversation

        found: list[Broken] = []
        module = self._module(step)
        visitor = Conversation(
            ask=lambda connection: found.extend(asserting.broken(step, module, moment, connection))
        )
        self._environment.run(visitor, what=str(step.key), looks_only=True)
        yield from found

    def _module(self, step: Step) -> Any:
        directory = self._environment.directory(self._reader.current(step))
        return directory.get_revision(step.key.name).module

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """Ask the live database what would refuse or burden the steps."""
        from migrator.alembic import foretelling

        found = self._found(steps, direction)
        every = list(self.explain(steps, direction)) if shown is None else shown
        rendered = [(step, sent) for step, sent in every if step.key not in found]
        begun = self.recorded().begun
        if self._database is None:
            why = "Without URL in the store's options nobody can look before env.py runs."
            yield from no_look((step for step, _ in rendered), why)
            return
        # Its table stays when everything is undone; Alembic makes it only where there is none.
        acting = foretelling.without(rendered, self._tables.version_table)
        yield from foretelling.foretell(self._database, acting, begun)

    def occupants(self, tables: Collection[str]) -> Sequence[str]:
        """Name who has had tables open for long. See :mod:`accord.seam.occupants`."""
        from accord.locks import occupants

        if not tables:
            return ()
        names, quoted = occupants.names_of(tables)
        values = {"names": names, "quoted": quoted, "seconds": occupants.LONG}
        return [
            str(one)
            for one in occupants.occupants_of(self._ask_once(lambda ask: ask(occupants.NAMED, values)))
        ]

    def sizes(self) -> Mapping[str, Size] | None:
        """Ask how large the tables of the database are; None without `URL`."""
        from migrator.alembic import foretelling

        return None if self._database is None else foretelling.sizes(self._database)

    def losses(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Loss]:
        """Count what steps would drop. See :class:`accord.seam.losses.CountsLosses`."""
        from migrator.alembic import foretelling
        from migrator.foretelling import counting

        rendered = list(self.explain(steps, direction)) if shown is None else shown
        if self._database is None:
            yield from counting.uncounted(rendered)
        else:
            yield from foretelling.losses(self._database, rendered)
