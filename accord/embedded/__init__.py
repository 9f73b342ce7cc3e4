"""
Real servers for trying, developing and testing: no container, no service, no root needed.

    urls(root)             where the servers of a checkout listen, or will; starts nothing
    database(root)         the same of PostgreSQL, as an entry of Django's DATABASES
    ensure_running(root)   start those that don't run, in parallel, and wait until they answer
    status, stop, reset    look, end, and throw the data away
    EmbeddedCluster        a private set, for tests
    postgres_binary(name)  PostgreSQL's own programs: `pg_dump`, `psql` ...

Importing this package and calling `urls` costs milliseconds; what is heavy is
imported when a server has to be started. Production uses servers of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from accord.embedded.base import Condition, EmbeddedServer, ServerState
from accord.embedded.catalog import (
    DEFAULT,
    SERVERS,
    reset_all,
    server,
    server_class,
    start_all,
    stop_all,
)
from accord.embedded.cluster import EmbeddedCluster
from accord.embedded.paths import EmbeddedPaths
from accord.embedded.postgres import postgres_binary
from accord.events import Reporter, silent

__all__ = [
    "DEFAULT",
    "SERVERS",
    "Condition",
    "EmbeddedCluster",
    "EmbeddedPaths",
    "EmbeddedServer",
    "ServerState",
    "check_names",
    "database",
    "ensure_running",
    "postgres_binary",
    "reset",
    "status",
    "stop",
    "urls",
]


def urls(root: Path, names: Sequence[str] = DEFAULT) -> dict[str, str]:
    """
    Return the URL of each embedded server, without starting any.

    Port and password are chosen on the first call and stay the same from then on.

    Args:
        root: The checkout's folder; data is in its `.accord`, unless `ACCORD_HOME` says otherwise.
        names: Which servers, from `SERVERS`.

    Returns:
        URL by name. PostgreSQL's holds a password: it belongs into no message and no log.

    Raises:
        EmbeddedDataUnusable: The folder can't be written.
    """
    return {each.name: each.url() for each in _servers(root, names)}


def database(root: Path) -> dict[str, str]:
    """
    Return the embedded PostgreSQL as an entry of `DATABASES`, without starting it.

    Args:
        root: As for :func:`urls`.
    """
    parts = urlsplit(urls(root, ["postgres"])["postgres"])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


def ensure_running(
    root: Path, names: Sequence[str] = DEFAULT, reporter: Reporter = silent, *, may_move: bool = False
) -> list[ServerState]:
    """
    Start the servers that don't run, and wait until all of them answer.

    Any number of processes may call this at the same moment. The servers outlive the caller.

    Args:
        root: The checkout's folder.
        names: Which servers.
        reporter: Hears what is fetched and started; it is called by one thread at a time.
        may_move: Whether a server may get a new port when a stranger holds its own.
            Only for a caller whose process has not used the URLs yet.

    Returns:
        How each server is, in the order of `names`.

    Raises:
        EmbeddedError: One or more can't be fetched or started; the others run.
    """
    return start_all(_servers(root, names), reporter, may_move=may_move)


def status(root: Path, names: Sequence[str] = tuple(SERVERS)) -> list[ServerState]:
    """Look at the servers of a checkout; takes no lock and changes nothing."""
    return [each.status() for each in _servers(root, names)]


def stop(root: Path, names: Sequence[str] = tuple(SERVERS), reporter: Reporter = silent) -> list[str]:
    """
    Stop servers.

    Returns:
        The names of those that ran.
    """
    chosen = _servers(root, names)
    return [each.name for each, ran in zip(chosen, stop_all(chosen, reporter), strict=True) if ran]


def reset(root: Path, names: Sequence[str] = tuple(SERVERS), reporter: Reporter = silent) -> None:
    """Stop servers and delete their data; ports and passwords stay."""
    reset_all(_servers(root, names), reporter)


def check_names(names: Sequence[str]) -> None:
    """
    Refuse names that no embedded server has.

    Raises:
        UsageError: One is unknown.
    """
    for name in names:
        server_class(name)


def _servers(root: Path, names: Sequence[str]) -> list[EmbeddedServer]:
    paths = EmbeddedPaths.of(root)
    return [server(paths, name) for name in names]
