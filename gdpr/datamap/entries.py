"""Entries: one place where personal data are kept, and everything that is decided about it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gdpr.datamap import actions
from gdpr.datamap.actions import Action, Anonymise, Detach, Manual, Nothing, Retain, Unset, touched
from gdpr.datamap.bases import PORTABLE, LawfulBasis
from gdpr.datamap.keys import key_type
from gdpr.datamap.locators import Locator
from gdpr.datamap.strategies import Strategy
from gdpr.datamap.terms import After

TABLE = "table:"
"""What the target of an entry begins with when it is a table that no model stands for."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """
    One place where data are kept.

    Attributes:
        id: Name of the entry, unique in the project; receipts and steps carry it.
        store: Alias of the store.
        target: Label of a model, `table:` and a table, a collection, or an index's alias without prefix.
        action: What an erasure does.
        locator: How one person's data are found; None where the action finds nothing.
        fields: The fields with personal data.
        category: What kind of data: `identity`, `contact`, `behaviour`, `payment`, ...
        purpose: What they are used for.
        source: Where they come from.
        order: Lower goes first among the entries of one store.
        derived_from: Ids of the entries that this is a copy of.
        recipients: Who else gets them.
        retention: How long they are kept when no person asks for erasure: in words, or a term by which
            every row of the target runs out: the action is done to it then, and what is retained goes.
        export: Whether an access export holds them.
        keeps: Where rows are changed and stay: the fields that stay as they are, by the reason for it.
        basis: What allows to use them (Art. 6(1)); None while nobody has said it.
        provided: Whether they come from the person, typed in or observed, and were not inferred.
    """

    id: str
    store: str
    target: str
    action: Action
    locator: Locator | None = None
    fields: tuple[str, ...] = ()
    category: str = ""
    purpose: str = ""
    source: str = "the person, by using the service"
    order: int = 0
    derived_from: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    retention: str | After = ""
    export: bool = True
    keeps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    basis: LawfulBasis | None = None
    provided: bool = True

    @property
    def is_portable(self) -> bool:
        """Return whether the person may take the data along to another service (Art. 20(1))."""
        return self.basis in PORTABLE and self.provided and not self.derived_from

    @property
    def holds_data(self) -> bool:
        """Return whether this entry says that data of the person may be here."""
        return not isinstance(self.action, Nothing)

    @property
    def is_looked_at(self) -> bool:
        """Return whether a store can be asked about it."""
        return self.holds_data and self.locator is not None

    @property
    def is_automatic(self) -> bool:
        """Return whether an erasure needs no person for it."""
        return self.is_looked_at and not isinstance(self.action, Manual)

    @property
    def kept(self) -> tuple[str, ...]:
        """The fields that stay as they are, for whichever reason."""
        return tuple(name for names in self.keeps.values() for name in names)

    @property
    def changes_rows(self) -> bool:
        """Return whether the row or document stays, so that each of its fields has to be accounted for."""
        return isinstance(self.action, Anonymise | Retain | Unset | Detach)

    @property
    def accounted(self) -> tuple[str, ...]:
        """The fields of which the entry says what becomes: changed, kept, or retained on a ground."""
        retained = self.fields if isinstance(self.action, Retain) else ()
        return (*touched(self.action), *self.kept, *retained)

    @property
    def dates(self) -> tuple[str, ...]:
        """The fields that terms are counted from."""
        counted = (actions.term(self.action), self.retention)
        return tuple(one.field for one in counted if isinstance(one, After))

    @property
    def table(self) -> str:
        """Name of the table, for a target that no model stands for; else empty."""
        return self.target.removeprefix(TABLE) if self.target.startswith(TABLE) else ""


_SINCE: Mapping[str, object] = {"keeps": {}, "basis": None, "provided": True}
"""What entries can say since the first version, with what one has that says nothing of it."""


def document(entry: Entry) -> Mapping[str, Any]:
    """Describe an entry as plain JSON: for digests and answers, the same on every machine."""
    described: dict[str, Any] = {
        item.name: _plain(getattr(entry, item.name)) for item in dataclasses.fields(entry)
    }
    # As it was described before there were any of these: approvals that were given then still hold.
    for name in [name for name, unsaid in _SINCE.items() if getattr(entry, name) == unsaid]:
        del described[name]
    described["action"] = {"kind": actions.name(entry.action), **_plain(entry.action)}
    if entry.locator is not None:
        described["locator"] = {"kind": type(entry.locator).__name__.lower(), **_plain(entry.locator)}
    return described


def _plain(value: object) -> Any:
    if isinstance(value, Strategy):
        return value.describe()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        # An undeclared folding is not described: maps from before there was one keep their digests.
        return {name: _named(name, one) for name, one in named.items() if name != "fold" or one}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def _named(name: str, value: object) -> Any:
    if name == "locators" and isinstance(value, tuple):
        return [{"kind": type(part).__name__.lower(), **_plain(part)} for part in value]
    return str(key_type(value)) if name == "type" else _plain(value)
