"""Cutting SQL into tokens, so that what stands in quotes and parentheses stays whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<dollar>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<text>[eE]?'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<word>[A-Za-z_][\w$]*|\d[\w.]*)
    |(?P<sign>::|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A token, with its place in the text."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return the keyword that it may be, in capitals; empty for anything in quotes."""
        return self.text.upper() if self.kind == "word" else ""


def tokens_of(text: str) -> list[Token]:
    """Cut a statement into tokens; spaces and comments are left out."""
    found = (Token(match.lastgroup or "", match.group(), *match.span()) for match in _TOKEN.finditer(text))
    return [_named(token) for token in found if token.kind != "space"]


def _named(token: Token) -> Token:
    # The group within a dollar-quoted text is not the last one that matched.
    return Token("text", token.text, token.start, token.end) if token.text.startswith("$") else token


class Cursor:
    """
    Reads a statement from its beginning to its end.

    Args:
        text: The statement.
        tokens: Its tokens, or those of a part of it.
    """

    def __init__(self, text: str, tokens: Sequence[Token] | None = None) -> None:
        self.text = text
        self._tokens = tokens_of(text) if tokens is None else list(tokens)
        self._at = 0

    @property
    def done(self) -> bool:
        """Return whether nothing is left."""
        return self._at >= len(self._tokens)

    def peek(self) -> Token | None:
        """Return the next token without taking it."""
        return None if self.done else self._tokens[self._at]

    def take(self) -> Token:
        """
        Take the next token.

        Raises:
            LookupError: There is none.
        """
        if self.done:
            raise LookupError("the statement ends early")
        self._at += 1
        return self._tokens[self._at - 1]

    def takes(self, *words: str) -> bool:
        """Take these keywords if they come next."""
        ahead = [token.word or token.text for token in self._tokens[self._at : self._at + len(words)]]
        if ahead != list(words):
            return False
        self._at += len(words)
        return True

    def needs(self, *words: str) -> None:
        """
        Take these keywords.

        Raises:
            LookupError: Others come.
        """
        if not self.takes(*words):
            raise LookupError(f"no {' '.join(words)} here")

    def name(self) -> str:
        """Take a name, with its schema if it has one, as it is written."""
        parts = [self.take().text]
        while self.takes("."):
            parts.append(self.take().text)
        return ".".join(parts)

    def group(self) -> str:
        """Take what stands in parentheses, and return it without them."""
        self.needs("(")
        start, depth = self._tokens[self._at - 1].end, 1
        end = start
        while depth:
            token = self.take()
            end = token.start
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
        return self.text[start:end].strip()

    def rest(self, *ends: str) -> str:
        """Take everything up to one of these keywords outside of parentheses, or to the end."""
        taken: list[Token] = []
        depth = 0
        while (token := self.peek()) is not None and (depth or token.word not in ends):
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
            taken.append(self.take())
        return self.text[taken[0].start : taken[-1].end] if taken else ""

    def parts(self) -> Iterator[Cursor]:
        """Cut what is left at its outer commas."""
        part: list[Token] = []
        depth = 0
        while not self.done:
            token = self.take()
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
            if token.text == "," and not depth:
                yield Cursor(self.text, part)
                part = []
            else:
                part.append(token)
        if part:
            yield Cursor(self.text, part)


def statements_of(text: str) -> Iterator[Cursor]:
    """Cut a text at its semicolons; empty statements are left out."""
    own: list[Token] = []
    for token in [*tokens_of(text), Token("sign", ";", len(text), len(text))]:
        if token.text != ";":
            own.append(token)
        elif own:
            yield Cursor(text, own)
            own = []


def plain(name: str) -> str:
    """Return a name as the catalog has it: without quotes, or in small letters where there were none."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', name)
    return ".".join(part[1:-1].replace('""', '"') if part[0] == '"' else part.lower() for part in parts)


def columns_of(text: str) -> tuple[str, ...]:
    """Return the parts of a list of columns or expressions, as they are written."""
    return tuple(part.rest() for part in Cursor(text).parts())
