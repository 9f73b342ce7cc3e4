"""What governance is asked about: ordered steps, drift that may stay, or stores that change sides. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from accord.clock import aware
from accord.identity import Identity
from accord.seam import checksum as checksums
from accord.seam.types import Direction, Step, StepKey
from accord.words import counted
from migrator.models import DRIFT, IDENTITY, PlanApproval, RunKind

BINDING = ("--data-is-lost", "--even-with-data", "--rebuild", "--trust-unproved")
"""Flags with which the same steps do more harm, or prove less: a yes without them is none to them."""
_BINDING_WITH_STEP = "--unsafe-ddl="
"""Such a flag, of which what it names binds, too."""
Bound = list[str]
"""A step as a request holds it: key, phase, checksum. A list, because JSON has no tuples."""


@dataclass(frozen=True, kw_only=True)
class PlannedWork:
    """
    What a run would do.

    Attributes:
        kind: What is done with each step.
        direction: Which way the steps go.
        steps: The steps that governance looks at, in their order.
        applied: What the ledgers hold.
        target: What the run was asked to reach, as flags of a command; those of :data:`BINDING` bind.
        ends_at: Until when an approval counts; None: as long as the policy says.
    """

    kind: RunKind
    direction: Direction
    steps: tuple[Step, ...]
    applied: Collection[StepKey] = frozenset()
    target: str = ""
    ends_at: None = None

    @cached_property
    def bound(self) -> Sequence[Bound]:
        """The steps as an approval binds them."""
        return [bind(step) for step in self.steps]

    @cached_property
    def digest(self) -> str:
        """The digest that the plan of these steps has."""
        return digest_of(self.direction.value, self.bound, self.words)

    @cached_property
    def words(self) -> Sequence[str]:
        """What has to be agreed to beside the steps."""
        return words_in(self.target)

    @property
    def named(self) -> str:
        """What it is, in a sentence about it."""
        return f"this plan of {counted(len(self.steps), 'step')}"

    @property
    def asking(self) -> str:
        """The flags with which its approval is asked for."""
        return self.target

    def is_left(self, approval: PlanApproval) -> bool:
        """Return whether an approval still covers all of this."""
        return not not_covered(approval.steps, approval.remaining, self.steps)


@dataclass(frozen=True, kw_only=True)
class IdentityWork:
    """
    Stores that are to belong to another environment.

    Attributes:
        environment: The one that they would belong to.
        stores: Alias and what the store says of itself now, each.
        kind: What an approval of it is called.
        direction: Nothing is undone.
        target: Empty: no run is asked for.
        ends_at: As of a plan: an approval counts as long as the policy says.
    """

    environment: str
    stores: tuple[tuple[str, Identity], ...]
    kind: str = IDENTITY
    direction: Direction = Direction.APPLY
    target: str = ""
    ends_at: None = None

    @property
    def bound(self) -> Sequence[Bound]:
        """The stores as an approval binds them: alias, from where to where, and which store it is."""
        return [[alias, f"{own.environment}>{self.environment}", own.store_id] for alias, own in self.stores]

    @property
    def digest(self) -> str:
        """The digest that the audit trail holds of it."""
        return digest_of_identity(self.bound)

    @property
    def named(self) -> str:
        """What it is, in a sentence about it."""
        return f"letting {counted(len(self.stores), 'store')} belong to “{self.environment}”"

    @property
    def asking(self) -> str:
        """The flags with which its approval is asked for."""
        return "--kind environment"

    def is_left(self, approval: PlanApproval) -> bool:
        """Return whether an approval still covers all of this."""
        return not not_among(approval.steps, approval.remaining, self.bound)


@dataclass(frozen=True, kw_only=True)
class DriftWork:
    """
    Disagreements of files and ledgers that may stay.

    Attributes:
        bound: Of each: the step, the kind of disagreement, the digest of what stands in ledger and file.
        ends_at: Until when.
        kind: What an approval of it is called.
        direction: Which way runs go on.
        target: Empty: no run is asked for.
    """

    bound: tuple[Bound, ...]
    ends_at: datetime
    kind: str = DRIFT
    direction: Direction = Direction.APPLY
    target: str = ""

    @property
    def digest(self) -> str:
        """The digest that the audit trail holds of it."""
        return digest_of_drift(self.bound, self.ends_at)

    def is_left(self, approval: PlanApproval) -> bool:
        """Return whether an acceptance covers this: it isn't used up, so the same one does."""
        return approval.digest == self.digest


TakenWork = PlannedWork | IdentityWork
"""What an approval is used up by."""
AnyWork = TakenWork | DriftWork
"""What may be asked for."""


def bind(step: Step) -> Bound:
    """Return what an approval holds of a step."""
    return [str(step.key), step.phase.value, step.source.checksum]


def words_in(target: str) -> tuple[str, ...]:
    """Return the flags of a target that an approval binds, in a fixed order."""
    given = target.split()
    plainly = sorted({word for word in given if word.startswith(_BINDING_WITH_STEP)})
    return (*(word for word in BINDING if word in given), *plainly)


def digest_of(direction: str, bound: Sequence[Bound], words: Sequence[str] = ()) -> str:
    """
    Compute the digest of a plan: what an approval binds, and the audit trail holds.

    Args:
        direction: Which way.
        bound: The steps, as an approval holds them.
        words: What has to be agreed to beside them.
    """
    document: dict[str, object] = {"direction": direction, "steps": bound}
    return checksums.digest({**document, "words": list(words)} if words else document)


def digest_of_drift(bound: Sequence[Bound], ends_at: datetime) -> str:
    """Compute the digest of drift that may stay until some time."""
    return checksums.digest({"drift": list(bound), "until": aware(ends_at).astimezone(UTC).isoformat()})


def digest_of_identity(bound: Sequence[Bound]) -> str:
    """Compute the digest of stores that are to belong elsewhere."""
    return checksums.digest({"identity": [list(entry) for entry in bound]})


def not_among(bound: Sequence[Bound], remaining: Collection[str], wanted: Sequence[Bound]) -> str:
    """
    Describe why what was approved of stores does not cover others.

    Args:
        bound: What was approved.
        remaining: Aliases of what may still be done of it.
        wanted: What would be done now.

    Returns:
        A few words about the first that is not covered; empty when all are.
    """
    for entry in wanted:
        if entry not in bound:
            return f"“{entry[0]}” as it is now is not among the approved stores"
        if entry[0] not in remaining:
            return f"“{entry[0]}” was changed under this approval before"
    return ""


def not_covered(bound: Sequence[Bound], remaining: Collection[str], steps: Iterable[Step]) -> str:
    """
    Describe why what was approved does not cover steps.

    What was approved may be left half done, and is then continued: the steps have to be among
    those approved, in that order, with the same phase and content, and not used up yet.

    Args:
        bound: What was approved.
        remaining: Keys of what may still run of it.
        steps: What would run now.

    Returns:
        A few words about the first step that is not covered; empty when all are.
    """
    known = {entry[0]: (position, entry) for position, entry in enumerate(bound)}
    last = -1
    for step in steps:
        position, entry = known.get(str(step.key), (-1, []))
        if not entry:
            return f"{step.key} is not among the approved steps"
        if entry[1] != step.phase.value or not checksums.same_content(entry[2], step.source.text):
            return f"{step.key} was changed since"
        if entry[0] not in remaining:
            return f"{step.key} was done under this approval before"
        if position < last:
            return f"{step.key} was approved to run in another order"
        last = position
    return ""
