"""Foretelling revisions: each operation looks, unless an earlier one makes what it would look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accord.errors import AccordError, ConflictingState, InvalidRevision, StepFailed, StoreUnavailable
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.origins import was_found
from accord.seam.types import Direction, Recorded, Step, StepKey

if TYPE_CHECKING:
    from accord.revisions.operation import Operation
    from accord.revisions.store import RevisionStore

Told = Callable[[StepKey, "Operation[Any]", Exception], Foretold]
"""Turns what a look raised into what is foretold; raises it where the store is away."""
_REFUSED = (ConflictingState, StepFailed, InvalidRevision)


@dataclass
class Horizon:
    """
    What earlier operations of a plan make or change, so that nobody can look at it yet.

    Attributes:
        changed: By object: who changes it, in words.
        opaque: Who may change anything; empty for nobody.
    """

    changed: dict[str, str] = field(default_factory=dict)
    opaque: str = ""

    def hides(self, names: Iterable[str]) -> str:
        """Return who makes or changes one of some objects; empty when they can be looked at."""
        return self.opaque or next((self.changed[name] for name in sorted(names) if name in self.changed), "")

    def extend(self, who: str, names: Collection[str] | None) -> None:
        """Take in what an operation touches; None stands for anything."""
        if names is None:
            self.opaque = self.opaque or who
            return
        self.changed.update((name, who) for name in names if name not in self.changed)


def foretell(
    store: RevisionStore[Any], steps: Sequence[Step], direction: Direction, context: Any, told: Told
) -> Iterator[Foretold]:
    """
    Look at what operations would meet, in the order in which they would go.

    Args:
        store: Whose steps they are.
        steps: The steps.
        direction: Which way they would go.
        context: Makes of a step's key what an operation looks with.
        told: Judges what a look raised.
    """
    ledger, horizon = store.recorded(), Horizon()
    for step in steps:
        if direction is Direction.REVERT and was_found(step, ledger.applied):
            continue
        for operation, begun in _concerned(store, step.key, direction, ledger):
            if begun:
                yield _begun(step.key, operation)
            else:
                yield from _looked(step.key, operation, direction, horizon, context, told)
            horizon.extend(f"{operation.title} of {step.key}", _touched(step.key, operation, context, begun))


def judged(key: StepKey, operation: Operation[Any], exc: Exception) -> Foretold:
    """
    Return what an error of a look foretells: what stops the step stops it then, too; else nobody knows.

    Raises:
        StoreUnavailable: The store is away.
    """
    if isinstance(exc, StoreUnavailable):
        raise exc
    if isinstance(exc, _REFUSED):
        return Foretold(
            key=key, outlook=Outlook.REFUSED, what=operation.title, text=exc.message, hint=exc.hint
        )
    why = exc.message if isinstance(exc, AccordError) else f"the look ended with {type(exc).__name__}"
    return unknown(key, operation.title, f"Nobody could look: {why.rstrip('.')}.")


def unknown(key: StepKey, what: str, text: str) -> Foretold:
    """Return that nobody could say."""
    return Foretold(key=key, outlook=Outlook.UNKNOWN, what=what, text=text)


def _concerned(
    store: RevisionStore[Any], key: StepKey, direction: Direction, ledger: Recorded
) -> Iterator[tuple[Operation[Any], bool]]:
    """Yield the operations that would run, each with whether it was under way already."""
    numbered = list(enumerate(store.operations(key)))
    begun = ledger.begun.get(key)
    forward = direction is Direction.APPLY
    for number, operation in numbered if forward else reversed(numbered):
        if begun is None:
            yield operation, False
        elif number == begun.done and begun.partly:
            yield operation, True
        elif (number > begun.done) if forward and begun.partly else number < begun.done:
            yield operation, False


def _looked(
    key: StepKey,
    operation: Operation[Any],
    direction: Direction,
    horizon: Horizon,
    context: Any,
    told: Told,
) -> Iterator[Foretold]:
    hidden = horizon.hides(operation.looks_at) if operation.looks_at else ""
    if hidden:
        yield unknown(key, operation.title, f"Unknown until {hidden} ran.")
        return
    try:
        yield from operation.foretell(context(key), direction)
    except Exception as exc:  # noqa: BLE001 - a driver's errors are told by the store
        yield told(key, operation, exc)


def _touched(key: StepKey, operation: Operation[Any], context: Any, begun: bool) -> Collection[str] | None:  # noqa: FBT001 - as above
    try:
        touched: Collection[str] | None = operation.touches(context(key))
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 - what couldn't be looked at may be anything
        return operation.looks_at or None
    return operation.looks_at if begun and touched == frozenset() else touched


def _begun(key: StepKey, operation: Operation[Any]) -> Foretold:
    return unknown(key, operation.title, "It was begun and not ended; a run goes on where it stands.")
