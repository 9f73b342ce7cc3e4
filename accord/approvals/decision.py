"""What was decided: a yes to one digest, as a value, and how the trail says it of each kind of thing."""

from __future__ import annotations

from dataclasses import dataclass

from accord.audit.events import EventKind
from accord.second_person import Asked


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """
    A kind of thing that second persons decide about.

    Attributes:
        asked: How the trail says that it was asked for.
        granted: The kind of event that a yes leaves.
    """

    asked: Asked
    granted: EventKind


@dataclass(frozen=True, kw_only=True)
class Yes:
    """
    A yes, as a row says that it was given.

    Attributes:
        ref: Random reference of what it was said to.
        digest: Digest of the plan that it was said to; it is a yes to nothing else.
        account: Key of the account that said it.
        askers: Keys of the accounts that asked for it or made its plan.
    """

    ref: str
    digest: str
    account: str
    askers: frozenset[str]
