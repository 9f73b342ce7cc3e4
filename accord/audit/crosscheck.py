"""
Evidence in tables, held against the events that tell of it: neither may be there without the other.

An app names in the attribute `witnessed` of its configuration, by dotted path, which of its rows an event
tells of. A row that somebody wrote or changed by hand has no event that fits; a table that was emptied leaves
events that tell of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import connections
from django.utils.module_loading import import_string

from accord.audit.marks import Mark
from accord.audit.problems import Problem, ProblemKind

MOST = 20
"""How many rows of one kind are named."""
# Events of an earlier version hold no digest of the row; those can't be added any more since the key.
_UNTOLD = """
    WITH kept AS ({rows})
    SELECT kept.reference, kept.event, count(*) OVER () FROM kept
    WHERE NOT EXISTS (
        SELECT 1 FROM accord_auditevent AS told
        WHERE told.object_ref = kept.reference AND told.event = kept.event
          AND (kept.digest IS NULL OR told.plan_digest = kept.digest OR told.seq < %s)
    )
    ORDER BY 1, 2 LIMIT %s
"""
_GONE = """
    WITH kept AS ({rows})
    SELECT told.seq, told.event, count(*) OVER () FROM accord_auditevent AS told
    WHERE told.event = ANY(%s) AND told.object_ref <> ''
      AND NOT EXISTS (
          SELECT 1 FROM kept WHERE kept.reference = told.object_ref AND (NOT %s OR kept.event = told.event)
      )
    ORDER BY 1 LIMIT %s
"""


@dataclass(frozen=True, kw_only=True)
class Witnessed:
    """
    Rows that an event of the trail tells of.

    Attributes:
        what: What one row is called in messages: `consent`.
        tables: Tables that the rows are in; where one is missing nothing is compared.
        rows: A query that gives `reference`, `event` and `digest` (NULL where an event holds none).
        events: Kinds of events whose rows have to be there still.
        each: Whether each kind of event has a row of its own, and not only its reference.
        forged: Yields the references of rows that are not what their digest says, given the database.
    """

    what: str
    tables: Sequence[str]
    rows: str
    events: Sequence[str]
    each: bool = False
    forged: Callable[[str], Iterator[str]] | None = None


def declared() -> Sequence[Witnessed]:
    """Return what every installed app declares."""
    paths = (getattr(config, "witnessed", "") for config in apps.get_app_configs())
    return [one for path in paths if path for one in import_string(path)]


def compare(alias: str, marks: Sequence[Mark]) -> Iterator[Problem]:
    """
    Compare every kind of evidence with the trail.

    Args:
        alias: Database of the trail.
        marks: The marks of the database, in order.
    """
    key_from = min((mark.since for mark in marks if mark.genuine), default=0)
    for kind in declared():
        if _absent(alias, kind.tables):
            continue
        yield from _untold(alias, kind, key_from)
        yield from _gone(alias, kind)
        yield from _forged(alias, kind)


def _untold(alias: str, kind: Witnessed, key_from: int) -> Iterator[Problem]:
    for reference, event, count in _asked(alias, _UNTOLD.format(rows=kind.rows), [key_from, MOST]):
        text = f"No event “{event}” tells of {kind.what} {reference} as it stands in the database."
        yield Problem(kind=ProblemKind.UNWITNESSED, seq=0, text=_with_rest(text, count))


def _gone(alias: str, kind: Witnessed) -> Iterator[Problem]:
    asked = [list(kind.events), kind.each, MOST]
    for seq, event, count in _asked(alias, _GONE.format(rows=kind.rows), asked):
        text = f"Event {seq}, “{event}”, tells of a {kind.what} that the database doesn't hold."
        yield Problem(kind=ProblemKind.GONE, seq=seq, text=_with_rest(text, count))


def _forged(alias: str, kind: Witnessed) -> Iterator[Problem]:
    for reference in islice(kind.forged(alias) if kind.forged else (), MOST):
        text = f"The content of {kind.what} {reference} is not what its digest was made of."
        yield Problem(kind=ProblemKind.UNWITNESSED, seq=0, text=text)


def _with_rest(text: str, count: int) -> str:
    return f"{text} There are {count} such in all." if count > MOST else text


def _absent(alias: str, tables: Sequence[str]) -> bool:
    query = "SELECT count(*) FROM unnest(%s::text[]) AS wanted (tab) WHERE to_regclass(tab) IS NULL"
    [(count,)] = _asked(alias, query, [list(tables)])
    return bool(count)


def _asked(alias: str, query: str, parameters: Sequence[Any]) -> Sequence[tuple[Any, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
