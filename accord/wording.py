"""
Sentences written in English where they arise, and said in the reader's language where they are shown.

A service knows no reader: the same refusal goes to a terminal, a log, the trail, and a page of the admin in
French. What it says is therefore plain English text that remembers its pattern and what was filled in, and
the page words it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

if TYPE_CHECKING:
    from accord.errors import AccordError


class Sentence(str):
    """
    A sentence in English that can be said in another language.

    Attributes:
        pattern: The sentence with names in braces, which the catalogues have.
        values: What was filled in, by name; a sentence among them is worded as well.
    """

    __slots__ = ("pattern", "values")

    pattern: str
    values: dict[str, Any]


def say(pattern: str, /, **values: Any) -> Sentence:
    """
    Write a sentence.

    Args:
        pattern: In English, with names in braces, such as `No {kind} has this key.`
        values: What is filled in, by name.
    """
    sentence = Sentence(pattern.format(**values))
    sentence.pattern, sentence.values = pattern, values
    return sentence


def worded(text: str) -> str:
    """
    Say a sentence in the language that is active now.

    What no catalogue has stays in English: a half-translated page says more than an empty one.
    """
    if isinstance(text, Sentence):
        values = {name: worded(one) if isinstance(one, str) else one for name, one in text.values.items()}
        return gettext(text.pattern).format(**values)
    return gettext(text) if text else ""


def explained(error: AccordError) -> str:
    """Say what an error tells, with its code and the next move, in the language that is active now."""
    return f"[{error.code}] {worded(error.message)} {worded(error.hint)}".strip()
