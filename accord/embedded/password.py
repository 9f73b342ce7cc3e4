"""A password that is made once and kept in a file only its owner reads."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def ensure(path: Path) -> str:
    """
    Read the password file, or make it first.

    Two commands may do so at once: both answer with the one password that ended up in the file.

    Args:
        path: The file, in an existing folder.

    Returns:
        The password, of characters that need no quoting in a URL.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(encoding="ascii").strip()
    _write_once(path, _new())
    return path.read_text(encoding="ascii").strip()


def _new() -> str:
    import secrets

    return secrets.token_urlsafe(24)


def _write_once(path: Path, secret: str) -> None:
    """Write beside the file and link it in place: the file is never there half written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
