"""Questions at a terminal before something is changed."""

from __future__ import annotations

import sys

from accord.cli.printable import say_aside
from accord.errors import NotConfirmed


def require_yes(question: str) -> None:
    """
    Ask a question on standard error, and go on after a yes only.

    Args:
        question: Without the answers that it takes.

    Raises:
        NotConfirmed: The answer was not yes, or there is no terminal to answer at.
    """
    if not sys.stdin.isatty():
        raise NotConfirmed("There is no terminal to confirm at.", hint="Add --noinput if you mean it.")
    say_aside(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmed("Not confirmed; nothing was changed.", hint="Answer y, or give --noinput.")
