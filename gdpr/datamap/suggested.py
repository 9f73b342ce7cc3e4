"""A suggested entry as text for a `privacy.py`: what is known, what is guessed, what a person writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdpr.datamap.entries import TABLE
from gdpr.datamap.guesses import Basis, Guess

_INT = frozenset({"integer", "bigint", "smallint", "int", "long", "number", "short"})


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """
    One place that has no entry, and what it may hold.

    Attributes:
        store: Alias of the store.
        target: As an entry names it.
        owner: Field that holds the key of the person; empty where no name looks like it.
        owner_type: Its type.
        owner_basis: How that is known.
        owner_by: Which other key of the person it holds; empty for the subject's own.
        guesses: What other fields may hold.
        fields: How many fields there are.
        sampled: Whether values were looked at.
        kind: The kind of person whose key it holds; empty where there is one kind, or where nobody knows.
        kinds: What the kinds of people are called; empty where there is one.
        alone: Whether nothing else is suggested for this place.
    """

    store: str
    target: str
    owner: str
    owner_type: str
    owner_basis: Basis
    owner_by: str
    guesses: Sequence[Guess]
    fields: int
    sampled: bool
    kind: str = ""
    kinds: tuple[str, ...] = ()
    alone: bool = True

    @property
    def is_personal(self) -> bool:
        """Return whether anything looks like a person's."""
        return bool(self.owner or self.guesses)


def text_of(one: Suggestion) -> str:
    """
    Write a suggestion as an entry of `DATA_MAP`.

    What a person has to decide is left empty, so that the check goes on failing until they do.
    """
    return "\n".join([*_comments(one), "Entry(", *(f"    {line}" for line in _lines(one)), "),"])


def as_document(one: Suggestion) -> Mapping[str, Any]:
    """Describe a suggestion for JSON answers."""
    owner = {"field": one.owner, "how": str(one.owner_basis)} if one.owner else None
    return {
        "store": one.store,
        "target": one.target,
        "owner": owner,
        **({"kind": one.kind} if one.kinds else {}),
        "fields": [{"field": guess.path, "may_hold": guess.what, "how": guess.why} for guess in one.guesses],
        "text": text_of(one),
    }


def _comments(one: Suggestion) -> Iterator[str]:
    looked = "names, types and some values" if one.sampled else "names and types"
    if not one.is_personal:
        yield f"# Of {one.fields} fields, none looks like a person's, judged from {looked}."
        yield "# That proves nothing: say why nobody is in it, or what it holds."
        return
    yield f"# Guessed from {looked}; read the place before you keep a line of this."
    if one.owner:
        known = "known" if one.owner_basis is Basis.KEY else "a guess"
        yield f"# {one.owner}: whose it is ({known}, {one.owner_basis})."
    for guess in one.guesses:
        yield f"# {guess.path}: {guess.what} (a guess, {guess.why})."


def _lines(one: Suggestion) -> Iterator[str]:
    yield f"id={_quoted(_id(one))},"
    yield f"store={_quoted(one.store)},"
    yield f"target={_quoted(one.target)},"
    if one.owner and not one.target.startswith(TABLE):
        by = f", by={_quoted(one.owner_by)}" if one.owner_by else ""
        yield f"locator=Key({_quoted(one.owner)}, {_python(one.owner_type)}{by}),"
        yield "action=Delete(),  # unless a law wants it kept"
        yield from _whose(one)
    elif one.is_personal:
        yield 'action=Manual(""),  # how are one person\'s data found here, and who takes them out?'
    else:
        yield 'action=Nothing(""),  # why is nothing of anybody here?'
        return
    fields = [guess.path for guess in one.guesses]
    if fields:
        yield f"fields=({', '.join(map(_quoted, fields))},),"
    categories = dict.fromkeys(guess.category for guess in one.guesses)
    yield f"category={_quoted(next(iter(categories), ''))},"
    yield 'purpose="",  # what for?'


def _whose(one: Suggestion) -> Iterator[str]:
    """Say whose data these are where a project has several kinds of people, and no foreign key says it."""
    if one.kind and one.owner_basis is not Basis.KEY:
        yield f"of={_quoted(one.kind)},"
    elif one.kinds and not one.kind:
        yield f'of="",  # whose: {", ".join(one.kinds)}?'


def _python(kind: str) -> str:
    words = set(kind.removesuffix(" (seen)").split("|"))
    if words & _INT:
        return "int"
    if "uuid" in words:
        return '"uuid"'
    return '"objectid"' if "objectId" in words else "str"


def _id(one: Suggestion) -> str:
    name = f"{one.store}-{one.target.removeprefix(TABLE)}"
    whose = "" if one.alone else f"-of-{one.kind}"
    return re.sub(r"[^a-z0-9]+", "-", f"{name}{whose}".lower()).strip("-")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
