"""A file of an object: what its first lines say of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from accord.errors import InvalidRevision
from migrator.foretelling.tokens import Token, tokens_of
from migrator.objects.kinds import KINDS, Kind

_LINE = re.compile(r"--[ \t]*([a-z]+):[ \t]*(.*?)[ \t]*\r?$")
_WORDS = ("object", "after", "depends", "store", "removed")
_PAGE = "See docs/howto/functions-and-views.md."
_TRANSACTION = frozenset(
    {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "RESET"}
)
_SUSPECT = re.compile(rf"\b({'|'.join(sorted(_TRANSACTION))}|SET)\b|/\*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ObjectSource:
    """
    One text of an object.

    Attributes:
        app: Label of the app.
        name: Name of the file, without its ending.
        path: The file.
        text: All of it.
        kind: Which kind of object.
        identity: Name of the object, of a routine with the types of its arguments.
        after: Steps of other stores that it needs: `app.name`, or `store:app.name`.
        depends: Objects that it needs, by the names of their files: `name`, or `app.name`.
        store: Alias of the store that it belongs to; empty for that of the default database.
        removed: Why the object is to go; empty while it is to stand.
    """

    app: str
    name: str
    path: Path
    text: str
    kind: Kind
    identity: str
    after: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    store: str = ""
    removed: str = ""

    @property
    def words(self) -> str:
        """Return kind and name, for people."""
        return f"{self.kind.word} {self.identity}"

    @property
    def arguments(self) -> Mapping[str, str]:
        """Return what the questions of the kind are asked with."""
        name, _, table = self.identity.partition(" on ")
        return {"name": name, "table": table.strip()} if self.kind.on_table else {"name": self.identity}

    @property
    def drop(self) -> str:
        """Return the statement that drops it, and nothing that needs it."""
        literal = "'" + self.identity.replace("'", "''") + "'"
        return self.kind.dropped.format(word=self.kind.word.upper(), identity=self.identity, literal=literal)

    def same_object(self, other: ObjectSource) -> bool:
        """Return whether both texts are of one object."""
        return (self.kind, self.identity) == (other.kind, other.identity)


def parse(text: str, *, app: str, name: str, path: Path, was_made: bool = False) -> ObjectSource:
    """
    Read a text.

    Args:
        text: Content of the file.
        app: Label of its app.
        name: Its name, without the ending.
        path: The file, for messages.
        was_made: Whether it was sent already, so that its statements are known to be fit.

    Raises:
        InvalidRevision: Its first lines don't say what it is, or it can't be sent as one transaction.
    """
    said = _header(text, path)
    kind, identity = _object(said.get("object", ""), path)
    source = ObjectSource(
        app=app,
        name=name,
        path=path,
        text=text,
        kind=kind,
        identity=identity,
        after=_list(said.get("after", "")),
        depends=_list(said.get("depends", "")),
        store=said.get("store", ""),
        removed=said.get("removed", ""),
    )
    if not was_made:
        _refuse_body(source)
    return source


def _header(text: str, path: Path) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for match in takewhile(bool, map(_LINE.match, text.lstrip().splitlines())):
        word, value = match.groups() if match else ("", "")
        if word not in _WORDS or word in found or not value:
            raise InvalidRevision(
                f"{path}: the line “-- {word}:” is unknown, empty, or there twice.",
                hint=f"The first lines say {', '.join(_WORDS)}; a blank line ends them. {_PAGE}",
            )
        found[word] = value
    return found


def _object(said: str, path: Path) -> tuple[Kind, str]:
    lowered = " ".join(said.split())
    for word in sorted(KINDS, key=len, reverse=True):
        if lowered.lower().startswith(f"{word} "):
            kind, identity = KINDS[word], lowered[len(word) :].strip()
            if kind.on_table is (" on " in identity) and bool(kind.closed) is identity.endswith(")"):
                return kind, identity
    raise InvalidRevision(
        f"{path}: the first line doesn't say which object it makes.",
        hint="Begin with “-- object: view NAME”, “-- object: function NAME(TYPES)” or “-- object: trigger "
        f"NAME on TABLE”; kinds: {', '.join(KINDS)}.",
    )


def _list(said: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in said.split(",") if part.strip())


def _refuse_body(source: ObjectSource) -> None:
    if not source.removed and _is_harmless(source.text):
        return
    firsts = list(_first_words(tokens_of(source.text)))
    if bool(firsts) is bool(source.removed):
        fact = "is to be removed, and has statements" if source.removed else "has no statement"
        raise InvalidRevision(
            f"{source.path} {fact}.",
            hint="A file makes its object, or says “-- removed: WHY” and nothing else.",
        )
    for word, following in firsts:
        if word in _TRANSACTION or (word == "SET" and following != "LOCAL"):
            raise InvalidRevision(
                f"{source.path}: {word} would reach beyond the transaction that the file is sent in.",
                hint="Take it out: the file and its line in the ledger are one transaction. "
                "SET LOCAL may stay; a function takes SET as a part of itself.",
            )


def _is_harmless(text: str) -> bool:
    """Return whether one look shows that there is a statement and none that needs a closer look."""
    lines = (line.strip() for line in text.splitlines())
    return not _SUSPECT.search(text) and any(
        line and not line.startswith(("--", "/*", "*")) for line in lines
    )


def _first_words(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Yield the first two words of each statement; a body in BEGIN ATOMIC belongs to its statement."""
    depth, begins = 0, True
    for token, after in zip(tokens, [*tokens, None][1:], strict=True):
        following = after.word if after else ""
        if token.text == ";" and not depth:
            begins = True
            continue
        if begins:
            yield token.word, following
            begins = False
        elif token.word == "CASE" or (token.word == "BEGIN" and following == "ATOMIC"):
            depth += 1
        elif token.word == "END" and depth:
            depth -= 1
