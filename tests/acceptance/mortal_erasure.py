"""
`manage.py gdpr_erase` or `gdpr_process`, killed at a given line of the suite's own code.

    python -m tests.acceptance.mortal_erasure LINE COMMAND [ARGUMENTS]

Lines are counted from the moment when the saga takes a request up. LINE 0 lets it live, and
writes how many lines it ran to the file named by ACCORD_COUNT_LINES.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = tuple(f"{ROOT}/{name}/" for name in ("accord", "gdpr"))
SAGA = frozenset({f"{ROOT}/gdpr/services/erasure.py", f"{ROOT}/gdpr/services/cohorts.py"})


class Mortality:
    """
    Counts lines, and ends the process at one of them.

    Args:
        line: Which one; 0 for none.
    """

    def __init__(self, line: int) -> None:
        self.line = line
        self.counting = False
        self.seen = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Follow frames of the suite's code only."""
        filename = frame.f_code.co_filename
        if not filename.startswith(OURS):
            return None
        if filename in SAGA and frame.f_code.co_name == "work":
            self.counting = True
        if event == "line" and self.counting:
            self.seen += 1
            if self.seen == self.line:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def main(line: int, arguments: list[str]) -> None:
    """Run the command under the tracer."""
    mortality = Mortality(line)
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
