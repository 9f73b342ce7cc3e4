"""
Pieces for tests of anything that is built on the suite.

Typed, shipped, and no mocks:
:class:`MemoryStore` is a whole store that passes the conformance suite.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from accord.errors import ConflictingState, IrreversibleStep, StaleFence
from accord.events import Event, Reporter, silent
from accord.seam import marks
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.origins import found_among, left_alone, showing_left, was_found
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.types import (
    AppliedStep,
    BegunStep,
    Direction,
    Language,
    Lease,
    Origin,
    Phase,
    Presence,
    Probe,
    Recorded,
    Source,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)

E = TypeVar("E", bound=Event)


class FakeClock:
    """A clock that moves only when it is told to, or when its user sleeps."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Advance the time without waiting."""
        self._passed += seconds

    advance = sleep


class RecordingReporter:
    """Keeps every event that it receives, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


def make_lease(fence: int = 1, *, run_id: str = "test-run") -> Lease:
    """Return a lease that no other run takes over."""
    return Lease(scope="test", owner="test", run_id=run_id, fence=fence)


def make_step(
    key: str,
    *needs: str,
    text: str = "",
    phase: Phase = Phase.EXPAND,
    irreversible: str = "",
    replaces: Sequence[str] = (),
) -> Step:
    """
    Return a step whose source is a text.

    Args:
        key: `store:app.name`.
        *needs: Keys of the steps that it depends on.
        text: Source; by default the key itself.
        phase: When it runs.
        irreversible: Why it can't be undone.
        replaces: Keys of the steps that it stands for.
    """
    parsed = StepKey.parse(key)
    return Step(
        key=parsed,
        source=Source(Path(f"{parsed.app}/{parsed.name}.py"), (text or repr(key)).encode()),
        dependencies=tuple(StepKey.parse(need) for need in needs),
        phase=phase,
        title=parsed.name,
        irreversible=irreversible,
        replaces=tuple(StepKey.parse(name) for name in replaces),
    )


@dataclass
class MemoryServer:
    """
    What would be a server: shared by every store object that points to it.

    Attributes:
        objects: Effects of the applied steps: name of the step to its content.
        ledger: Applied steps.
        begun: Steps that were begun and not ended.
        marks: What it keeps about itself, by name.
        fence: Highest fencing token seen.
        turn: Held by whoever compares and swaps.
    """

    objects: dict[str, str] = field(default_factory=dict)
    ledger: dict[StepKey, AppliedStep] = field(default_factory=dict)
    begun: dict[StepKey, BegunStep] = field(default_factory=dict)
    marks: dict[str, marks.Kept] = field(default_factory=dict)
    fence: int = 0
    turn: AbstractContextManager[object] = field(default_factory=threading.Lock)


class MemoryStore:
    """
    A store in memory. Applying a step puts its source under its name.

    Args:
        alias: Name of the store.
        steps: Its steps, as if they were on disk.
        server: What several store objects share; a new one by default.
        effects: Code to run when a step of that name is applied; it may raise.
    """

    features = StoreFeatures(records_atomically=True, allows_fake=True)

    def __init__(
        self,
        alias: str,
        steps: Sequence[Step] = (),
        *,
        server: MemoryServer | None = None,
        effects: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self.alias = alias
        self.server = server or MemoryServer()
        self._steps = list(steps)
        self._effects = effects or {}

    def ping(self) -> StoreInfo:
        """Return at once."""
        return StoreInfo(alias=self.alias, kind="memory", version="1")

    def steps(self) -> Sequence[Step]:
        """Return the steps that were handed in."""
        return self._steps

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        """Return a copy of the ledger."""
        return dict(self.server.ledger)

    def recorded(self) -> Recorded:
        """Return a copy of the ledger, with what was begun."""
        return Recorded(applied=self.applied(), begun=dict(self.server.begun))

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Put the step's source under its name."""
        self._admit(lease)
        if step.key in self.server.ledger:
            return StepOutcome(key=step.key, direction=Direction.APPLY, already=True)
        found = self.server.objects.get(step.key.name)
        if found is not None and found != step.source.text:
            raise ConflictingState(f"{step.key.name} exists in {self.alias} with another content.")
        lease.check()
        self.server.begun[step.key] = BegunStep(key=step.key, run_id=lease.run_id)
        lease.check()
        try:
            self._effects.get(step.key.name, _nothing)()
        except Exception:
            del self.server.begun[step.key]  # refused: nothing of it stands
            raise
        self.server.objects[step.key.name] = step.source.text
        lease.check()
        self.record(step, lease, Origin.APPLIED)
        return StepOutcome(key=step.key, direction=Direction.APPLY, changed=1)

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Remove what the step put."""
        self._admit(lease)
        if was_found(step, self.server.ledger):
            self.forget(step, lease)
            return left_alone(step)
        if step.irreversible:
            raise IrreversibleStep(f"{step.key} can't be undone: {step.irreversible}.")
        already = not {*self.server.ledger, *self.server.begun} & {step.key}
        self.server.objects.pop(step.key.name, None)
        self.forget(step, lease)
        return StepOutcome(key=step.key, direction=Direction.REVERT, already=already)

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        """Write the ledger alone."""
        self._admit(lease)
        self.server.begun.pop(step.key, None)
        self.server.ledger[step.key] = AppliedStep(
            key=step.key,
            checksum=step.source.checksum,
            fingerprint=step.source.fingerprint,
            run_id=lease.run_id,
            fence=lease.fence,
            how=how,
        )

    def forget(self, step: Step, lease: Lease) -> None:
        """Delete the step from the ledger alone."""
        self._admit(lease)
        self.server.begun.pop(step.key, None)
        self.server.ledger.pop(step.key, None)

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Return what would be put or removed."""
        verb = "put" if direction is Direction.APPLY else "remove"
        sent = (
            (step, [Statement(text=f"{verb} {step.key.name}", language=Language.PYTHON)]) for step in steps
        )
        back = direction is Direction.REVERT
        return showing_left(sent, found_among(steps, self.server.ledger) if back else ())

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Yield whether the steps' sources are there."""
        for step in steps:
            found = self.server.objects.get(step.key.name)
            if found is None:
                gone = Difference(kind=DifferenceKind.MISSING, text=f"no {step.key.name}")
                yield Probe(key=step.key, presence=Presence.ABSENT, findings=(gone,))
            elif found == step.source.text:
                yield Probe(key=step.key, presence=Presence.DONE)
            else:
                other = Difference(kind=DifferenceKind.DIFFERENT, text="other content")
                yield Probe(key=step.key, presence=Presence.CONFLICTING, findings=(other,))

    def takes_marks(self) -> bool:
        """Return that it does."""
        return True

    def read_mark(self, name: str) -> str | None:
        """Return what is kept under a name."""
        return marks.value_of(self.alias, name, self.server.marks.get(name))

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """Keep a value under a name, if what is kept there is as expected."""
        with self.server.turn:
            self._admit(lease)
            found = self.read_mark(name)
            if found not in (value, expected):
                raise marks.changed(self.alias, name)
            self.server.marks[name] = marks.Kept(marks.FORM, value)

    def _admit(self, lease: Lease) -> None:
        if lease.fence < self.server.fence:
            raise StaleFence(f"{self.alias} has seen token {self.server.fence}, not {lease.fence}.")
        self.server.fence = lease.fence


def _nothing() -> None:
    """Do nothing further."""
