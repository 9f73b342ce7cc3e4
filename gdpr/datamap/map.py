"""
The data map of a project: every place where personal data are kept, from every app's `privacy.py`.

It is frozen, has a digest that an approval can be bound to, and knows the order in which an
erasure goes: search first, then MongoDB, then PostgreSQL with children before what they refer to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import ModuleType

from accord import conf
from accord.errors import UnknownTarget
from gdpr.datamap.actions import (
    Action,
    Anonymise,
    Delete,
    Detach,
    Manual,
    Nothing,
    Pull,
    Refresh,
    Retain,
    Unset,
)
from gdpr.datamap.declared import entries_of, modules, with_subjects
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.externals import EXTERNAL
from gdpr.datamap.findings import Fault
from gdpr.datamap.kinds import Subject, chosen
from gdpr.datamap.locators import (
    AnyOf,
    Array,
    External,
    Generic,
    Key,
    Locator,
    Path,
    Rows,
    Sessions,
    Through,
    needs,
    reusable,
)
from gdpr.datamap.order import ordered
from gdpr.datamap.presets import framework, suite
from gdpr.datamap.recipients import Recipient, declared
from gdpr.datamap.renewal import looked_up
from gdpr.datamap.subjects import SubjectKeys
from gdpr.datamap.whose import attributed
from gdpr.errors import InvalidDataMap

__all__ = [
    "Action",
    "Anonymise",
    "AnyOf",
    "Array",
    "DataMap",
    "Delete",
    "Detach",
    "Entry",
    "External",
    "Fault",
    "Generic",
    "Key",
    "Locator",
    "Manual",
    "Nothing",
    "Path",
    "Pull",
    "Retain",
    "Rows",
    "Sessions",
    "Subject",
    "SubjectKeys",
    "Through",
    "Unset",
    "load_data_map",
    "ordered",
]

_DEEPEST = 50


@dataclass(frozen=True)
class DataMap:
    """
    Every entry of a project, in the order of an erasure.

    Attributes:
        entries: The entries.
        subject: Whose data these are; None where no app says it, and where there are several kinds of people.
        recipients: Who else got data, and is told of an erasure.
        several: The kinds of people, where there are several.
    """

    entries: tuple[Entry, ...]
    subject: Subject | None = None
    recipients: tuple[Recipient, ...] = ()
    several: tuple[Subject, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """Every kind of person."""
        return self.several or ((self.subject,) if self.subject else ())

    def kind(self, name: str = "") -> Subject:
        """
        Return a kind of person.

        Args:
            name: What it is called, or the label of its model; not needed where there is one.

        Raises:
            InvalidDataMap: No app declares whose data these are.
            UsageError: There is no such kind, or there are several and none is named.
        """
        return chosen(self.subjects, name)

    def whose(self, entry: Entry) -> Subject | None:
        """Return the one kind of person whose data an entry holds; None where it is several or nobody's."""
        found = [one for one in self.subjects if entry.is_of(one.model)]
        return found[0] if len(found) == 1 else None

    def of(self, kind: str) -> DataMap:
        """
        Return what concerns one kind of person; everything where there is one.

        Args:
            kind: Label of its model.

        Raises:
            InvalidDataMap: There are several, and this is none of them: nothing says where its data are.
        """
        if not self.several:
            return self
        if kind.lower() not in self._apart:
            raise InvalidDataMap(
                f"No app declares the kind of person {kind} any more.",
                hint="Declare its Subject again until its requests are closed.",
            )
        return self._apart[kind.lower()]

    @cached_property
    def _apart(self) -> Mapping[str, DataMap]:
        return {
            one.model.lower(): replace(
                self,
                entries=tuple(each for each in self.entries if each.is_of(one.model)),
                subject=one,
                several=(),
            )
            for one in self.several
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is declared; an approval holds for this map only."""
        described: dict[str, object] = {
            "subject": self.subject.described() if self.subject else [],
            "entries": [document(one) for one in self.entries],
        }
        if self.several:
            described["several"] = [one.described() for one in self.several]
        if self.recipients:
            described["recipients"] = [one.described() for one in self.recipients]
        canonical = json.dumps(described, sort_keys=True, ensure_ascii=False, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()

    @cached_property
    def by_id(self) -> Mapping[str, Entry]:
        """Entries by their id."""
        return {entry.id: entry for entry in self.entries}

    def entry(self, entry_id: str) -> Entry:
        """
        Return an entry by its id.

        Raises:
            UnknownTarget: There is none.
        """
        if entry_id not in self.by_id:
            raise UnknownTarget(
                f"The data map has no entry “{entry_id}”.", hint="See `gdpr_datamap show` for the entries."
            )
        return self.by_id[entry_id]

    def by_store(self) -> Mapping[str, tuple[Entry, ...]]:
        """Group the entries by store, in the order of an erasure."""
        groups: dict[str, list[Entry]] = {}
        for entry in self.entries:
            groups.setdefault(entry.store, []).append(entry)
        return {store: tuple(entries) for store, entries in groups.items()}

    @cached_property
    def externals(self) -> tuple[str, ...]:
        """Return the places that only the project's own code reaches, as entries name them."""
        return tuple(store for store in self.by_store() if store.startswith(EXTERNAL))

    def looked_at(self) -> tuple[Entry, ...]:
        """Return the entries that a store can be asked about."""
        return tuple(entry for entry in self.entries if entry.is_looked_at)

    def derived(self) -> tuple[Entry, ...]:
        """Return the entries that copy others; they are erased once more at the end."""
        copies = (entry for entry in self.looked_at() if entry.derived_from)
        return tuple(entry for entry in copies if not isinstance(entry.action, Refresh))

    def to_collect(self) -> tuple[Entry, ...]:
        """
        Return the entries whose rows are collected before anything is erased, each after those it needs.

        That is those whose keys others need, and those found by a key that somebody else may have next.
        """
        return self._to_collect

    @cached_property
    def _to_collect(self) -> tuple[Entry, ...]:
        wanted: dict[str, Entry] = {}
        for entry in self.entries:
            own = (entry.id,) if entry.id in self.reusable else ()
            for entry_id in (*needs(entry.locator), *own):
                self._want(entry_id, wanted, depth=0)
        return tuple(wanted.values())

    @cached_property
    def reusable(self) -> frozenset[str]:
        """Ids of the entries that are found by a key which somebody else may have next."""
        if self.several:
            return frozenset().union(*(one.reusable for one in self._apart.values()))
        primary = self.subject.key if self.subject else ""
        found = (entry.id for entry in self.entries if reusable(entry.locator, primary))
        # A view's rows have no keys, and whoever has the address now is not told apart by them.
        chosen = (self.by_id[one] for one in found)
        return frozenset(one.id for one in chosen if one.is_automatic and not isinstance(one.action, Refresh))

    def _want(self, entry_id: str, wanted: dict[str, Entry], depth: int) -> None:
        entry = self.by_id.get(entry_id)
        if entry is None or entry_id in wanted or depth > _DEEPEST:
            return
        for further in needs(entry.locator):
            self._want(further, wanted, depth + 1)
        wanted[entry_id] = entry

    def dependents(self, entry_id: str) -> tuple[Entry, ...]:
        """Return the entries that find their rows by those of another one, however far, in order."""
        wanted = {entry_id}
        for _ in self.entries:
            wanted |= {one.id for one in self.entries if wanted.intersection(needs(one.locator))}
        return tuple(one for one in self.entries if one.id in wanted and one.id != entry_id)

    def resolve(self, text: str, by: str = "", choose: str = "", kind: str = "") -> SubjectKeys:
        """
        Find the one person that a key belongs to. See :meth:`gdpr.datamap.kinds.Subject.resolve`.

        Args:
            text: A key, as typed.
            by: Which key it is; every one is tried unless given.
            choose: The primary key of one of several who have it.
            kind: What kind of person; see :meth:`kind`.

        Raises:
            InvalidDataMap: No app declares whose data these are.
        """
        subject = self.kind(kind)
        return looked_up(subject, {0: subject.resolve(text, by, choose)})[0]


@cache
def load_data_map() -> DataMap:
    """
    Read the data map of the project: `privacy.py` of every installed app, and what is known without one.

    Raises:
        InvalidDataMap: A module can't be imported, or declares something else than entries.
    """
    return with_known(declared_data_map(), conf.load().coordinator)


def declared_data_map() -> DataMap:
    """
    Read what apps declare, and nothing else.

    Raises:
        InvalidDataMap: As for :func:`load_data_map`.
    """
    return build(modules())


def with_known(declared: DataMap, store: str) -> DataMap:
    """
    Add the tables of the suite and of Django that hold nothing of anybody, where no app classified them.

    Args:
        declared: What apps declare.
        store: Alias of the coordinating database, which has these tables.
    """
    known = {(entry.store, entry.target) for entry in declared.entries}
    more = [
        entry
        for entry in (*suite(store), *framework(store))
        if (store, entry.target) not in known and entry.id not in declared.by_id
    ]
    return replace(declared, entries=ordered((*declared.entries, *more))) if more else declared


def build(declaring: Iterable[ModuleType]) -> DataMap:
    """
    Put a data map together.

    Args:
        declaring: What apps declare: `DATA_MAP`, `RECIPIENTS`, and `SUBJECT` for each kind of person.

    Raises:
        InvalidDataMap: Something else is declared, an id is used twice, or subjects are alike.
    """
    entries: dict[str, Entry] = {}
    subjects: tuple[Subject, ...] = ()
    listed = list(declaring)
    for module in listed:
        for entry in entries_of(module):
            if entry.id in entries:
                raise InvalidDataMap(
                    f"Two entries of the data map are called “{entry.id}”, the second in {module.__name__}.",
                    hint="Give one of them another id.",
                )
            entries[entry.id] = entry
        subjects = with_subjects(subjects, module)
    known = attributed(entries.values(), subjects)
    several = subjects if len(subjects) > 1 else ()
    return DataMap(
        entries=ordered(known),
        subject=subjects[0] if len(subjects) == 1 else None,
        recipients=declared(listed, {entry.id: entry for entry in known}, subjects),
        several=several,
    )
