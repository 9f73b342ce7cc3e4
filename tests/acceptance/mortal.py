"""
`manage.py`, killed at a given line of the suite's own code.

    python -m tests.acceptance.mortal LINE COMMAND [ARGUMENTS]

Lines are counted from the executor's first on, because before it nothing is written; a negative
LINE counts from the very start of the command. LINE 0 lets it live, and writes how many lines it
ran to the file named by ACCORD_COUNT_LINES.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(
    f"{ROOT}/{name}/" for name in ("accord", "migrator", "mongo_migrations", "searchindex", "examples")
)
EXECUTOR = f"{ROOT}/migrator/engine/executor.py"


class Mortality:
    """
    Counts lines, and ends the process at one of them.

    Args:
        line: Which one; 0 for none.
        counting: Whether to count before the executor is reached.
    """

    def __init__(self, line: int, *, counting: bool) -> None:
        self.line = line
        self.counting = counting
        self.seen = 0
        self._turn = threading.Lock()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follow frames of the suite's code only."""
        filename = frame.f_code.co_filename
        if not filename.startswith(OURS):
            return None
        if not self.counting and filename == EXECUTOR and frame.f_code.co_name == "run":
            self.counting = True
        if event == "line" and self.counting:
            self._count()
        return self

    def _count(self) -> None:
        with self._turn:
            self.seen += 1
            if self.seen == self.line:
                os.kill(os.getpid(), signal.SIGKILL)


def main(line: int, arguments: list[str]) -> None:
    """Run the command under the tracer, in every thread."""
    mortality = Mortality(abs(line), counting=line < 0)
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
    main(int(sys.argv[1]), sys.argv[2:])
