"""What a caller wants done, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from accord.errors import AccordError, ExitCode
from accord.seam.types import Direction
from migrator.engine.executor import Execution
from migrator.engine.plan import Plan, Target
from migrator.models import RunKind

if TYPE_CHECKING:
    from accord.acting import Account


@dataclass(frozen=True, kw_only=True)
class Request:
    """
    What a caller wants done.

    Attributes:
        kind: Apply, revert, baseline, fake or forget.
        target: What to reach.
        revert: With `fake`: strike from the ledger instead of writing into it.
        rebuild: Apply the steps of one store again, named by the target, whatever needs them already.
        trust_unproved: With `baseline`: believe that what can't be looked at was done.
        data_is_lost: Agree that a rebuild of a store with data of its own brings none of it back.
        even_with_data: Agree that a revert drops rows, documents and indexed documents.
        asks: A person is told what goes, and asked, before the run; their yes does for `even_with_data`
            where no second person has to approve.
        unsafe_ddl: Keys of steps that are sent as their migrations say, whatever they lock; with a reason.
        one_by_one: Don't let steps of different stores run at the same time.
        environment: If set, the environment that the settings must describe.
        lock_wait: Seconds to wait for the lease; None means the setting.
        break_glass: Run without approval, in an emergency; the account, and the reason, go on record before.
        reason: Why, in a person's words; kept in the journal.
        tag: Name where every store stands afterwards.
        account: Who asks for it, where that is known; for the audit trail.
    """

    kind: RunKind = RunKind.APPLY
    target: Target = field(default_factory=Target)
    revert: bool = False
    rebuild: bool = False
    trust_unproved: bool = False
    data_is_lost: bool = False
    even_with_data: bool = False
    asks: bool = False
    unsafe_ddl: tuple[str, ...] = ()
    one_by_one: bool = False
    environment: str = ""
    lock_wait: float | None = None
    break_glass: bool = False
    reason: str = ""
    tag: str = ""
    account: Account | None = None

    @property
    def meets_data(self) -> bool:
        """Whether steps act on what stands: not where only ledgers are written, or a lost store is filled."""
        return self.kind in (RunKind.APPLY, RunKind.REVERT) and not self.rebuild

    @property
    def direction(self) -> Direction:
        """Forward, or back."""
        backwards = self.kind in (RunKind.REVERT, RunKind.FORGET)
        backwards = backwards or (self.kind is RunKind.FAKE and self.revert)
        return Direction.REVERT if backwards else Direction.APPLY


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """
    What a run came to.

    Attributes:
        run_id: The run; empty when there was nothing to run.
        plan: What it ran: the plan made under the lease.
        execution: What became of the steps.
        seconds: How long it took, the wait for the lease not counted.
        error: What ended the run early, if anything did.
        kind: What the run was asked to do.
        command: Asks for the same again.
    """

    run_id: str
    plan: Plan
    execution: Execution = field(default_factory=Execution)
    seconds: float = 0.0
    error: AccordError | None = None
    kind: RunKind = RunKind.APPLY
    command: str = "migrate_all"

    @property
    def exit_code(self) -> ExitCode:
        """What a command returns."""
        return self.execution.exit_code if self.error is None else self.error.exit_code
