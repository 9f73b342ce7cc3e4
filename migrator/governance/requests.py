"""Requests for approval as they stand in their table: found, read, closed, and put on record."""

from __future__ import annotations

from django.db import connections, transaction
from django.db.models import QuerySet

from accord import conf
from accord.approvals.quorum import ONE, Standing
from accord.audit import trail
from accord.audit.events import Counter, EventKind, EventOutcome, ObjectKind
from migrator.errors import UnknownApproval
from migrator.governance import yeses
from migrator.governance.policy import Policy, place_of_approvals
from migrator.models import ApprovalState, PlanApproval

OPEN = (ApprovalState.REQUESTED, ApprovalState.APPROVED)
_REFUSALS = (
    EventKind.APPROVAL_REJECTED,
    EventKind.APPROVAL_EXPIRED,
    EventKind.APPROVAL_VOIDED,
    EventKind.APPROVAL_REVOKED,
)


class Requests:
    """
    The requests of one environment of one project.

    Args:
        settings: Settings of the suite.
        policy: Policy of the environment.
    """

    def __init__(self, settings: conf.AccordSettings, policy: Policy) -> None:
        self._settings = settings
        self._policy = policy
        self._using = settings.coordinator

    def exist(self) -> bool:
        """Return whether the table is there: on an empty database it isn't."""
        with connections[self._using].cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [PlanApproval._meta.db_table])
            return bool((cursor.fetchone() or [False])[0])

    def all(self) -> QuerySet[PlanApproval]:
        """Return the requests of this project and environment, newest first."""
        return PlanApproval.objects.using(self._using).filter(
            project=self._settings.project, environment=self._settings.environment
        )

    def find(self, reference: str) -> PlanApproval:
        """
        Find a request by its reference or the beginning of it.

        Raises:
            UnknownApproval: There is none, or there are several.
        """
        found = list(self.all().filter(reference__startswith=reference)[:2]) if reference else []
        if len(found) != 1:
            fact = "Several approval requests begin" if found else "No approval request here begins"
            raise UnknownApproval(f"{fact} with “{reference}”.", hint="migration_approval list shows them.")
        return found[0]

    def state_of(self, approval: PlanApproval) -> ApprovalState:
        """Return how far a request was when it was read: one that ran out of time is expired."""
        state = ApprovalState(approval.state)
        return ApprovalState.EXPIRED if state in OPEN and approval.late else state

    @property
    def takes_one(self) -> bool:
        """Return whether one yes is enough, of whomever."""
        return self._policy.approvals == ONE

    @property
    def _place(self) -> str:
        return place_of_approvals(self._settings.environment)

    def standing(self, *approvals: PlanApproval) -> dict[int, Standing]:
        """Say how far the yes-es to requests are, by primary key."""
        return yeses.standing(approvals, self._policy.approvals, self._using)

    # --- writing ----------------------------------------------------------------------------------

    def _expire(self, approval: PlanApproval) -> bool:
        """Write down that a request ran out of time, if it did."""
        if approval.state not in OPEN or self.state_of(approval) is not ApprovalState.EXPIRED:
            return False
        self._close(approval, ApprovalState.EXPIRED, EventKind.APPROVAL_EXPIRED)
        return True

    def _close(self, approval: PlanApproval, state: ApprovalState, event: EventKind) -> None:
        with transaction.atomic(using=self._using):
            locked = self._locked(approval.pk)
            if locked.state in OPEN:
                locked.state = state
                locked.save(using=self._using)
                self._record(event, locked, trail.SYSTEM)

    def _locked(self, key: int) -> PlanApproval:
        held: PlanApproval = PlanApproval.objects.using(self._using).select_for_update().get(pk=key)
        return held

    def _record(self, event: EventKind, approval: PlanApproval, actor: trail.Actor, steps: int = 0) -> None:
        refused = event in _REFUSALS
        trail.record(
            event,
            actor=actor,
            object_kind=ObjectKind.APPROVAL,
            outcome=EventOutcome.REFUSED if refused else EventOutcome.DONE,
            object_ref=approval.reference,
            request_ref=approval.reference,
            counters={Counter.STEPS.value: steps or len(approval.steps)},
            plan_digest=approval.digest,
            using=self._using,
        )
