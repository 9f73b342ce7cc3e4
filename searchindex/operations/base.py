"""
What every operation of search can do.

An operation is a frozen value. Everything it needs to know of the world comes with the :class:`Context`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from accord.errors import ConflictingState
from accord.revisions import operation
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.requests import Request


@dataclass
class Expected:
    """
    What should stand after a number of operations: by alias or template, its definition; None means gone.

    Attributes:
        objects: Keys are pairs such as `("index", "tracks")`.
    """

    objects: dict[tuple[str, str], Any] = field(default_factory=dict)


class Operation(operation.Operation[Context]):
    """
    One instruction of a search revision.

    Verbs: :meth:`capture` looks, :meth:`apply` acts, :meth:`revert` undoes, :meth:`requests` shows what
    these send. :meth:`expect` tells what should stand afterwards.
    """

    meets_documents = True
    """May what stands refuse it, so that it is looked at before a run, too?"""

    @property
    def makes(self) -> str:
        """Logical name of the index that it makes; empty when it makes none."""
        return ""

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        """Return what it sends, as data: requests, and statements about what can't be shown as one."""
        yield from ()

    def explain(self, deployment: Deployment, direction: Direction) -> Iterator[Statement]:
        """Show what it would send."""
        for request in self.requests(deployment, direction):
            yield request.statement() if isinstance(request, Request) else request

    @property
    def concerns(self) -> frozenset[str]:
        """Logical names of the indexes, aliases and templates that it looks at and changes."""
        return frozenset()

    @property
    def looks_at(self) -> frozenset[str]:
        return self.concerns

    def touches(self, context: Context) -> Collection[str] | None:
        return self.concerns

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.APPLY:
            # What stops the operation before it acts stops it here, by the same look.
            self.capture(context)
        yield from ()

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        """
        Write what should stand afterwards into `expected`.

        Returns:
            Keys of the objects that it touches; none when its effect can't be looked at.
        """
        yield from ()


def conflict(what: str, differences: Sequence[str]) -> ConflictingState:
    """Build the error that names how something differs from what a revision declares."""
    return ConflictingState(
        f"{what} exists with another definition: {'; '.join(differences)}.",
        hint="Change the revision to what is there, or remove what is there, then run again.",
    )
