"""What every store of revisions does alike; a store brings its server, its ledger and its operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from accord.errors import (
    AccordError,
    LeaseError,
    StepFailed,
    StoreRefused,
    StoreUnavailable,
    UnknownTarget,
)
from accord.events import Reporter, silent
from accord.places import nearest
from accord.revisions.entry import EntryState, Facts, StepEntry, recorded
from accord.revisions.ledger import RevisionLedger
from accord.revisions.loader import LoadedRevision, RevisionKind, why_absent
from accord.revisions.operation import Operation, digest
from accord.seam.assertions import Assertion, Broken, Moment, broken
from accord.seam.losses import HowMany, Loss
from accord.seam.origins import LEFT
from accord.seam.stores import StoreFeatures, StoreInfo
from accord.seam.types import (
    AppliedStep,
    Direction,
    Lease,
    Origin,
    Probe,
    Recorded,
    Shown,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)

if TYPE_CHECKING:
    from accord.revisions.runner import Runner

O = TypeVar("O", bound=Operation[Any])  # noqa: E741 - the letter of its word, beside C for context
Show = Callable[[StepKey, O, Direction], Iterable[Statement]]
"""Renders what an operation would send."""


class RevisionStore(ABC, Generic[O]):
    """
    A store whose steps are revisions: most of :class:`accord.seam.stores.Store`, over the one machine.

    Args:
        alias: Name of the store.

    Attributes:
        kind: What its revisions look like on disk.
    """

    features = StoreFeatures(records_atomically=False, supports_revert=True)
    kind: ClassVar[RevisionKind]

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._revisions: Mapping[StepKey, LoadedRevision] | None = None

    # --- what a store brings -------------------------------------------------------------------------

    @abstractmethod
    def ping(self) -> StoreInfo:
        """Return what the server says it is. See :class:`accord.seam.stores.Store`."""

    @abstractmethod
    def connected_ledger(self) -> RevisionLedger:
        """Return the ledger, ready to be written."""

    @abstractmethod
    def context(self, progress: Any) -> Any:
        """
        Build what an operation works with.

        Args:
            progress: The :class:`~accord.revisions.progress.Progress` of the run.
        """

    @abstractmethod
    def renderer(self, *, offline: bool) -> Show[O]:
        """
        Return a function that shows what operations would send.

        Args:
            offline: No server may be asked, and nothing of this deployment (a prefix) may show: the
                result becomes the operation's digest.
        """

    @abstractmethod
    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Check for the effects of steps. See :class:`accord.seam.stores.Probes`."""

    def glance(self) -> AbstractContextManager[RevisionLedger]:
        """Open the ledger for one question."""
        return nullcontext(self.connected_ledger())

    def translated(self) -> AbstractContextManager[None]:
        """Translate what the driver raises into errors of the suite."""
        return nullcontext()

    def admit(self, operations: Sequence[O]) -> None:
        """Raise when the server can't do what these operations need."""

    def failure(self, exc: Exception, place: str) -> Exception:
        """
        Return the error that names the place where another one happened, or that one as it is.

        Args:
            exc: What an operation raised.
            place: Step and operation, for the message.
        """
        if isinstance(exc, AccordError):
            return exc
        # The exception's own words may quote a document, so only its kind and place are told.
        return StepFailed(
            f"{place}: the function raised {self.described(exc)}{self._line(exc)}.",
            hint="Correct the function or the data and run again; what is done is recorded.",
        )

    @property
    def words(self) -> str:
        """Return what the revisions say: what a server quotes of that is no document's secret."""
        return "\n".join(found.step.source.text for found in (self._revisions or {}).values())

    def described(self, exc: Exception) -> str:
        """Return the kind of an error that a function raised, and nothing that a document may hold."""
        return type(exc).__name__

    def take_back(self, context: Any, facts: Facts) -> bool:
        """
        Take back what an operation left that was killed, and that the edited file doesn't have any more.

        Args:
            context: What an operation acts with.
            facts: What it had put away.

        Returns:
            True when something of it stood.
        """
        return False

    def _line(self, exc: Exception) -> str:
        """Name the last line that was run of a revision, or of the project's code, and never a library's."""
        files = {str(revision.step.source.path) for revision in (self._revisions or {}).values()}
        frame = nearest(exc, files)
        return f" at {Path(frame.filename).name}, line {frame.lineno}" if frame else ""

    def was_answer_lost(self, exc: Exception) -> bool:
        """Check whether an operation may have acted without our knowing, so that it looks again."""
        return False

    def was_refused(self, exc: Exception) -> bool:
        """Check whether an operation surely ended, so that a look tells what it did for good."""
        unsure = isinstance(exc, LeaseError | StoreUnavailable) and not isinstance(exc, StoreRefused)
        return not unsure and not self.was_answer_lost(exc)

    # --- Store ---------------------------------------------------------------------------------------

    def steps(self) -> Sequence[Step]:
        """Read the steps from disk. See :class:`accord.seam.stores.Store`."""
        self._revisions = self.kind.load(self.alias)
        return [revision.step for revision in self._revisions.values()]

    def applied(self) -> Mapping[StepKey, AppliedStep]:
        """Read the ledger. See :class:`accord.seam.stores.Store`."""
        return self.recorded().applied

    def recorded(self) -> Recorded:
        """Read the ledger with what was begun. See :class:`accord.seam.stores.Unfinished`."""
        with self.translated(), self.glance() as ledger:
            return recorded(ledger.entries())

    def why_absent(self, key: StepKey) -> str:
        """Tell why a step isn't declared here. See :class:`accord.seam.stores.KnowsApps`."""
        return why_absent(key.app)

    def apply(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Apply a step and record it. See :class:`accord.seam.stores.Store`."""
        with self.translated():
            return self._runner(step, lease, report).apply()

    def revert(self, step: Step, lease: Lease, report: Reporter = silent) -> StepOutcome:
        """Undo a step and strike it from the ledger. See :class:`accord.seam.stores.Store`."""
        with self.translated():
            return self._runner(step, lease, report).revert()

    # --- Records, Explains -----------------------------------------------------------------------------

    def record(self, step: Step, lease: Lease, how: Origin = Origin.ADOPTED) -> None:
        """Write a step into the ledger as applied. See :class:`accord.seam.stores.Records`."""
        operations = self.operations(step.key)
        with self.translated():
            ledger = self.connected_ledger()
            found = ledger.entry(step.key, lease) or StepEntry(key=step.key)
            done = found.standing(found.finished, len(operations)).signed(step)
            ledger.commit(replace(done, state=EntryState.APPLIED, how=how), lease)

    def forget(self, step: Step, lease: Lease) -> None:
        """Delete a step from the ledger. See :class:`accord.seam.stores.Records`."""
        with self.translated():
            ledger = self.connected_ledger()
            if ledger.entry(step.key, lease) is not None:
                ledger.strike(step.key, lease)

    def explain(
        self, steps: Sequence[Step], direction: Direction
    ) -> Iterator[tuple[Step, Sequence[Statement]]]:
        """Show what steps would send. See :class:`accord.seam.stores.Explains`."""
        show = self.renderer(offline=False)
        entries = self._entries_if_reachable() if direction is Direction.REVERT else {}
        for step in steps:
            operations = self._concerned(step.key, entries.get(step.key))
            ordered = operations if direction is Direction.APPLY else reversed(operations)
            shown = [shown for operation in ordered for shown in show(step.key, operation, direction)]
            found = step.key in entries and entries[step.key].how is not Origin.APPLIED
            yield step, [LEFT] if found and not operations else shown

    def losses(
        self, steps: Sequence[Step], direction: Direction, shown: Shown | None = None
    ) -> Iterator[Loss]:
        """Count what steps would drop. See :class:`accord.seam.losses.CountsLosses`."""
        from accord.revisions.losing import losses

        with self.translated():
            concerned = [(step.key, self.operations(step.key), self.place_of(step.key)) for step in steps]
            yield from losses(concerned, direction, self.connected_ledger(), self.documents)

    def place_of(self, key: StepKey) -> Any:
        """Return what the operations of a step read names by, if the store has such a thing."""
        return None

    def documents(self, name: str) -> HowMany:
        """Count the documents of a collection or an index; zero where there is none."""
        return HowMany(None)

    def _concerned(self, key: StepKey, entry: StepEntry | None) -> Sequence[O]:
        """Return the operations that stand, or may, and are ours: of a begun step, those that ran."""
        operations = self.operations(key)
        if entry is None:
            return operations
        if entry.state is not EntryState.APPLIED:
            begun = entry.begun()
            return operations[: begun.done + begun.partly]
        ours = [
            entry.how is Origin.APPLIED or str(number) in entry.saved for number in range(len(operations))
        ]
        return [operation for operation, is_ours in zip(operations, ours, strict=True) if is_ours]

    def _entries_if_reachable(self) -> Mapping[StepKey, StepEntry]:
        try:
            with self.translated(), self.glance() as ledger:
                return {entry.key: entry for entry in ledger.entries()}
        except StoreUnavailable:
            return {}

    # --- Asserts ---------------------------------------------------------------------------------------

    def asked(self, step: Step) -> AbstractContextManager[Any]:
        """Open what assertions are functions of: the store itself, unless it has something nearer."""
        return nullcontext(self)

    def assertions(self, step: Step, moment: Moment) -> Sequence[Assertion]:
        """Return what a revision declares. See :class:`accord.seam.assertions.Asserts`."""
        return self._revision(step.key).assertions.get(moment, ())

    def broken(self, step: Step, moment: Moment) -> Iterator[Broken]:
        """Ask which assertions don't hold. See :class:`accord.seam.assertions.Asserts`."""
        found = self.assertions(step, moment)
        with self.translated(), self.asked(step) as handed:
            # A loader that speaks no SQL takes functions alone.
            yield from broken(step.key, moment, found, lambda test: test(handed))  # type: ignore[operator]

    # --- for the machine ---------------------------------------------------------------------------------

    def operations(self, key: StepKey) -> Sequence[O]:
        """
        Return what a step does.

        Raises:
            UnknownTarget: No file declares the step.
        """
        return self._revision(key).operations  # type: ignore[return-value]  # `kind` holds them to be such

    def digest(self, key: StepKey, operation: O) -> str:
        """Hash what an operation would send, wherever it were sent to."""
        return digest(self.renderer(offline=True)(key, operation, Direction.APPLY))

    def _runner(self, step: Step, lease: Lease, report: Reporter) -> Runner:
        # A run with nothing to do never gets here, and doesn't pay for it.
        from accord.revisions.runner import Runner

        return Runner(
            store=self,
            revision=self._revision(step.key),
            ledger=self.connected_ledger(),
            lease=lease,
            report=report,
        )

    def _revision(self, key: StepKey) -> LoadedRevision:
        if self._revisions is None:
            self._revisions = self.kind.load(self.alias)
        if key not in self._revisions:
            raise UnknownTarget(f"No file provides {key}.", hint="Restore the file of the revision.")
        return self._revisions[key]
