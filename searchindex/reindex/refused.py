"""
What it means that an index does not take a document: a busy server is no bad mapping.

Servers quote values of documents in their sentences, so a sentence is never told. Its kind is, and the
field that it names, and the ids of the first documents: enough to find them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from accord.errors import AccordError, StepFailed, StoreUnavailable
from searchindex.blocks import way_on

BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_IDS, _ID_LENGTH, _FIELDS = 10, 60, 5
# From the beginning of a sentence on: what follows may be the text of a document.
_PLACE = r"(?:\[\d+:\d+\] )?"
_NAMED = re.compile(
    _PLACE + r"(?:failed to parse field \[(?P<parsed>[^\]]{1,200})\] of type"
    r"|object mapping for \[(?P<object>[^\]]{1,200})\] tried to parse"
    r"|The \[\w+\] field \[(?P<vector>[^\]]{1,200})\] in doc"
    r"|mapper \[(?P<mapper>[^\]]{1,200})\] (?:cannot be changed|of different type)"
    r'|Document contains at least one immense term in field="(?P<immense>[^"]{1,200})")'
)
# The mapping doesn't have this one: the name is a document's own word.
_UNKNOWN = re.compile(
    _PLACE + r"mapping set to strict, dynamic introduction of \[(?P<name>[^\]]{1,200})\] "
    r"within \[(?P<inside>[^\]]{1,200})\]"
)


@dataclass(frozen=True)
class Refused:
    """
    A document that an index did not take.

    Attributes:
        status: HTTP status.
        kind: The server's name for the reason.
        document: Its id; empty where the server refused more than one document.
        field: The field that the server names.
        own_word: The field's name comes from the document, not from the mapping.
    """

    status: int
    kind: str
    document: str = ""
    field: str = ""
    own_word: bool = False


def read(status: int, error: Mapping[str, Any], *, kind: str = "unknown", document: str = "") -> Refused:
    """
    Read what a server says of a document that it refuses.

    Args:
        status: HTTP status.
        error: Type, reason and causes.
        kind: Stands for a type that the server does not tell.
        document: Its id.
    """
    named = str(error.get("type") or kind)
    for reason in _reasons(error):
        if found := _NAMED.match(reason):
            return Refused(status, named, document, str(found[found.lastgroup or 0]))
        if found := _UNKNOWN.match(reason):
            inside = "" if found["inside"] == "_doc" else f"{found['inside']}."
            return Refused(status, named, document, f"{inside}{found['name']}", own_word=True)
    return Refused(status, named, document)


def refusal(fact: str, refused: Collection[Refused], *, personal: bool = False) -> AccordError:
    """
    Make the error for documents that were refused.

    Args:
        fact: What was refused, without a full stop; texts of documents stay out, they hold people's data.
        refused: Each refused document.
        personal: The documents are people's: no id may show, and no name that a document brought.
    """
    statuses = {one.status for one in refused}
    told = f"{fact} ({', '.join(sorted({one.kind for one in refused}))})."
    if blocked := next(filter(None, (way_on(one.kind, one.status) for one in refused)), ""):
        return StepFailed(told, hint=blocked)
    if statuses <= BUSY:
        return StoreUnavailable(
            f"{told} The server is too busy.", hint="Give it time or more room, then run again."
        )
    told = " ".join([told, *_details([one for one in refused if one.status not in BUSY], personal=personal)])
    if HTTPStatus.BAD_REQUEST in statuses:
        return StepFailed(
            told,
            hint="The new mapping does not take every document; correct the revision or those documents, "
            "then run again.",
        )
    return StepFailed(told, hint="See the server's log for the reason, then run again.")


def shown(document: str, *, personal: bool) -> str:
    """
    Describe the id of a document for a message.

    Args:
        document: The id.
        personal: The documents are people's, so that no value may show.
    """
    if personal:
        return "(its id is not shown: the documents are people's)"
    text = "".join(letter if letter.isprintable() else "?" for letter in document[: _ID_LENGTH + 1])
    return text if len(text) <= _ID_LENGTH else f"{text[:_ID_LENGTH]}…"


def _details(refused: Collection[Refused], *, personal: bool) -> Iterator[str]:
    """Name fields and the first documents, as far as they may be named."""
    fields = sorted({one.field for one in refused if one.field and not (personal and one.own_word)})
    if fields:
        more = f" and {len(fields) - _FIELDS} more" if len(fields) > _FIELDS else ""
        word = "Field" if len(fields) == 1 else "Fields"
        yield f"{word}: {', '.join(shown(name, personal=False) for name in fields[:_FIELDS])}{more}."
    found = list(dict.fromkeys(one.document for one in refused if one.document))
    if personal and found:
        yield "Ids are not shown: the documents are people's."
    elif found:
        more = f" and {len(found) - _IDS} more" if len(found) > _IDS else ""
        yield f"By _id: {', '.join(shown(document, personal=False) for document in found[:_IDS])}{more}."


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    """Give the sentence of an error and of each of its causes."""
    found: object = error
    while isinstance(found, Mapping):
        yield str(found.get("reason") or "")
        found = found.get("caused_by")
