"""
Events: frozen facts about a run while it goes on, and the one-method seam to receive them.

The engine, the stores and the embedded servers never print. They call a
:class:`Reporter`; a terminal, a log, the journal and a test are four reporters.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of every event."""


class Reporter(Protocol):
    """A receiver of events."""

    def __call__(self, event: Event) -> None:
        """Handle one event. Must return quickly and must not raise."""
        ...


def silent(event: Event) -> None:
    """Ignore an event: the reporter for callers that need none."""


def fan_out(reporters: Sequence[Reporter]) -> Reporter:
    """
    Combine reporters into one.

    Args:
        reporters: Called in this order for each event.

    Returns:
        A reporter that passes every event to all of them.
    """

    def report(event: Event) -> None:
        for reporter in reporters:
            reporter(event)

    return report


def one_at_a_time(report: Reporter) -> Reporter:
    """Return a reporter that several threads may call: events reach the other one after another."""
    lock = threading.RLock()

    def pass_on(event: Event) -> None:
        with lock:
            report(event)

    return pass_on


# --- embedded servers ----------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class FetchProgressed(Event):
    """
    Some bytes of an embedded server's archive arrived.

    Attributes:
        store: Name of the embedded server (`opensearch`).
        what: File that is being fetched, for display.
        done: Bytes there so far, those of an earlier, cut attempt included.
        total: Bytes expected, or None while the size isn't known.
    """

    store: str
    what: str
    done: int
    total: int | None


@dataclass(frozen=True, kw_only=True)
class ServerStarting(Event):
    """An embedded server is about to be started."""

    store: str


@dataclass(frozen=True, kw_only=True)
class ServerReady(Event):
    """An embedded server answers. `seconds` is the time since it was asked to start."""

    store: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class ServerStopped(Event):
    """An embedded server has ended."""

    store: str


# --- inside a step ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StepProgressed(Event):
    """
    A long step went on.

    Attributes:
        key: The step, as `store:app.name`.
        done: Rows or documents handled so far, those of an earlier, killed run included.
        total: How many there are to handle, or None where the caller did not count.
    """

    key: str
    done: int
    total: int | None


@dataclass(frozen=True, kw_only=True)
class StepNoted(Event):
    """A store reports something about a step that an operator should read: a retry, a recovery."""

    key: str
    note: str


@dataclass(frozen=True, kw_only=True)
class StepWaited(Event):
    """
    Somebody is in the way of a lock that a step takes.

    Attributes:
        key: The step, as `store:app.name`.
        what: What it waits for: a lock on a table.
        who: Who is in the way, for people; empty where that isn't known (yet).
        spent: Seconds since it began to try.
        left: Seconds for which it goes on trying; None where it waits in one go, and nobody behind it.
        tries: How often it tried.
    """

    key: str
    what: str
    who: str
    spent: float
    left: float | None
    tries: int

    @property
    def words(self) -> str:
        """Write it for people."""
        who = f": {self.who}" if self.who else ""
        if self.left is None:
            return f"waits for {self.what} ({self.spent:.0f} s){who}"
        tries = f"{self.tries} tries" if self.tries > 1 else "1 try"
        return f"waits for {self.what} ({tries} in {self.spent:.1f} s of {self.spent + self.left:.0f} s){who}"


# --- the lease ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class LeaseAwaited(Event):
    """
    Another run holds the lease, and this one waits.

    Attributes:
        scope: What the lease covers.
        owner: The holder, as :func:`accord.process.identity` writes it.
        run_id: The holder's run.
        age: Seconds since it was granted.
        left: Seconds that this run will go on waiting.
    """

    scope: str
    owner: str
    run_id: str
    age: float
    left: float
