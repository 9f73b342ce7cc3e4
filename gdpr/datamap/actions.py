"""Actions: what happens to a person's data when the person is erased."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from gdpr.datamap.strategies import Null, Strategy
from gdpr.datamap.terms import After


@dataclass(frozen=True)
class Delete:
    """The row or document goes."""


@dataclass(frozen=True)
class Pull:
    """The elements that an :class:`~gdpr.datamap.locators.Array` finds go; the row or document stays."""


@dataclass(frozen=True)
class Unset:
    """
    Fields are emptied or removed; the row or document stays.

    Attributes:
        fields: Which.
    """

    fields: tuple[str, ...]


@dataclass(frozen=True)
class Anonymise:
    """
    Fields get values that lead back to no person; the row or document stays.

    Attributes:
        strategies: Field to what takes its value's place.
    """

    strategies: Mapping[str, Strategy]


@dataclass(frozen=True)
class Detach:
    """
    A foreign key is set to null: the row is no longer this person's.

    Attributes:
        field: The foreign key.
    """

    field: str


@dataclass(frozen=True)
class Retain:
    """
    The law wants it kept, for a while.

    Attributes:
        article: Exception that applies, such as `17(3)(b)`.
        basis: The law or the claim, in words for the person concerned.
        until: The last day on which it is kept: a date, or a term counted from a date of its own. Words
            are told as they are, and nothing counts by them.
        minimise: Fields that are not needed for it and go now: names, or field to strategy.
    """

    article: str
    basis: str
    until: str | date | After
    minimise: tuple[str, ...] | Mapping[str, Strategy] = field(default_factory=tuple)

    @property
    def strategies(self) -> Mapping[str, Strategy]:
        """What becomes of the fields that are minimised."""
        if isinstance(self.minimise, Mapping):
            return self.minimise
        return {name: Null() for name in self.minimise}


@dataclass(frozen=True)
class Refresh:
    """A materialised view is made anew from its tables, once the person is gone from those."""


@dataclass(frozen=True)
class Manual:
    """
    A person has to do it.

    Attributes:
        instructions: What to do.
    """

    instructions: str


@dataclass(frozen=True)
class Nothing:
    """
    There is nothing of this kind of person here.

    Attributes:
        reason: Why that is so.
    """

    reason: str


Action = Delete | Pull | Unset | Anonymise | Detach | Retain | Refresh | Manual | Nothing


def term(action: Action) -> After | None:
    """Return the term that says until when an action keeps each row; None for no term."""
    return action.until if isinstance(action, Retain) and isinstance(action.until, After) else None


def name(action: Action) -> str:
    """Return an action's name as documents and tables write it."""
    return type(action).__name__.lower()


def touched(action: Action) -> tuple[str, ...]:
    """Return the fields that an action writes."""
    match action:
        case Unset(fields):
            return fields
        case Detach(one):
            return (one,)
        case Anonymise() | Retain():
            return tuple(action.strategies)
        case _:
            return ()
