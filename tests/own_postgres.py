"""
A PostgreSQL of the machine's own, of another version than the one that the tests bring along.

    python -m tests.own_postgres 15

says where the programs of that version are, and ends with 1 where there are none. Standard library alone.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

_PLACES = (
    "/usr/lib/postgresql/{}/bin",
    "/usr/pgsql-{}/bin",
    "/opt/homebrew/opt/postgresql@{}/bin",
    "/usr/local/opt/postgresql@{}/bin",
)
"""Where packages of Debian, Red Hat and Homebrew put a version."""
OLDER = "15"
"""The oldest version that the suite is tested on."""
USER = "accord"
_SETTINGS = (
    *("fsync=off", "jit=off", "max_connections=200", "timezone=UTC", "listen_addresses=127.0.0.1"),
    "max_prepared_transactions=9",
)


def programs(version: str) -> Path | None:
    """
    Find the folder of the server's programs.

    Args:
        version: The first number of the version.
    """
    found = shutil.which("postgres")
    places = [Path(place.format(version)) for place in _PLACES]
    places += [Path(os.path.realpath(found)).parent] if found else []
    return next((place for place in places if _version(place / "postgres") == version), None)


def _version(program: Path) -> str:
    if not program.exists():
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    named = re.search(r"\d+", said)
    return named[0] if named else ""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """
    Run a server for the time of a block.

    Args:
        folder: Where its programs are.

    Yields:
        Its address.
    """
    home = Path(tempfile.mkdtemp(prefix="postgres"))
    # The server refuses to run as root.
    user: dict[str, Any] = {"user": "nobody"} if os.geteuid() == 0 else {}
    home.chmod(0o777)
    (home / "password").write_text(USER)
    made = ["initdb", "-D", "data", "-A", "scram-sha-256", "-U", USER, "--pwfile", "password", "--no-sync"]
    subprocess.run([str(folder / made[0]), *made[1:]], check=True, capture_output=True, cwd=home, **user)
    port, flags = str(_free_port()), [part for setting in _SETTINGS for part in ("-c", setting)]
    command = [str(folder / "postgres"), "-D", "data", "-k", str(home), "-p", port, *flags]
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, cwd=home, **user) as server,
    ):
        try:
            _await([str(folder / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port], server)
            yield f"postgresql://{USER}:{USER}@127.0.0.1:{port}/postgres"
        finally:
            # Whoever is connected still is cut off.
            server.send_signal(signal.SIGINT)
    shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _await(ask: Sequence[str], server: subprocess.Popen[Any]) -> None:
    """Wait until it takes connections."""
    for _ in range(300):
        if subprocess.run(ask, check=False).returncode == 0:
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


if __name__ == "__main__":
    found = programs(sys.argv[1])
    sys.stdout.write(f"{found}\n" if found else "")
    sys.exit(found is None)
