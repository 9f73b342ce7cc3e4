"""Questions at a terminal: a yes goes on, anything else and no terminal don't."""

from __future__ import annotations

import io
import os
import pty
import sys
from collections.abc import Iterator

import pytest

from accord.cli.questions import require_yes
from accord.errors import NotConfirmed


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give what a person types into; the process reads from that terminal."""
    typed, read = pty.openpty()
    with os.fdopen(read) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        yield typed
    os.close(typed)


@pytest.mark.parametrize("answer", ["y", "yes", " Y "])
def test_a_yes_goes_on(keyboard: int, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The question stands on standard error, so that the answer of the command stays a program's."""
    os.write(keyboard, f"{answer}\n".encode())

    require_yes("Erase now?")

    assert capsys.readouterr() == ("", "Erase now? [y/N] ")


@pytest.mark.parametrize("answer", ["", "n", "yess"])
def test_anything_else_changes_nothing(keyboard: int, answer: str) -> None:
    """Enter alone is a no."""
    os.write(keyboard, f"{answer}\n".encode())

    with pytest.raises(NotConfirmed, match="nothing was changed"):
        require_yes("Erase now?")


def test_without_a_terminal_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A yes in a pipe was meant for something else."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(NotConfirmed, match="no terminal"):
        require_yes("Erase now?")

    assert capsys.readouterr() == ("", "")
