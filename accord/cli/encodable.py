"""What a terminal or a file can't take is written in letters that it can: no answer ends in a traceback."""

from __future__ import annotations

import codecs
import io
import unicodedata
from typing import Any

HANDLER = "accord-plain"

_PLAIN = {
    **dict.fromkeys("\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}„", '"'),
    **dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'"),
    **dict.fromkeys("\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}─·", "-"),
    **dict.fromkeys("├│", "|"),
    "…": "...",
    "\N{MULTIPLICATION SIGN}": "x",
    "└": "`",
    "→": "->",
    "←": "<-",
}


_MENDED = ("strict", "surrogateescape", "backslashreplace")
"""How Python meets what an encoding lacks: by an error, or in digits that nobody reads."""


def make_encodable(*streams: Any) -> None:
    """
    Have streams write what their encoding lacks in plain letters.

    Args:
        streams: Standard output and standard error; what is no stream of Python's own is left as it is.
    """
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _MENDED:
            stream.reconfigure(errors=HANDLER)


def plain(text: str) -> str:
    """Return a text in ASCII: quotes, lines and dashes as one types them, letters without their marks."""
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    if letter in _PLAIN:
        return _PLAIN[letter]
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii") or "?"


def _handle(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


codecs.register_error(HANDLER, _handle)
