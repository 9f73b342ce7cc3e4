"""Start the embedded stores that a command needs, just before it runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accord.errors import AccordError, ExitCode
from core.console import report_to_stderr

# Commands that read files only, or bring servers of their own (test).
OFFLINE = frozenset({
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "embedded",
    "findstatic",
    "help",
    "makemessages",
    "startapp",
    "startproject",
    "test",
    "version",
})  # fmt: skip
ASKS_ABOUT_ITSELF = frozenset({"--help", "-h", "--version"})


def start_stores(arguments: Sequence[str]) -> int:
    """
    Start the embedded servers that stand in for unset URLs, if the command needs stores.

    Costs next to nothing when they run already. Whatever goes wrong is said on standard error.

    Args:
        arguments: The command line, without the name of the program.

    Returns:
        The exit code to leave with, or 0 to go on.
    """
    if is_offline(arguments):
        return 0
    try:
        _ensure_running(settings.EMBEDDED_STORES, settings.BASE_DIR)
    except ImproperlyConfigured as exc:
        sys.stderr.write(f"{exc}\n")
        return ExitCode.USAGE
    except AccordError as exc:
        sys.stderr.write(f"{exc}\n{exc.hint}\n")
        return exc.exit_code
    return 0


def is_offline(arguments: Sequence[str]) -> bool:
    """
    Tell whether a command line can be served without any store.

    Args:
        arguments: The command line, without the name of the program.
    """
    if not arguments or ASKS_ABOUT_ITSELF.intersection(arguments):
        return True
    return arguments[0] in OFFLINE


def _ensure_running(names: Sequence[str], root: Path) -> None:
    if names:
        import_module("accord.embedded").ensure_running(root, names, report_to_stderr)
