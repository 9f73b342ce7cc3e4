"""Nothing that somebody wrote acts on the terminal of whoever reads it."""

from __future__ import annotations

import pytest

from accord.cli.printable import one_line


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
