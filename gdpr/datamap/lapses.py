"""What runs out by the data map: entries with a term, the date from which on rows stay, whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from django.apps import apps
from django.db import connections
from django.db.models import ForeignKey

from accord import db
from gdpr.datamap.actions import Anonymise, Delete, Detach, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.locators import Array, Key, Path, Rows, Through, parts
from gdpr.datamap.map import DataMap
from gdpr.datamap.terms import After
from gdpr.states import LapseKind


@dataclass(frozen=True, kw_only=True)
class Lapse:
    """
    What runs out of one entry.

    Attributes:
        entry: The entry; its action is what becomes of rows that have run out.
        kind: Of whom.
        term: By which it runs out: a term, or a day for all of it.
        field: Field with the date that is looked at; empty where every row runs out on one day.
        before: Rows of an earlier date have run out; None with an empty field.
        owner: Path to the primary key of whose a row is; empty where a row doesn't say it.
    """

    entry: Entry
    kind: LapseKind
    term: After | date
    field: str = ""
    before: date | None = None
    owner: str = ""

    @property
    def rule(self) -> str:
        """Return the term in words."""
        return str(self.term)

    @property
    def is_told(self) -> bool:
        """Return whether a row says enough: what is kept of erased people is found by whose it is."""
        return self.kind is LapseKind.ROWS or bool(self.owner)

    @property
    def wheres(self) -> tuple[dict[str, str | int], ...]:
        """The values of which a row must have one set; none where every row of the target is the entry's."""
        given = [dict(getattr(part, "where", {})) for part in parts(self.entry.locator)]
        return tuple(given) if all(given) else ()


def lapses(the_map: DataMap, today: date) -> list[Lapse]:
    """
    List what has a term, in the order of an erasure.

    Args:
        the_map: The data map.
        today: The day, on the project's calendar.
    """
    found = [(entry, the_map.whose(entry)) for entry in the_map.looked_at()]
    return [
        one
        for entry, whose in found
        for one in _of_entry(entry, _owner(entry, whose.key if whose else "", the_map), today)
    ]


def by_words(the_map: DataMap) -> list[Entry]:
    """List what is kept by law until nobody counts when: words end nothing."""
    return [
        entry
        for entry in the_map.looked_at()
        if isinstance(entry.action, Retain) and isinstance(entry.action.until, str)
    ]


def endless(entry: Entry, person: str) -> Iterator[MapFinding]:
    """
    Look for a term of what can't go row by row.

    Args:
        entry: The entry.
        person: Label of the model that stands for the person; empty where there is none.
    """
    if isinstance(entry.retention, After) and entry.target.lower() == person.lower():
        what = "has a term for people's own rows, and everything else of them would stay"
        yield about(Fault.WRONG_ACTION, entry, what, "Ask for their erasure, which takes everything.")
    whole = isinstance(entry.action, Delete | Anonymise | Unset | Detach | Retain)
    shared = any(isinstance(one, Array) for one in parts(entry.locator))
    if isinstance(entry.retention, After) and (
        not whole or (shared and not isinstance(entry.action, Delete))
    ):
        what = "has a term for its rows, and the action is not one of whole rows"
        yield about(
            Fault.WRONG_ACTION, entry, what, "Say in words how long it is kept, and end it elsewhere."
        )


def _of_entry(entry: Entry, owner: str, today: date) -> Iterator[Lapse]:
    # What is kept by law is no longer needed at all when its time is over.
    acting = replace(entry, action=Delete()) if isinstance(entry.action, Retain) else entry
    if isinstance(entry.retention, After):
        yield _counted(acting, LapseKind.ROWS, entry.retention, owner, today)
    if isinstance(entry.action, Retain):
        until = entry.action.until
        if isinstance(until, After):
            yield _counted(acting, LapseKind.KEPT, until, owner, today)
        elif isinstance(until, date) and until < today:
            yield Lapse(entry=acting, kind=LapseKind.KEPT, term=until, owner=owner)


def _counted(entry: Entry, kind: LapseKind, term: After, owner: str, today: date) -> Lapse:
    return Lapse(
        entry=entry, kind=kind, term=term, field=term.field, before=term.first_kept(today), owner=owner
    )


def _owner(entry: Entry, primary: str, the_map: DataMap, seen: tuple[str, ...] = ()) -> str:
    """Return the path to the primary key of a row's person; a key that others may have names nobody."""
    match entry.locator:
        case Rows(entry=other) if other in the_map.by_id and other not in seen:
            further = the_map.entry(other)
            joined = _foreign_key(entry, further)
            beyond = _owner(further, primary, the_map, (*seen, other)) if joined else ""
            return f"{joined}__{beyond}" if beyond else ""
        case Key(by=by) | Path(by=by) | Through(by=by) if by not in ("", primary):
            return ""
        case Key(field=field):
            return field
        case Path(path=path):
            return path
        case Through(path=path) if _has_joins(entry.store):
            return path
        case _:
            return ""


def _foreign_key(entry: Entry, further: Entry) -> str:
    """Return the foreign key by which an entry's rows lead to those of another; empty for none in tables."""
    locator = entry.locator
    if not isinstance(locator, Rows) or entry.store != further.store or not _has_joins(entry.store):
        return ""
    try:
        model, other = apps.get_model(entry.target), apps.get_model(further.target)
    except (LookupError, ValueError):
        return ""
    for field in model._meta.concrete_fields:
        if locator.field in (field.name, field.attname) and isinstance(field, ForeignKey):
            leads = field.related_model is other and field.target_field.primary_key
            return field.name if leads else ""
    return ""


def _has_joins(store: str) -> bool:
    settings = connections.settings.get(store)
    return settings is not None and db.product_of(settings["ENGINE"]) != "mongodb"
