"""A checkout of its own for each test of the embedded servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accord import embedded
from accord.embedded.catalog import delete_home
from accord.embedded.watchdog import Watchdog
from accord.errors import AccordError

CODE = Path(__file__).parents[3]
START = "import sys, pathlib, accord.embedded as e; e.ensure_running(pathlib.Path(sys.argv[1]), sys.argv[2:])"


@contextmanager
def guarded(root: Path) -> Iterator[Path]:
    """Give a checkout whose servers end with the test, however it ends."""
    watchdog = Watchdog(root / ".accord", delete=True)
    watchdog.watch()
    try:
        yield root
    finally:
        delete_home([server(root, name) for name in embedded.SERVERS])
        watchdog.dismiss()


def server(root: Path, name: str) -> embedded.EmbeddedServer:
    """Build a server's handle."""
    return embedded.SERVERS[name](embedded.EmbeddedPaths.of(root))


def start_command(root: Path, *names: str) -> subprocess.Popen[str]:
    """Start servers as another process would, without waiting for it."""
    return subprocess.Popen(
        [sys.executable, "-c", START, str(root), *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CODE)},
    )


def processes_using(folder: Path) -> list[int]:
    """Find live server processes whose command line names a folder, children that inherited it left out."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if os.fsencode(folder) in words:
            found[int(entry.name)] = parent
    return [pid for pid, parent in found.items() if parent not in found]


def failure(root: Path, *names: str) -> AccordError:
    """Start servers, expect that it fails, and give the error."""
    try:
        embedded.ensure_running(root, names)
    except AccordError as error:
        return error
    message = f"{names} started"
    raise AssertionError(message)
