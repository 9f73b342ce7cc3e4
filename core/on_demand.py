"""Start the embedded stores that a command needs, just before it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from django.core.exceptions import ImproperlyConfigured

from accord import embedded
from accord.embedded.progress import reporter_for
from accord.errors import AccordError, ExitCode
from accord.events import Reporter
from core.environment import BASE_DIR, Environment, load_environment

# Commands that read files only (makemigrations asks the databases, too), bring servers of their own (test,
# gdpr_drill), or tell how servers stand and so must not change it (health_check).
OFFLINE = frozenset({
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "embedded",
    "findstatic",
    "gdpr_drill",
    "health_check",
    "help",
    "lint_migrations",
    "makemessages",
    "startapp",
    "startproject",
    "test",
    "version",
})  # fmt: skip
ASKS_SERVERS = frozenset({"--live"})
"""Flags by which a command that reads files only asks servers, too."""
ASKS_ABOUT_ITSELF = frozenset({"--help", "-h", "--version"})


class Starter(Protocol):
    """Whatever makes sure that embedded servers run; see :func:`accord.embedded.ensure_running`."""

    def __call__(self, root: Path, names: Sequence[str], reporter: Reporter, *, may_move: bool) -> object: ...


def start_stores(
    arguments: Sequence[str],
    *,
    load: Callable[[], Environment] = load_environment,
    ensure_running: Starter = embedded.ensure_running,
) -> int:
    """
    Start the embedded servers that stand in for unset URLs, if the command needs stores.

    Costs next to nothing when they run already. Whatever goes wrong is said on standard error.

    Args:
        arguments: The command line, without the name of the program.
        load: Reads the environment.
        ensure_running: Starts servers.

    Returns:
        The exit code to leave with, or 0 to go on.
    """
    if not arguments or ASKS_ABOUT_ITSELF.intersection(arguments):
        return 0
    try:
        names = load().embedded
        if names and (arguments[0] not in OFFLINE or ASKS_SERVERS.intersection(arguments)):
            with reporter_for(sys.stderr, "its URL is unset") as report:
                # A server may still get another port here, because the settings have not been read yet.
                ensure_running(BASE_DIR, names, report, may_move=True)
    except ImproperlyConfigured as exc:
        sys.stderr.write(f"{exc}\n")
        return ExitCode.USAGE
    except AccordError as exc:
        sys.stderr.write(f"{exc}\n{exc.hint}\n")
        return exc.exit_code
    return 0
