"""
When two spellings of a textual key are the same person: one form of each, by the folding that is declared.

Look-alikes stay apart: a full-width digit is no digit, and a Cyrillic letter no Latin one. Only what Unicode
calls the same text (canonical equivalence), the same letter in another case, or the same domain is folded.
"""

from __future__ import annotations

import enum
import re
import unicodedata

_DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""What separates the labels of a domain (UTS 46)."""


class Fold(enum.StrEnum):
    """Which spellings of a key are one key."""

    EXACT = "exact"
    """The same characters, one by one."""
    FORM = "form"
    """The same text in any Unicode form: é in one character or in two."""
    CASE = "case"
    """The same letters in any case, and in any Unicode form."""
    EMAIL = "email"
    """The same mailbox: what is before the @ as for `case`, the domain as DNS compares it (IDNA)."""


def folded(text: str, fold: Fold) -> str:
    """
    Write a textual key in the one form that all of its spellings share.

    Args:
        text: The key, in any spelling.
        fold: Which spellings are one.
    """
    match fold:
        case Fold.EXACT:
            return text
        case Fold.FORM:
            return unicodedata.normalize("NFC", text)
        case Fold.CASE:
            return _caseless(text)
        case Fold.EMAIL:
            local, at, domain = text.rpartition("@")
            return f"{_caseless(local)}@{_domain(domain)}" if at else _caseless(text)


def _caseless(text: str) -> str:
    """Fold case as Unicode's canonical caseless matching does (D145), composed again at the end."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _domain(text: str) -> str:
    return ".".join(map(_label, _DOTS.split(text)))


def _label(text: str) -> str:
    """Write one label as DNS has it; not by casefold, for which straße.de were strasse.de."""
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    return lower if lower.isascii() else f"xn--{lower.encode('punycode').decode()}"
