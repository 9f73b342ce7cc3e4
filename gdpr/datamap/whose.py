"""
Whose data an entry holds, where a project keeps data of several kinds of people: customers and employees.

An entry says it by `of`, or a link does: the model itself, a foreign key to it, rows of another entry. What
finds nothing belongs to everybody. Customer 7 and employee 7 are two people: what is theirs may never be
found by the bare number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.apps import apps
from django.db.models import Model

from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.keys import KeyType, key_type
from gdpr.datamap.kin import keys_of
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import External, Key, Keyed, Through, needs, parts

NOBODY = "?"
"""As an entry's kind: nothing says whose data it holds, so it is looked at for nobody."""
_NEVER_SHARED = (KeyType.UUID, KeyType.OBJECT_ID)


def attributed(entries: Iterable[Entry], subjects: Sequence[Subject]) -> list[Entry]:
    """
    Return entries with the labels of the kinds whose data they hold; with none where there is one kind.

    Each compares keys as its kind declares it.

    Args:
        entries: As they are declared.
        subjects: The kinds of people.
    """
    listed = list(entries)
    kinds = _Kinds({entry.id: entry for entry in listed}, subjects)
    several = len(subjects) > 1
    known = [replace(one, of=kinds.of(one)) if several or one.of != () else one for one in listed]
    return [_compared(entry, subjects) for entry in known]


def _compared(entry: Entry, subjects: Sequence[Subject]) -> Entry:
    for subject in subjects:
        entry = subject.comparing(entry) if entry.is_of(subject.model) else entry
    return entry


class _Kinds:
    """The kinds of each entry, found by its links."""

    def __init__(self, entries: Mapping[str, Entry], subjects: Sequence[Subject]) -> None:
        self._entries = entries
        self._subjects = subjects
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, entry: Entry) -> tuple[str, ...]:
        """Return the labels of an entry's kinds; none for everybody."""
        found = tuple(dict.fromkeys(map(self._label, entry.kinds))) or self._linked(entry)
        known = {subject.model for subject in self._subjects}
        return () if len(known) == 1 and {*found} == known else found

    def _label(self, name: str) -> str:
        return next((one.model for one in self._subjects if one.is_called(name)), name)

    def _linked(self, entry: Entry) -> tuple[str, ...]:
        if entry.locator is None:
            return ()
        if entry.id not in self._found:
            # Entries that need each other in a circle are a fault of their own.
            self._found[entry.id] = (NOBODY,)
            self._found[entry.id] = self._by_links(entry) or (NOBODY,)
        return self._found[entry.id]

    def _by_links(self, entry: Entry) -> tuple[str, ...]:
        keyed = [part for part in parts(entry.locator) if isinstance(part, Keyed)]
        if keyed:
            ways = {_linked_model(entry, part, self._tables) for part in keyed}
            return tuple(ways) if len(ways) == 1 else ()
        # Rows of another entry are found for those people alone whose they are.
        needed = (self._entries[one] for one in needs(entry.locator) if one in self._entries)
        return tuple(dict.fromkeys(kind for one in needed for kind in self.of(one)))

    @cached_property
    def _tables(self) -> Mapping[str, str]:
        return {table: one.model for one in self._subjects if (table := _table(one.model))}


def faults(entries: Iterable[Entry], subjects: Sequence[Subject]) -> Iterator[MapFinding]:
    """
    Look for entries that are nobody's, or that would be erased for one person and are another's too.

    Args:
        entries: Of a data map, which has their kinds.
        subjects: The kinds of people.
    """
    listed = list(entries)
    yield from _one_table(subjects)
    for entry in listed:
        yield from _of_nobody(entry, subjects)
        yield from _needs_others(entry, {one.id: one for one in listed})
    yield from _shared(listed, subjects)


def _one_table(subjects: Sequence[Subject]) -> Iterator[MapFinding]:
    first: dict[str, Subject] = {}
    for subject in subjects:
        table = _table(subject.model)
        if table and first.setdefault(table, subject) is not subject:
            yield MapFinding(
                fault=Fault.SHARED_BY_KINDS,
                message=f"{first[table].model} and {subject.model} have the same rows, and are two kinds.",
                hint="Declare one of them: whoever is a row of it is one kind of person, whatever they do.",
                target=subject.model,
            )


def _of_nobody(entry: Entry, subjects: Sequence[Subject]) -> Iterator[MapFinding]:
    labels = [subject.model for subject in subjects]
    if not subjects or all(kind in labels for kind in entry.kinds):
        return
    names = ", ".join(subject.called for subject in subjects)
    what = "doesn't say whose data it holds, and no link does"
    if entry.kinds != (NOBODY,):
        what = f"is of {', '.join(entry.kinds)}, and there is no such kind of person"
    hint = f"Write of= with one of: {names}; a part for each where it holds data of several."
    yield about(Fault.NO_KIND, entry, what, hint)


def _needs_others(entry: Entry, entries: Mapping[str, Entry]) -> Iterator[MapFinding]:
    for needed in (entries[one] for one in needs(entry.locator) if one in entries):
        # A log of several entries finds of each person what is logged about those of their rows.
        if needed.of and entry.of and not {*needed.kinds} & {*entry.kinds}:
            what = f"is found by rows of “{needed.id}”, which are another kind's"
            yield about(Fault.NO_KIND, entry, what, "Correct `of`, or the locator.")


def _shared(entries: Sequence[Entry], subjects: Sequence[Subject]) -> Iterator[MapFinding]:
    """Tell what is found by the same field for people of two kinds, whose keys may be the same."""
    looks: dict[tuple[str, str, str], list[_Look]] = {}
    for entry in entries if len(subjects) > 1 else ():
        for place, look in _looks(entry):
            before = looks.setdefault(place, [])
            if any(look.meets(one) for one in (*before, look)):
                what = f"finds {entry.target} by a key that people of several kinds may share"
                hint = "Tell their rows apart with `where`, each kind by an entry of its own; or leave it to "
                yield about(Fault.SHARED_BY_KINDS, entry, what, f"{hint}a person: Manual(...), no locator.")
            before.append(look)


@dataclass(frozen=True)
class _Look:
    """One way of an entry to its rows: for whom, and with which other fields at which values."""

    kinds: tuple[str, ...]
    where: Mapping[str, object]

    def meets(self, other: _Look) -> bool:
        """Return whether both may find one row, for people of different kinds."""
        apart = any(self.where[name] != other.where[name] for name in self.where.keys() & other.where.keys())
        return not apart and len({*self.kinds, *other.kinds} - {NOBODY}) > 1


def _looks(entry: Entry) -> Iterator[tuple[tuple[str, str, str], _Look]]:
    """Yield the fields by which an entry looks for keys that two people may have."""
    for part in parts(entry.locator):
        if isinstance(part, Keyed | External) and key_type(part.type) not in _NEVER_SHARED:
            where = part.where if isinstance(part, Key) else {}
            yield (entry.store, entry.target, _field(part)), _Look(entry.kinds, where)


def _field(part: Keyed | External) -> str:
    match part:
        case Key(field=name) | External(place=name):
            return name
    return part.path


# --- links ---------------------------------------------------------------------------------------


def _linked_model(entry: Entry, part: Keyed, tables: Mapping[str, str]) -> str:
    """Return the label of the kind whose model a field belongs or leads to; else nobody's."""
    path = part.field if isinstance(part, Key) else part.path if isinstance(part, Through) else ""
    model = _walked(_model(entry.target), path.split("__")) if path else None
    return tables.get(keys_of(model), NOBODY) if model is not None else NOBODY


def _walked(model: type[Model] | None, names: Sequence[str]) -> type[Model] | None:
    """Follow names of fields; the last one may be the column of a foreign key."""
    for name in names:
        field = None if model is None else _named(model, name)
        if field is None:
            return None
        if isinstance(related := field.related_model, type):
            model = related
    return model


def _named(model: type[Model], name: str) -> Any:
    columns = {field.attname: field for field in model._meta.concrete_fields}
    named = {field.name: field for field in model._meta.get_fields()}
    if name == "pk":
        return model._meta.pk
    return named.get(name, columns.get(name))


def _model(label: str) -> type[Model] | None:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _table(label: str) -> str:
    model = _model(label)
    return "" if model is None else keys_of(model)
