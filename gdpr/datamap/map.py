"""
The data map of a project: every place where personal data are kept, from every app's `privacy.py`.

It is frozen, has a digest that an approval can be bound to, and knows the order in which an
erasure goes: search first, then MongoDB, then PostgreSQL with children before what they refer to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.utils.module_loading import module_has_submodule

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
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.externals import EXTERNAL
from gdpr.datamap.findings import Fault
from gdpr.datamap.kinds import Subject
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
from gdpr.datamap.order import rank
from gdpr.datamap.presets import framework, suite
from gdpr.datamap.recipients import Recipient, declared
from gdpr.datamap.renewal import looked_up
from gdpr.datamap.subjects import SubjectKeys
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
]

MODULE = "privacy"
_DEEPEST = 50


@dataclass(frozen=True)
class DataMap:
    """
    Every entry of a project, in the order of an erasure.

    Attributes:
        entries: The entries.
        subject: Whose data these are; None where no app says it.
        recipients: Who else got data, and is told of an erasure.
    """

    entries: tuple[Entry, ...]
    subject: Subject | None = None
    recipients: tuple[Recipient, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that is declared; an approval holds for this map only."""
        described: dict[str, object] = {
            "subject": self.subject.described() if self.subject else [],
            "entries": [document(one) for one in self.entries],
        }
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

    def resolve(self, text: str, by: str = "", choose: str = "") -> SubjectKeys:
        """
        Find the one person that a key belongs to. See :meth:`gdpr.datamap.kinds.Subject.resolve`.

        Raises:
            InvalidDataMap: No app declares whose data these are.
        """
        if self.subject is None:
            raise InvalidDataMap(
                "No app declares whose data these are.",
                hint='Write SUBJECT = Subject(model="app.Model") into the privacy.py of one app.',
            )
        return looked_up(self.subject, {0: self.subject.resolve(text, by, choose)})[0]


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
    return build(_modules())


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


def build(modules: Iterable[ModuleType]) -> DataMap:
    """
    Put a data map together.

    Args:
        modules: What apps declare: `DATA_MAP` with entries, `RECIPIENTS`, and in one of them `SUBJECT`.

    Raises:
        InvalidDataMap: Something else is declared, an id is used twice, or two apps declare a subject.
    """
    entries: dict[str, Entry] = {}
    subject: Subject | None = None
    listed = list(modules)
    for module in listed:
        for entry in _entries(module):
            if entry.id in entries:
                raise InvalidDataMap(
                    f"Two entries of the data map are called “{entry.id}”, the second in {module.__name__}.",
                    hint="Give one of them another id.",
                )
            entries[entry.id] = entry
        subject = _one_subject(subject, module)
    compared = map(subject.comparing, entries.values()) if subject else entries.values()
    recipients = declared(listed, entries, subject)
    return DataMap(entries=ordered(compared), subject=subject, recipients=recipients)


def ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Sort entries into the order of an erasure, the same on every machine."""
    listed = {entry.id: entry for entry in entries}
    return tuple(sorted(listed.values(), key=lambda entry: rank(entry, listed)))


def _modules() -> Iterator[ModuleType]:
    for config in apps.get_app_configs():
        if config.module is not None and module_has_submodule(config.module, MODULE):
            try:
                yield import_module(f"{config.name}.{MODULE}")
            except InvalidDataMap:
                raise
            except Exception as exc:
                raise InvalidDataMap(
                    f"{config.name}.{MODULE} can't be imported: {type(exc).__name__}: {exc}.",
                    hint="Correct the module; `python -c` with the import shows the whole traceback.",
                ) from exc


def _entries(module: ModuleType) -> Iterator[Entry]:
    for item in getattr(module, "DATA_MAP", ()):
        group = [item] if isinstance(item, Entry) else item
        if not isinstance(group, Iterable) or isinstance(group, str):
            raise _no_entry(module, item)
        for entry in group:
            if not isinstance(entry, Entry):
                raise _no_entry(module, entry)
            yield entry


def _no_entry(module: ModuleType, item: object) -> InvalidDataMap:
    return InvalidDataMap(
        f"DATA_MAP of {module.__name__} holds a {type(item).__name__}, which is no entry.",
        hint="DATA_MAP is a list of Entry(...) and of functions' results that are lists of them.",
    )


def _one_subject(known: Subject | None, module: ModuleType) -> Subject | None:
    declared = getattr(module, "SUBJECT", None)
    if declared is None:
        return known
    if not isinstance(declared, Subject) or known is not None:
        raise InvalidDataMap(
            f"SUBJECT of {module.__name__} is the second one, or no Subject.",
            hint="Declare one Subject in the privacy.py of one app.",
        )
    return declared
