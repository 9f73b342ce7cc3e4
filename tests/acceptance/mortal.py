"""
`manage.py`, killed at a given line of the suite's own code.

    python -m tests.acceptance.mortal LINE COMMAND [ARGUMENTS]

Lines are counted from the executor's first on, those of `accord_uninstall` from where it begins to
take out, because before that nothing is written; a negative LINE counts from the very start of the
command. LINE 0 lets it live, and writes how many lines it ran to the file named by ACCORD_COUNT_LINES.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = ("accord", "migrator", "mongo_migrations", "searchindex", "examples")
EXECUTOR = {"migrator/engine/executor.py": "run", "migrator/engine/uninstall.py": "take_out"}


class Mortality:
    """
    Counts lines, and ends the process at one of them.

    Args:
        line: Which one; 0 for none.
        packages: Whose lines count.
        start: Files, each with the function from whose first call on lines count; empty counts from now on.
    """

    def __init__(self, line: int, packages: Sequence[str], start: Mapping[str, str]) -> None:
        self.line = line
        self.seen = 0
        self._folders = tuple(f"{ROOT}/{package}/" for package in packages)
        self._start = {f"{ROOT}/{file}": function for file, function in start.items()}
        self._counting = not start
        self._turn = threading.Lock()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follow frames of the suite's code only."""
        code = frame.f_code
        if not code.co_filename.startswith(self._folders):
            return None
        if not self._counting and self._start.get(code.co_filename) == code.co_name:
            self._counting = True
        if event == "line" and self._counting:
            self._count()
        return self

    def _count(self) -> None:
        with self._turn:
            self.seen += 1
            if self.seen == self.line:
                os.kill(os.getpid(), signal.SIGKILL)


def run(mortality: Mortality, arguments: list[str]) -> None:
    """Run a command under the tracer, in every thread."""
    threading.settrace(mortality)
    sys.settrace(mortality)
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(["manage.py", *arguments])
    finally:
        sys.settrace(None)
        if "ACCORD_COUNT_LINES" in os.environ:
            Path(os.environ["ACCORD_COUNT_LINES"]).write_text(str(mortality.seen))


if __name__ == "__main__":
    wanted = int(sys.argv[1])
    run(Mortality(abs(wanted), OURS, {} if wanted < 0 else EXECUTOR), sys.argv[2:])
