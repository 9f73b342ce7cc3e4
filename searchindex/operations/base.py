"""
The contract of an operation: one instruction of a search revision, with four verbs.

An operation is a frozen value. Everything it needs to know of the world comes with the
:class:`Context`. Each verb may be repeated: the process may die between any two lines.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from accord.errors import ConflictingState
from accord.events import Reporter, StepNoted, StepProgressed
from accord.types import Direction, Language, Lease, Statement, StepKey
from searchindex import fields
from searchindex.aliases import Aliases
from searchindex.definitions import Body, merged
from searchindex.endpoint import Endpoint
from searchindex.names import Names, number_of
from searchindex.transport import Transport, at

if TYPE_CHECKING:
    from searchindex.engines.base import Engine


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """
    What an operation needs to be shown, without any server.

    Attributes:
        key: The step that it belongs to.
        names: How the store names things.
        engine: None when no server told which engine it is.
    """

    key: StepKey
    names: Names
    engine: Engine | None

    @property
    def number(self) -> str:
        """Number of the revision."""
        return number_of(self.key.name)

    def alias(self, name: str) -> str:
        """Give the alias of an index."""
        return self.names.alias(name)

    def physical(self, name: str) -> str:
        """Give the index that this revision makes under a name."""
        return self.names.physical(name, self.number)

    def mappings(self, mappings: Body) -> dict[str, Any]:
        """Put mappings into the engine's words."""
        rendered: dict[str, Any] = fields.render(mappings, self.engine)
        return rendered

    def settings(self, settings: Body, mappings: Body) -> dict[str, Any]:
        """Give settings, with those that the fields of the mappings need."""
        needed = self.engine.vector_settings if self.engine and fields.holds_vector(mappings) else {}
        return {**needed, **settings}


@dataclass(frozen=True, kw_only=True)
class Context:
    """
    What an operation acts with.

    Attributes:
        wire: Connection to the server.
        around: Names and engine.
        lease: The right to write.
        report: Hears how long work goes on.
        saved: What :meth:`Operation.capture` gave before the operation first acted.
    """

    wire: Transport
    around: Surroundings
    engine: Engine
    lease: Lease
    report: Reporter
    saved: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def aliases(self) -> Aliases:
        """The server's aliases."""
        return Aliases(self.wire)

    @property
    def endpoint(self) -> Endpoint:
        """Where the server listens."""
        return self.wire.endpoint

    def progress(self, done: int, total: int | None) -> None:
        """Tell how far long work is."""
        self.report(StepProgressed(key=str(self.around.key), done=done, total=total))

    def note(self, text: str) -> None:
        """Tell something that a person should read."""
        self.report(StepNoted(key=str(self.around.key), note=text))

    def index(self, name: str) -> Mapping[str, Any] | None:
        """Give aliases, mappings and settings of an index, or None."""
        found = self.wire.find(f"{at(name)}?flat_settings=true")
        return None if found is None else next(iter(found.values()), None)

    def canonical(self, name: str, mappings: Body, settings: Body) -> Mapping[str, Any]:
        """
        Ask the server how it writes a definition, by an empty index that lives for a moment.

        Args:
            name: Logical name of the index.
            mappings: As declared, in the engine's words.
            settings: As declared.

        Returns:
            Mappings and settings in the server's own spelling.
        """
        scratch = self.around.names.scratch(name)
        small = {"index.number_of_shards": 1, "index.number_of_replicas": 0, "index.hidden": True}
        self.wire.request("DELETE", at(scratch), accept=(404,))
        try:
            self.wire.request("PUT", at(scratch), {"mappings": mappings, "settings": merged(settings, small)})
            return self.index(scratch) or {}
        finally:
            self.wire.request("DELETE", at(scratch), accept=(404,))


@dataclass
class Expected:
    """
    What should stand after a number of operations: by alias or template, its definition; None means gone.

    Attributes:
        objects: Keys are pairs such as `("index", "tracks")`.
    """

    objects: dict[tuple[str, str], Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    What was found of one object.

    Attributes:
        there: It exists.
        differences: How it differs from what is expected, a line each.
    """

    there: bool
    differences: Sequence[str] = ()


class Operation(ABC):
    """
    One instruction of a search revision.

    Verbs: :meth:`capture` looks (probe), :meth:`apply` acts, :meth:`revert` undoes,
    :meth:`explain` shows. :meth:`foresee` tells what should stand afterwards.
    """

    needs_saved: ClassVar[bool] = False
    """Undoing puts back what the ledger kept, so a step that was only recorded can't be undone."""

    @property
    def makes(self) -> str:
        """Logical name of the index that it makes; empty when it makes none."""
        return ""

    @property
    def irreversible(self) -> str:
        """Why it can't be undone; empty when it can."""
        return ""

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does, in a few words; also how the ledger knows it again."""

    @abstractmethod
    def capture(self, context: Context) -> Mapping[str, Any]:
        """
        Look at what stands before the operation first acts, and keep what undoing needs.

        Raises:
            ConflictingState: What it would make exists with another definition.
        """

    @abstractmethod
    def apply(self, context: Context) -> int:
        """Bring the effect about, from nothing, from a part of it, or from all of it; count changes."""

    @abstractmethod
    def revert(self, context: Context) -> int:
        """Undo the effect, whole or in part; count changes."""

    @abstractmethod
    def explain(self, around: Surroundings, direction: Direction) -> Iterator[Statement]:
        """Show what it would send."""

    def foresee(self, around: Surroundings, expected: Expected) -> Iterator[tuple[str, str]]:
        """
        Write what should stand afterwards into `expected`.

        Returns:
            Keys of the objects that it touches; none when its effect can't be looked at.
        """
        yield from ()


def request(method: str, path: str, body: object = None) -> Statement:
    """Render a request for people."""
    shown = "" if body is None else "\n" + json.dumps(body, indent=2, ensure_ascii=False)
    return Statement(text=f"{method} {path}{shown}", language=Language.HTTP)


def conflict(what: str, differences: Sequence[str]) -> ConflictingState:
    """Build the error that names how something differs from what a revision declares."""
    return ConflictingState(
        f"{what} exists with another definition: {'; '.join(differences)}.",
        hint="Change the revision to what is there, or remove what is there, then run again.",
    )
