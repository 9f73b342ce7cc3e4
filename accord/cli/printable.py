"""Texts that somebody else wrote, made safe to show on a terminal."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from typing import TextIO, cast

from django.core.management.base import OutputWrapper

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of Unicode that move the cursor, turn the order of letters round, or end a line."""

_OURS = re.compile(r"\x1b\[\d{0,2}(?:;\d{1,2})*m|[\n\t]")
"""What our own answers hold: ends of lines, and colours as Django writes them."""


def one_line(text: str) -> str:
    """
    Return a text on one line in which nothing acts on the terminal.

    Control characters, ends of lines, and marks that turn the direction of letters round (such as U+202E) are
    written as escapes, so that no reason can wipe what stands above it or pretend to be a line of ours.

    Args:
        text: What somebody wrote: a reason, a name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter.encode("unicode_escape").decode("ascii") if unicodedata.category(letter) in _UNSEEN else letter
        for letter in text
    )


def harmless(text: str) -> str:
    """
    Return an answer of several lines in which nothing but ends of lines and colours acts on the terminal.

    The net below :func:`one_line`: a server's message, a name in a catalog or a file may hold anything.

    Args:
        text: Lines as they would be written.
    """
    parts: list[str] = []
    end = 0
    for ours in _OURS.finditer(text):
        parts += [one_line(text[end : ours.start()]), ours.group()]
        end = ours.end()
    return "".join([*parts, one_line(text[end:])])


def say_aside(text: str) -> None:
    """Write beside the answer, where no command's own output is at hand. See :func:`harmless`."""
    sys.stderr.write(harmless(text))


class HarmlessOutput(OutputWrapper):
    """Where a command writes; what acts on a terminal is written as an escape. See :func:`harmless`."""

    @classmethod
    def over(cls, output: OutputWrapper) -> HarmlessOutput:
        """Return the same place to write to."""
        if isinstance(output, cls):
            return output
        # Django keeps the stream below under no other name, and its type says nothing of it.
        return cls(cast("TextIO", output._out), output.ending)  # noqa: SLF001

    def write(  # type: ignore[override]  # as Django's own differs from that of io
        self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None
    ) -> None:
        """Write as Django does."""
        super().write(harmless(msg), style_func, ending)
