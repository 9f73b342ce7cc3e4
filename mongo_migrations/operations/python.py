"""Operation that runs a function of the revision."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from accord.revisions.foretelling import unknown
from accord.revisions.progress import Batch
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, StepKey
from mongo_migrations import rendering
from mongo_migrations.context import Context
from mongo_migrations.operations.base import Operation
from mongo_migrations.schema import Outline

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

    Function = Callable[[Database[dict[str, Any]], ClientSession | None], object]


def noop(db: Database[dict[str, Any]], session: ClientSession | None) -> None:
    """Do nothing: the `backward` of a function that needs no undoing."""


@dataclass(frozen=True)
class RunPython(Operation):
    """
    Run a function with `(db, session)`; undone by another one, if it is given.

    In a transaction (the default) the function's writes and the ledger are one: they
    happen exactly once, whatever is killed when. Every call in it must pass `session=session`,
    and it should touch a thousand documents at most; more belong into :class:`RunBatches`.
    Outside one, a function may be called again after a kill and must bear that.

    Attributes:
        forward: Called to apply.
        backward: Called to revert; `RunPython.noop` when there is nothing to undo.
        transactional: False for what a transaction can't hold; `session` is None then.
    """

    forward: Function
    backward: Function | None = None
    _: KW_ONLY
    transactional: bool = True

    noop = staticmethod(noop)

    @property
    def needs_transactions(self) -> bool:  # type: ignore[override]  # a constant of most operations, a choice here
        """True unless it was asked to run outside a transaction."""
        return self.transactional

    @property
    def irreversible(self) -> str:
        """Irreversible without a `backward`."""
        return "" if self.backward else f"RunPython({called(self.forward)}) has no backward function."

    def apply(self, context: Context) -> int:
        return self._run(context, self.forward)

    def revert(self, context: Context) -> int:
        return self._run(context, self.backward or noop)

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Nothing is left of a transaction that did not end; outside one nobody knows."""
        return begun and not self.transactional

    def requests(self, direction: Direction) -> Sequence[rendering.Request]:
        function = self.forward if direction is Direction.APPLY else self.backward or noop
        place = "in one transaction with the ledger" if self.transactional else "outside a transaction"
        return [rendering.opaque(f"Runs {called(function)}(db, session) {place}.")]

    def touches(self, context: Context) -> None:
        """Tell that nobody knows what a function does."""

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        yield unknown(context.key, self.title, "It is code: what it does can't be asked.")

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.opaque.add(owner)

    def _run(self, context: Context, function: Function) -> int:
        if not self.transactional:
            function(context.db, None)
            return 0

        def work(session: ClientSession | None) -> Batch:
            function(context.db, session)
            return Batch()

        context.exactly_once(work)
        return 0


def called(function: Callable[..., object]) -> str:
    """Return the name of a function, for people."""
    return getattr(function, "__qualname__", type(function).__name__)
