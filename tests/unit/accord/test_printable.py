"""Nothing that somebody wrote acts on the terminal of whoever reads it."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper

from accord.cli.printable import harmless, one_line
from accord.command import PipedCommand
from accord.events import LeaseAwaited
from migrator.cli.progress import PlainProgress


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("ok \x1b[2J\x1b[H harmless", "ok \\x1b[2J\\x1b[H harmless"),
        ("yes\nApproval is approved", "yes\\nApproval is approved"),
        ("yes\r\x0b\x0c\x85\u2028no", "yes\\r\\x0b\\x0c\\x85\\u2028no"),
        ("refund \u202e001\u2069", "refund \\u202e001\\u2069"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_what_acts_on_a_terminal_is_written_as_an_escape(written: str, shown: str) -> None:
    """Control sequences, ends of lines and marks of direction are seen, and do nothing."""
    assert one_line(written) == shown


@pytest.mark.parametrize("text", ["a release: “Größe” → €5, 日本語", "e\u0301tude", "C:\\new", ""])
def test_plain_words_stay_as_they_are(text: str) -> None:
    """Letters of every script, combined marks and backslashes are only letters."""
    assert one_line(text) == text


COLOURED = "\x1b[32;1mdone\x1b[0m\n\tafter it"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (COLOURED, COLOURED),
        ("no index “a\x1b[2Jb”", "no index “a\\x1b[2Jb”"),
        ("title \x1b]0;owned\x07", "title \\x1b]0;owned\\x07"),
        ("over\rwritten \u2066x", "over\\rwritten \\u2066x"),
    ],
)
def test_answer_of_several_lines_holds_only_colours(written: str, shown: str) -> None:
    """Ends of lines and colours are our own; whatever else acts on a terminal came from elsewhere."""
    assert harmless(written) == shown


@pytest.mark.parametrize("place", ["stdout", "stderr"])
def test_no_command_writes_what_acts_on_a_terminal(place: str) -> None:
    """Both ways out of every command lead over the net, with a stream that Django sets later, too."""
    heard = io.StringIO()
    command = PipedCommand()
    setattr(command, place, OutputWrapper(heard))

    getattr(command, place).write("a server said \x1b[H\u202e", lambda text: f"\x1b[31m{text}\x1b[0m")

    assert heard.getvalue() == "\x1b[31ma server said \\x1b[H\\u202e\n\x1b[0m"


def test_progress_holds_nothing_that_acts_on_a_terminal() -> None:
    """Also where it tells of another run: whoever holds the lease wrote that row."""
    heard = io.StringIO()
    owner = "host\x1b[2J/1/1"

    PlainProgress(heard, 1)(LeaseAwaited(scope="s", run_id="r\x1b[H", owner=owner, age=1, left=2))

    assert "\x1b" not in heard.getvalue()
    assert "\\x1b[H" in heard.getvalue()
