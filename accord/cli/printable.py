"""Texts that somebody else wrote, made safe to show on a terminal."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that move the cursor, turn the order of letters round, or end a line."""


def one_line(text: str) -> str:
    """
    Return a text on one line in which nothing acts on the terminal.

    Control characters, ends of lines, and marks that turn the direction of letters round (such as U+202E) are
    written as escapes, so that no reason can wipe what stands above it or pretend to be a line of ours.

    Args:
        text: What somebody wrote: a reason, a name.
    """
    return "".join(
        letter.encode("unicode_escape").decode("ascii") if unicodedata.category(letter) in _UNSEEN else letter
        for letter in text
    )
