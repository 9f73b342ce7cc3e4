"""
Ends a test's servers when the test process is gone, however it went.

A small process of its own waits on a pipe whose other end only the tests hold.
The system closes that end when they die, by SIGKILL too, and the watchdog stops
what runs in the folder. (The kernel's own parent-death signal is no help: it
fires when the starting *thread* ends, and is lost when the account changes.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from accord.embedded import catalog
from accord.embedded.paths import EmbeddedPaths, cache_folder
from accord.events import silent

_PROGRAM = (
    "import sys; sys.path[:0] = [sys.argv[1]]; from accord.embedded.watchdog import guard; "
    "guard(sys.argv[2], delete=sys.argv[3] == 'delete')"
)
_DISMISSED = b"dismissed"


class Watchdog:
    """
    Guards one folder of servers.

    Args:
        home: The folder.
        delete: Whether to delete it too.
    """

    def __init__(self, home: Path, *, delete: bool) -> None:
        self._home = home
        self._delete = delete
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self) -> None:
        """Begin to guard; call it before the first server starts."""
        if self._process is not None:
            return
        code = str(Path(__file__).parents[2])
        mode = "delete" if self._delete else "keep"
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, code, str(self._home), mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def dismiss(self) -> None:
        """End the guard; the servers are the caller's business again."""
        if self._process is None:
            return
        self._process.communicate(_DISMISSED)
        self._process = None


def guard(home: str, *, delete: bool) -> None:
    """Wait for the tests to end, then stop every server of their folder. Runs in the watchdog's process."""
    if sys.stdin.buffer.read() == _DISMISSED:
        return
    paths = EmbeddedPaths(home=Path(home), cache=cache_folder())
    names = [name for name in catalog.SERVERS if (paths.home / name).is_dir()]
    servers = [catalog.server(paths, name) for name in names]
    catalog.stop_all(servers, silent)
    if delete:
        catalog.delete_home(servers)
