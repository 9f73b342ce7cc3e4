"""Measuring commands by the system's own accounting; what the benchmarks share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Measured:
    """
    One run of a command.

    Attributes:
        wall: Seconds until it ended.
        cpu: Seconds of processor time, its children included.
        megabytes: Its largest resident size.
    """

    wall: float
    cpu: float
    megabytes: float


def measure(command: list[str], environment: Mapping[str, str]) -> Measured:
    """
    Run a command that must succeed, and let the system account for it.

    Raises:
        SystemExit: It failed; its output is shown.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        if process.returncode:
            output.seek(0)
            sys.exit(output.read().decode())
    return Measured(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def manage(*arguments: str) -> list[str]:
    """Build a command of the sample project."""
    return [sys.executable, "manage.py", *arguments]


def clean_environment() -> dict[str, str]:
    """Give this environment, with compiled files allowed: a deployed project has them."""
    built = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**built, "PYTHONPATH": str(ROOT), "ACCORD_ENV": "test"}


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
