"""Findings: what a look at the data map has brought to light."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gdpr.datamap.entries import Entry


class MapLevel(enum.StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """An erasure would miss data, fail, or say something untrue."""
    WARNING = "warning"
    """An erasure works, and could work better."""


class Fault(enum.StrEnum):
    """What can be wrong, by the id that Django's checks, JSON answers and the documentation use."""

    UNCLASSIFIED = "gdpr.E001"
    """A model, table, collection or index has no entry."""
    NO_TARGET = "gdpr.E002"
    """An entry names something that doesn't exist."""
    NO_FIELD = "gdpr.E003"
    """An entry names a field that doesn't exist."""
    NO_INDEX = "gdpr.E004"
    """A locator would read everything, because no index serves it."""
    WRONG_KEY_TYPE = "gdpr.E005"
    """Keys are stored in another type than the locator declares."""
    NOT_EXACT = "gdpr.E006"
    """A search field can't be matched exactly."""
    NO_GROUND = "gdpr.E007"
    """Something is retained without article, basis or date."""
    CYCLE = "gdpr.E008"
    """Entries derive from each other in a circle."""
    REVERSIBLE = "gdpr.E009"
    """A strategy of an anonymisation can be undone."""
    NOT_UNIQUE = "gdpr.E010"
    """A unique column would get the same value twice."""
    DOES_NOT_FIT = "gdpr.E011"
    """A column can't hold what would be written into it."""
    NO_ENTRY = "gdpr.E012"
    """An entry refers to another one that doesn't exist."""
    NO_STORE = "gdpr.E013"
    """An entry names a store that isn't configured, or that nothing can be erased from."""
    WRONG_ACTION = "gdpr.E014"
    """Action, locator and store don't go together."""
    STILL_REFERRED_TO = "gdpr.E015"
    """Rows would be deleted that rows of another table still refer to."""
    NO_REASON = "gdpr.E016"
    """An entry does nothing, or leaves it to a person, and doesn't say why or how."""
    CONTRADICTION = "gdpr.E017"
    """A target is said to hold nothing by one entry, and something by another."""
    NO_SUBJECT = "gdpr.E018"
    """No app declares whose data these are, or two do."""
    READ_IN_FULL = "gdpr.W019"
    """A locator reads everything, because of how the target keeps its data."""
    UNKNOWN_FIELD = "gdpr.W020"
    """Nothing says whether a field exists: no document and no schema has it."""
    NO_KEY = "gdpr.E021"
    """A locator asks for a key that the data subject doesn't have."""
    NEW_FIELD = "gdpr.E022"
    """A column, field or property that nobody has accounted for."""
    FIELD_GONE = "gdpr.E023"
    """A field that was reviewed is no longer there."""
    FIELD_RETYPED = "gdpr.E024"
    """A field that was reviewed has another type now."""
    ENTRY_NOT_REVIEWED = "gdpr.E025"
    """An entry came, went or changed its action since the data map was reviewed."""
    NO_LOCK = "gdpr.E026"
    """No lock file holds what was reviewed, so nobody would notice a new field."""
    NO_FOLDING = "gdpr.E027"
    """A key is folded in a way that there isn't, or that it can't be."""
    NOT_FOLDED = "gdpr.W028"
    """Nothing says which spellings of an e-mail address are one person."""
    SHARED_KEY = "gdpr.W029"
    """Several people can have a key that a person may be found by."""
    SPELLINGS_IN_FULL = "gdpr.W030"
    """Other spellings of a key are looked for by reading everything, and that is much."""
    NO_BASIS = "gdpr.E031"
    """A lawful basis is none that Art. 6(1) knows."""
    NOT_A_DATE = "gdpr.E034"
    """Something is kept so long after a field that holds no date."""
    BAD_PLACE = "gdpr.E036"
    """The project's class for an external place isn't there, lacks a method, or gives nonsense."""


@dataclass(frozen=True, kw_only=True)
class MapFinding:
    """
    One thing that is wrong.

    Attributes:
        fault: What kind of thing.
        message: Fact and place.
        hint: Next move.
        store: Alias of the store; empty when it is about none.
        target: Model, table, collection or index; empty when it is about none.
        entry: Id of the entry; empty when it is about none.
    """

    fault: Fault
    message: str
    hint: str = ""
    store: str = ""
    target: str = ""
    entry: str = ""

    @property
    def level(self) -> MapLevel:
        """How much it matters: the letter in the id says it."""
        return MapLevel.ERROR if self.fault.partition(".")[2].startswith("E") else MapLevel.WARNING


def no_date(entry: Entry, name: str, kind: str) -> MapFinding:
    """Return a finding about a field that a term is counted from and that holds something else than dates."""
    what = f"counts from {name}, which is of type {kind} and holds no dates"
    return about(Fault.NOT_A_DATE, entry, what, "Name a field with a date or a moment.")


def about(fault: Fault, entry: Entry, what: str, hint: str = "Correct the entry.") -> MapFinding:
    """
    Return a finding about one entry of the data map.

    Args:
        fault: What kind of thing.
        entry: The entry.
        what: What is wrong with it, as the rest of a sentence.
        hint: Next move.
    """
    return MapFinding(
        fault=fault,
        message=f"Entry “{entry.id}” {what}.",
        hint=hint,
        store=entry.store,
        target=entry.target,
        entry=entry.id,
    )
