"""A set of embedded servers: started in parallel, looked at, stopped together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from accord.embedded.base import EmbeddedServer, ServerState
from accord.embedded.elasticsearch import ElasticsearchServer
from accord.embedded.mongodb import MongoServer
from accord.embedded.opensearch import OpenSearchServer
from accord.embedded.paths import EmbeddedPaths, cache_folder
from accord.embedded.postgres import PostgresServer
from accord.embedded.watchdog import Watchdog
from accord.errors import EmbeddedError, UsageError
from accord.events import Event, Reporter, silent

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


class EmbeddedCluster:
    """
    A set of embedded servers in one folder.

    As a context manager it starts on entry and stops on exit.

    Args:
        root: The folder for their data; `ACCORD_HOME` does not change it.
        names: Which servers.
        die_with_parent: End them also when this process ends without calling `stop`,
            by SIGKILL included. For tests.
        delete: Delete the folder after stopping.
        cache: Where programs are unpacked, instead of the user's cache folder.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str] = DEFAULT,
        *,
        die_with_parent: bool = False,
        delete: bool = False,
        cache: Path | None = None,
    ) -> None:
        self.paths = EmbeddedPaths(home=root.absolute(), cache=cache or cache_folder())
        self.servers = [server(self.paths, name) for name in names]
        self._delete = delete
        self._watchdog = Watchdog(self.paths.home, delete=delete) if die_with_parent else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def start(self, reporter: Reporter = silent) -> list[ServerState]:
        """Start what doesn't run; see `ensure_running`."""
        if self._watchdog is not None:
            self._watchdog.watch()
        return start_all(self.servers, reporter, may_move=True)

    def urls(self) -> dict[str, str]:
        """Give each server's URL by name."""
        return {each.name: each.url() for each in self.servers}

    def status(self) -> list[ServerState]:
        """Look at each server."""
        return [each.status() for each in self.servers]

    def stop(self, reporter: Reporter = silent) -> None:
        """Stop every server; with `delete`, remove their folder."""
        stop_all(self.servers, reporter)
        if self._delete:
            delete_home(self.servers)
        if self._watchdog is not None:
            self._watchdog.dismiss()


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
    """Let threads share a reporter that knows nothing of threads."""
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
