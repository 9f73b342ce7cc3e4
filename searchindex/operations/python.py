"""Python that a person wrote, with a client of the server in its hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from accord.revisions.foretelling import unknown
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Language, Statement
from searchindex.context import Context, Deployment
from searchindex.operations.base import Operation
from searchindex.requests import Request

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


@dataclass(frozen=True)
class PythonContext:
    """
    What a Python step works with.

    Attributes:
        context: The operation's own context.
    """

    context: Context

    @cached_property
    def client(self) -> Elasticsearch:
        """A client of the server, the same for both engines."""
        from searchindex.client import connect

        return connect(self.context.endpoint, self.context.engine)

    def index(self, name: str) -> str:
        """Return the name under which the server knows an index or alias (with the store's prefix)."""
        return self.context.deployment.alias(name)

    def check(self) -> None:
        """
        Ask between two batches whether the run may go on.

        Raises:
            LeaseLost: It may not.
        """
        self.context.lease.check()

    def progress(self, done: int, total: int | None = None) -> None:
        """Report how far the work is."""
        self.context.progress(done, total)

    def close(self) -> None:
        """Close the client, if one was made."""
        if "client" in self.__dict__:
            self.client.close()


Body = Callable[[PythonContext], object]
"""A function that a revision hands over; what it returns counts as changes when it is a number."""


def _nothing(_: PythonContext) -> None:
    """Do nothing: the backward function of a change that needs no undoing."""


@dataclass(frozen=True)
class RunPython(Operation):
    """
    Call a function.

    The function has to be idempotent: after a kill it is called again from its beginning, and
    nothing can tell how far it came.

    Attributes:
        forward: Called with a :class:`PythonContext`.
        backward: Undoes it; None means that it can't be undone. `RunPython.nothing` means
            that there is nothing to undo.
    """

    meets_documents = False

    forward: Body
    backward: Body | None = None

    nothing = staticmethod(_nothing)

    @property
    def irreversible(self) -> str:
        return "" if self.backward else f"the Python function {_name(self.forward)} has no way back"

    @property
    def title(self) -> str:
        return f"run {_name(self.forward)}"

    def apply(self, context: Context) -> int:
        return _call(self.forward, context)

    def revert(self, context: Context) -> int:
        return _call(self.backward, context) if self.backward else 0

    def touches(self, context: Context) -> None:
        """Tell that nobody knows what a function does."""

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        yield unknown(context.deployment.key, self.title, "It is code: what it does can't be asked.")

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        function = self.forward if direction is Direction.APPLY else self.backward
        text = f"Calls {_name(function)}(); what it sends can't be shown without running it."
        yield Statement(text=text, language=Language.PYTHON, opaque=True)


def _name(function: object) -> str:
    return str(getattr(function, "__qualname__", function))


def _call(function: Body, context: Context) -> int:
    helper = PythonContext(context)
    try:
        changed = function(helper)
    finally:
        helper.close()
    return changed if isinstance(changed, int) else 0
