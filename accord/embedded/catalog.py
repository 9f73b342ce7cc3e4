"""Every embedded server by name, and what is done to several at once: in parallel, each with its own fate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from accord.embedded.base import EmbeddedServer, ServerState
from accord.embedded.elasticsearch import ElasticsearchServer
from accord.embedded.errors import EmbeddedError
from accord.embedded.mongodb import MongoServer
from accord.embedded.opensearch import OpenSearchServer
from accord.embedded.paths import EmbeddedPaths
from accord.embedded.postgres import PostgresServer
from accord.errors import UsageError
from accord.events import Event, Reporter

_Result = TypeVar("_Result")

SERVERS: dict[str, type[EmbeddedServer]] = {
    kind.name: kind for kind in (PostgresServer, MongoServer, OpenSearchServer, ElasticsearchServer)
}
"""Every embedded server by name."""

DEFAULT = ("postgres", "mongodb", "opensearch")
"""Those that a project uses unless it says otherwise."""


def server(paths: EmbeddedPaths, name: str) -> EmbeddedServer:
    """Build one server's handle; touches nothing."""
    return server_class(name)(paths)


def server_class(name: str) -> type[EmbeddedServer]:
    """
    Find a kind of server by its name.

    Raises:
        UsageError: There is no embedded server of that name.
    """
    try:
        return SERVERS[name]
    except KeyError:
        raise UsageError(
            f"There is no embedded server named {name!r}.", hint=f"Choose from {', '.join(SERVERS)}."
        ) from None


def start_all(servers: Sequence[EmbeddedServer], reporter: Reporter, *, may_move: bool) -> list[ServerState]:
    """Start servers in parallel; one that fails doesn't keep the others from starting."""
    found = [each.status() for each in servers]
    if all(state.running for state in found):
        return found
    heard = _one_at_a_time(reporter)
    return _in_parallel(servers, lambda each: each.start(heard, may_move=may_move))


def stop_all(servers: Sequence[EmbeddedServer], reporter: Reporter) -> list[bool]:
    """Stop servers in parallel, and say of each whether it ran."""
    heard = _one_at_a_time(reporter)
    return _in_parallel(servers, lambda each: each.stop(heard))


def reset_all(servers: Sequence[EmbeddedServer], reporter: Reporter) -> None:
    """Stop servers and delete their data."""
    heard = _one_at_a_time(reporter)
    _in_parallel(servers, lambda each: each.reset(heard))


def delete_home(servers: Sequence[EmbeddedServer]) -> None:
    """Delete everything of servers that are to be thrown away, data kept elsewhere included."""
    import shutil

    for each in servers:
        each.reset()
    for home in {each.paths.home for each in servers}:
        shutil.rmtree(home, ignore_errors=True)


def _one_at_a_time(reporter: Reporter) -> Reporter:
    """Return a reporter that threads may share, around one that may not be shared."""
    turn = threading.Lock()

    def report(event: Event) -> None:
        with turn:
            reporter(event)

    return report


def _in_parallel(
    servers: Sequence[EmbeddedServer], work: Callable[[EmbeddedServer], _Result]
) -> list[_Result]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        futures = [pool.submit(work, each) for each in servers]
    errors = [error for future in futures if (error := future.exception()) is not None]
    if errors:
        raise _combined(errors)
    return [future.result() for future in futures]


def _combined(errors: Sequence[BaseException]) -> BaseException:
    """Make one error of several; one that isn't ours goes first, as it is."""
    ours = [error for error in errors if isinstance(error, EmbeddedError)]
    if len(ours) < len(errors):
        return next(error for error in errors if not isinstance(error, EmbeddedError))
    if len(ours) == 1:
        return ours[0]
    return EmbeddedError(
        "\n".join(str(error) for error in ours), hint="\n".join(dict.fromkeys(error.hint for error in ours))
    )
