"""What an operation of search acts with: a connection, the names, the engine, and the right to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from accord.events import Reporter, StepNoted, StepProgressed
from accord.seam.types import Lease, StepKey
from searchindex import fields
from searchindex.aliases import Aliases
from searchindex.definitions import Body
from searchindex.endpoint import Endpoint
from searchindex.names import Names, number_of
from searchindex.requests import Request
from searchindex.transport import ServerResponse, Transport, at

if TYPE_CHECKING:
    from searchindex.engines.base import Engine


@dataclass(frozen=True, kw_only=True)
class Deployment:
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
        """Return the alias of an index."""
        return self.names.alias(name)

    def physical(self, name: str) -> str:
        """Return the index that this revision makes under a name."""
        return self.names.physical(name, self.number)

    def mappings(self, mappings: Body) -> dict[str, Any]:
        """Put mappings into the engine's words."""
        rendered: dict[str, Any] = fields.render(mappings, self.engine)
        return rendered

    def settings(self, settings: Body, mappings: Body) -> dict[str, Any]:
        """Return settings, with those that the fields of the mappings need."""
        needed = self.engine.vector_settings if self.engine and fields.holds_vector(mappings) else {}
        return {**needed, **settings}


def _left_alone(_: str) -> None:
    """Note nothing: nothing is undone where this is used."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """
    What an operation acts with.

    Attributes:
        transport: Connection to the server.
        deployment: Names and engine.
        lease: The right to write.
        report: Hears how long work goes on.
        saved: What the operation's `capture` returned before the operation first acted.
        leave: Notes what is left where it is, because it was found there and not made.
    """

    transport: Transport
    deployment: Deployment
    engine: Engine
    lease: Lease
    report: Reporter
    saved: Mapping[str, Any] = field(default_factory=dict)
    leave: Callable[[str], None] = field(default=_left_alone, repr=False)

    @cached_property
    def aliases(self) -> Aliases:
        """The server's aliases."""
        return Aliases(self.transport)

    @property
    def endpoint(self) -> Endpoint:
        """Where the server listens."""
        return self.transport.endpoint

    def send(self, request: Request, accept: Sequence[int] = ()) -> ServerResponse:
        """Send a request; statuses of errors that the caller understands are no error."""
        return self.transport.request(
            request.method, request.path, request.body, accept=accept, headers=request.headers
        )

    def remove(self, request: Request) -> int:
        """Send a request that removes one thing; return 0 when it was not there."""
        answer = self.send(request, accept=(HTTPStatus.NOT_FOUND,))
        return int(answer.status < HTTPStatus.BAD_REQUEST)

    def progress(self, done: int, total: int | None) -> None:
        """Report how far long work is."""
        self.report(StepProgressed(key=str(self.deployment.key), done=done, total=total))

    def note(self, text: str) -> None:
        """Report something that an operator should read."""
        self.report(StepNoted(key=str(self.deployment.key), note=text))

    def index(self, name: str) -> Mapping[str, Any] | None:
        """Return aliases, mappings and settings of an index, or None."""
        found = self.transport.find(f"{at(name)}?flat_settings=true")
        return None if found is None else next(iter(found.values()), None)
