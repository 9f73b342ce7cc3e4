"""What changed between two versions of a text, word by word. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, kw_only=True)
class Piece:
    """
    A run of words.

    Attributes:
        kind: `same`, `added` or `removed`.
        text: The words, with the spaces after them.
    """

    kind: str
    text: str


def compare(old: str, new: str) -> Sequence[Piece]:
    """Return the words of both versions in order; what was removed stands before what came in its place."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    pieces: list[Piece] = []
    for _tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[i:j] == after[k:m]:
            pieces.append(Piece(kind="same", text="".join(before[i:j])))
            continue
        gone = Piece(kind="removed", text="".join(before[i:j]))
        come = Piece(kind="added", text="".join(after[k:m]))
        pieces.extend(piece for piece in (gone, come) if piece.text)
    return pieces
