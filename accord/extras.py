"""
What isn't installed: a package says in `EXTRA` what it needs beyond the core of the distribution.

    EXTRA = ("mongodb", ("pymongo",))  # the extra, and the modules that it brings
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec

from accord.errors import ConfigurationError

DISTRIBUTION = "django-accord"


def require(module: str, what: str) -> None:
    """
    Make sure that the packages are installed that a module's package stands on. None of them is loaded.

    Args:
        module: Dotted name of a module, such as that of a store's class.
        what: What needs it, for the message.

    Raises:
        ConfigurationError: One is missing; names it, and the extra that brings it.
        ImportError: The module's package can't be imported.
    """
    extra, needed = _declared(module)
    absent = [name for name in needed if not _is_installed(name)]
    if absent:
        raise ConfigurationError(
            f"{what} needs {', '.join(absent)} of the extra “{extra}”, and that is not installed.",
            hint=f"Install it: pip install '{DISTRIBUTION}[{extra}]'.",
        )


def _declared(module: str) -> tuple[str, Sequence[str]]:
    """Return the extra and the modules that the nearest package above a module declares."""
    parts = module.split(".")[:-1]
    for length in range(len(parts), 0, -1):
        found: tuple[str, Sequence[str]] | None
        found = getattr(import_module(".".join(parts[:length])), "EXTRA", None)
        if found:
            return found[0], found[1]
    return "", ()


def _is_installed(name: str) -> bool:
    # None stands there where an import is to fail.
    return sys.modules[name] is not None if name in sys.modules else find_spec(name) is not None
