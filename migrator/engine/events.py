"""Events of a run: what the executor says while it works."""

from __future__ import annotations

from dataclasses import dataclass

from accord.errors import AccordError
from accord.events import Event
from accord.seam.types import Direction, Step, StepOutcome
from migrator.engine.plan import Plan


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """A run holds the lease and is about to take its first step. `by` is the key of who runs it, if known."""

    run_id: str
    kind: str
    environment: str
    plan: Plan
    fence: int
    by: object = None


@dataclass(frozen=True, kw_only=True)
class StepStarted(Event):
    """A step is about to be handed to its store. `position` counts from 1."""

    step: Step
    direction: Direction
    position: int
    total: int


@dataclass(frozen=True, kw_only=True)
class StepFinished(Event):
    """A step is done and recorded in its store's ledger."""

    step: Step
    outcome: StepOutcome
    seconds: float
    position: int
    total: int


@dataclass(frozen=True, kw_only=True)
class StepBroke(Event):
    """A step failed; it is not recorded as done."""

    step: Step
    error: AccordError
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StepSkipped(Event):
    """A step was left out, because one that it needs failed."""

    step: Step
    because: Step
    direction: Direction


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """
    A run is over.

    Attributes:
        run_id: The run.
        outcome: `succeeded`, `failed` or `interrupted`.
        seconds: How long it took, the wait for the lease not counted.
        error: What ended the run as a whole, if anything did.
    """

    run_id: str
    outcome: str
    seconds: float
    error: AccordError | None = None


@dataclass(frozen=True, kw_only=True)
class RunNoted(Event):
    """Something about the run as a whole that a person should read: its approval, its attestation."""

    note: str
