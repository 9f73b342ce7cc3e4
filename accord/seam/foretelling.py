"""
What a store foretells of steps that are pending: asked of the live server, and nothing is changed there.

"I don't know" is an answer of its own (:attr:`Outlook.UNKNOWN`) and never read as "all is well".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.seam.types import Direction, Shown, Step, StepKey

LOOK_SECONDS = 5.0
"""How long one look at a server may take; what takes longer is unknown."""
SAMPLE_SIZE = 3
"""How many of the offending keys are shown."""
MASKED = "***"
"""Stands for a value of a person, or of which nobody knows that it is none."""


class Outlook(enum.StrEnum):
    """What is foretold of a step."""

    REFUSED = "refused"
    """The server would refuse it as things stand: a run doesn't start."""
    WARNING = "warning"
    """It would go through, at a price: a table locked for long, or written anew."""
    NOTE = "note"
    """Worth knowing: what is touched, how large it is, which lock it takes."""
    UNKNOWN = "unknown"
    """Nobody could say: it hangs on a step before it, is code, or took too long to find out."""


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """
    One thing foretold of one step.

    Attributes:
        key: The step.
        outlook: How it looks.
        what: The object: a table, column, index, collection; in the store's own words.
        text: One sentence. No personal data.
        hint: The next move, where there is one.
        rows: Rows or documents concerned, where counted or estimated.
        bytes: Size of what is touched, where known.
        lock: The strongest lock that is taken, in the server's own words; empty where none or unknown.
        by_statement: Which statement of the step takes which lock, as `2: SHARE`, where there are several.
        sample: Some of the offending values; :data:`MASKED` where they may be personal.
        keys: Numbers (or UUIDs) by which some of the offending rows are found, as `id 7`.
    """

    key: StepKey
    outlook: Outlook
    what: str
    text: str
    hint: str = ""
    rows: int | None = None
    bytes: int | None = None
    lock: str = ""
    by_statement: tuple[str, ...] = ()
    sample: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


NOTHING: Mapping[StepKey, Sequence[Foretold]] = {}
"""Nobody was asked."""


def refused(found: Iterable[Foretold]) -> Sequence[Foretold]:
    """Return what is foretold to fail."""
    return [item for item in found if item.outlook is Outlook.REFUSED]


def masked(values: Iterable[object], *, open_: bool = False) -> tuple[str, ...]:
    """
    Return a sample of values as it may be shown.

    Args:
        values: What the server gave.
        open_: True where it is known that they are nobody's personal data.
    """
    shown = [str(value) if open_ else MASKED for value in values]
    return tuple(shown[:SAMPLE_SIZE])


def no_look(
    steps: Iterable[Step], why: str = "This server can't be asked what it would refuse."
) -> Iterator[Foretold]:
    """Yield for each step that nobody could look."""
    for step in steps:
        yield Foretold(key=step.key, outlook=Outlook.UNKNOWN, what=step.key.name, text=why)


@runtime_checkable
class Foretells(Protocol):
    """A store that asks its server what would become of steps, before anything is sent."""

    def foretell(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Foretold]:
        """
        Look at the live server for what would refuse or burden steps. Nothing is changed there.

        What an earlier one of the steps makes or changes can't be looked at: it is told as
        :attr:`~accord.seam.foretelling.Outlook.UNKNOWN`, never as well. No look takes longer than
        :data:`~accord.seam.foretelling.LOOK_SECONDS`; one that would is unknown.

        Args:
            steps: Pending steps of this store, in the order in which they would go.
            direction: Which way they would go.
            shown: What :class:`accord.seam.stores.Explains` gave of these steps, where the caller has it: a
                store that reads statements reads these.

        Returns:
            Any number of things for each step, in the order of the steps; lazily.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...


@runtime_checkable
class GlancesFirst(Protocol):
    """A store that knows at a glance whether foretelling steps is worth its time before a run."""

    def could_refuse(self, steps: Sequence[Step], direction: Direction) -> bool:
        """Return whether anything that stands could refuse any of the steps; True where that isn't known."""
        ...
