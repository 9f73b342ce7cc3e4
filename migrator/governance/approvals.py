"""
Approvals: a plan waits for another person's yes, and the yes counts for that plan alone.

One set of functions for command, admin, API and engine. Each act and its audit event are one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Q

from accord import second_person
from accord.acting import Account, actor
from accord.approvals import expiry, groups
from accord.audit import trail
from accord.audit.events import EventKind
from accord.errors import UsageError
from accord.seam.types import StepKey
from migrator.errors import ApprovalClosed, OwnPlan, PlanNotApproved
from migrator.governance import people, yeses
from migrator.governance.flaws import flaw_of, no_second_person, not_approved
from migrator.governance.requests import OPEN, Requests
from migrator.governance.work import AnyWork, PlannedWork, TakenWork
from migrator.governance.yeses import ASKED
from migrator.models import DRIFT, IDENTITY, ApprovalState, PlanApproval

Seen = Callable[[PlanApproval], None]
"""Raises where something of a request has to be seen before it is approved."""
_NOT_ASKED = "Nobody has asked for its approval."
_EVENTS = {
    ApprovalState.APPROVED: EventKind.APPROVAL_GRANTED,
    ApprovalState.REJECTED: EventKind.APPROVAL_REJECTED,
}


class Approvals(Requests):
    """The approvals of one environment of one project: asked for, given, refused, taken back, and used up."""

    # --- deciding ---------------------------------------------------------------------------------

    def request(self, work: AnyWork, person: Account, reason: str) -> PlanApproval:
        """
        Ask that a plan may run, or drift may stay. Asking twice for the same gives the same request.

        Args:
            work: What would run, or stay.
            person: Who asks.
            reason: Why.

        Raises:
            NotEntitled: The account may not ask.
            UsageError: There is nothing to approve, or no reason.
        """
        people.require(person, people.REQUEST)
        if not work.bound:
            raise UsageError(
                "There is nothing to approve: no step is pending.",
                hint="showmigrations_all lists what is applied; name other steps, or nothing.",
            )
        people.require_reason(reason)
        groups.refuse_unknown(self._policy.approvals, self._place)
        for _attempt in (1, 2):
            found = self._open_for(work)
            if found is not None:
                return found
            try:
                return self._file(work, person, reason)
            except IntegrityError:
                continue  # another process asked for the same a moment ago
        raise ApprovalClosed("Another request for the same plan is being decided.", hint="Ask again.")

    def approve(self, reference: str, person: Account, reason: str, look: Seen) -> PlanApproval:
        """
        Say yes to the plan of another account. It is approved once all have that the policy asks for.

        Args:
            reference: The request's, or the beginning of it.
            person: Who approves.
            reason: Why.
            look: Called with the request before it is approved.

        Raises:
            OwnPlan: The person asked for it.
            ApprovalClosed: It is decided, used or expired.
            NotEntitled: The account may not decide.
            UnknownApproval: There is no such request.
            UsageError: No reason was given.
        """
        return self._decide(reference, person, reason, ApprovalState.APPROVED, look)

    def reject(self, reference: str, person: Account, reason: str) -> PlanApproval:
        """Say no to a plan, approved or not, as long as it isn't used up. Raises as :meth:`approve`."""
        return self._decide(reference, person, reason, ApprovalState.REJECTED)

    def refuse_own(self, approval: PlanApproval, person: Account, wanted: ApprovalState) -> None:
        """
        Make sure that whoever decides is a second person, and not who asked. Superusers are no exception.

        Args:
            approval: About what.
            person: Who decides.
            wanted: What it would become; a no takes no account that was known before.

        Raises:
            OwnPlan: It is the same person, or one who was not known when it was asked for.
            NotEntitled, ConfigurationError: As for :func:`migrator.governance.people.require_place`.
        """
        if fact := no_second_person(approval, person, approving=wanted is ApprovalState.APPROVED):
            raise OwnPlan(fact, hint=people.ask_another()).told(people.denial(person, approval.reference))
        if wanted is ApprovalState.APPROVED:
            people.require_place(person, self._policy.approvals, self._place, approval.reference)

    def revoke(self, reference: str, person: Account, reason: str) -> PlanApproval:
        """
        Take a yes back that isn't used up: one's own, or all of them where it is another approver who does.

        The request waits for approval again. A run that goes on under it stops before its next step.

        Args:
            reference: The request's, or the beginning of it.
            person: Who takes it back.
            reason: Why.

        Raises:
            ApprovalClosed: There is no yes, or it is used up.
            OwnPlan, NotEntitled, UnknownApproval, UsageError: As for :meth:`approve`.
        """
        asked = self._entitled(reference, person, reason)
        with transaction.atomic(using=self._using):
            approval = self._locked(asked.pk)
            self.refuse_own(approval, person, ApprovalState.REJECTED)
            state = self.state_of(approval)
            if state not in OPEN or not yeses.take_back(approval, person, reason, self._using):
                raise ApprovalClosed(
                    f"There is no yes to take back of request {approval.short}: it is {state.value}.",
                    hint="migration_approval list shows how far each request is.",
                )
            if state is ApprovalState.APPROVED and not self._is_enough(approval):
                self._wait_again(approval)
            self._record(EventKind.APPROVAL_REVOKED, approval, actor(person))
        return approval

    def _entitled(self, reference: str, person: Account, reason: str) -> PlanApproval:
        asked = self.find(reference)
        people.require(person, people.APPROVE, asked.reference)
        people.require_reason(reason)
        self._expire(asked)
        return asked

    def _decide(
        self, reference: str, person: Account, reason: str, state: ApprovalState, look: Seen | None = None
    ) -> PlanApproval:
        asked = self._entitled(reference, person, reason)
        if look is not None:
            # Before the row is locked: a look at every store takes its time.
            self.refuse_own(asked, person, state)
            self._refuse_closed(asked, state)
            look(asked)
        with transaction.atomic(using=self._using):
            approval = self._locked(asked.pk)
            self.refuse_own(approval, person, state)
            self._refuse_closed(approval, state)
            if state is ApprovalState.APPROVED:
                self._say_yes(approval, person, reason)
            else:
                self._settle_on(approval, state, person, reason)
            self._record(_EVENTS[state], approval, actor(person))
            if state is ApprovalState.APPROVED and self._is_enough(approval):
                self._settle_on(approval, state, person, reason)
        return approval

    def _say_yes(self, approval: PlanApproval, person: Account, reason: str) -> None:
        if yeses.has_given(approval, person, self._using):
            words = self.standing(approval)[approval.pk].words
            raise ApprovalClosed(
                f"You approved request {approval.short} already: {words}.", hint=people.ask_another()
            )
        yeses.give(approval, person, reason, self._using)

    def _settle_on(self, approval: PlanApproval, state: ApprovalState, person: Account, reason: str) -> None:
        approval.state = state
        approval.approver_ref, approval.approver_key = actor(person).ref, str(person.pk)
        approval.decision_reason, approval.decided_at = reason, expiry.server_now(self._using)
        approval.save(using=self._using)

    def _refuse_closed(self, approval: PlanApproval, wanted: ApprovalState) -> None:
        state = self.state_of(approval)
        may = (ApprovalState.REQUESTED,) if wanted is ApprovalState.APPROVED else OPEN
        if state not in may and not (state in OPEN and not self._is_enough(approval)):
            raise ApprovalClosed(
                f"Approval request {approval.short} can't become {wanted.value}: it is {state.value}.",
                hint="If the plan is still wanted, ask anew: migration_approval request.",
            )

    def _is_enough(self, approval: PlanApproval) -> bool:
        return self.standing(approval)[approval.pk].is_enough

    def _wait_again(self, approval: PlanApproval) -> None:
        approval.state, approval.decided_at = ApprovalState.REQUESTED, None
        approval.approver_ref = approval.approver_key = approval.decision_reason = ""
        approval.save(using=self._using)

    def _open_for(self, work: AnyWork) -> PlanApproval | None:
        same = self.all().filter(kind=work.kind, digest=work.digest, state__in=OPEN).first()
        if same is None or self._expire(same):
            return None
        # Half done and then undone: what is left of it does not cover the plan any more.
        if not work.is_left(same):
            self._close(same, ApprovalState.EXPIRED, EventKind.APPROVAL_VOIDED)
            return None
        return same

    def _file(self, work: AnyWork, person: Account, reason: str) -> PlanApproval:
        now = expiry.server_now(self._using)
        acts = actor(person)
        approval = PlanApproval(
            project=self._settings.project,
            environment=self._settings.environment,
            kind=work.kind,
            direction=work.direction.value,
            target=work.target,
            digest=work.digest,
            steps=work.bound,
            remaining=[entry[0] for entry in work.bound],
            reason=reason,
            requester_ref=acts.ref,
            requester_key=str(person.pk),
            requested_at=now,
            expires_at=work.ends_at or now + self._policy.approval_life,
        )
        with transaction.atomic(using=self._using):
            approval.save(using=self._using, force_insert=True)
            second_person.sight(ASKED)
            self._record(EventKind.APPROVAL_REQUESTED, approval, acts)
        return approval

    # --- enforcing --------------------------------------------------------------------------------

    def covering(self, work: TakenWork) -> PlanApproval:
        """
        Find the approval that covers what is about to run.

        Raises:
            PlanNotApproved: There is none; says how far a request for it is, or how to ask.
        """
        if not self.exist():
            raise self._refusal(_NOT_ASKED, work)
        alike = self.all().filter(kind=work.kind, direction=work.direction.value)
        # Of open ones there are few, however many were closed since they were asked for.
        for approval in alike.filter(state=ApprovalState.APPROVED).exclude(expiry.late()):
            if not self._flaw(approval, work):
                return approval
        begun = Q(state=ApprovalState.REQUESTED) & ~Q(run_id="")
        telling = Q(digest=work.digest) | Q(state=ApprovalState.APPROVED) | begun
        raise self._missing(work, alike.filter(telling))

    def take(self, work: TakenWork, run_id: str) -> PlanApproval:
        """
        Take the approval for a run that holds the lease.

        Steps that are done are struck off first, in every approval: undoing one never revives
        an old yes to it.

        Raises:
            PlanNotApproved: As for :meth:`covering`.
        """
        if isinstance(work, PlannedWork):
            self.settle(work.applied)
        with transaction.atomic(using=self._using):
            approval = self._locked(self.covering(work).pk)
            if flaw := self._flaw(approval, work) or self._not_now(approval):
                raise self._refusal(f"Approval {approval.short} does not count: {flaw}.", work)
            approval.run_id = run_id
            approval.save(using=self._using)
            self._record(EventKind.APPROVAL_USED, approval, trail.SYSTEM, steps=len(work.bound))
        return approval

    def settle(self, applied: Collection[StepKey]) -> None:
        """Strike off what was approved and is done; an approval of which nothing is left is used up."""
        if not self.exist():
            return
        present = {str(key) for key in applied}
        for approval in self.all().filter(state=ApprovalState.APPROVED).exclude(kind__in=(DRIFT, IDENTITY)):
            forward = approval.direction == "apply"
            self.strike(approval, [key for key in approval.remaining if (key in present) == forward])

    def finish(self, approval: PlanApproval, done: Sequence[StepKey]) -> None:
        """Strike off what a run did."""
        self.strike(approval, [str(key) for key in done])

    def strike(self, approval: PlanApproval, done: Collection[str]) -> None:
        """Strike off what is done; an approval of which nothing is left is used up."""
        if not done:
            return
        with transaction.atomic(using=self._using):
            locked = self._locked(approval.pk)
            locked.remaining = [key for key in locked.remaining if key not in done]
            if not locked.remaining and locked.state == ApprovalState.APPROVED:
                locked.state, locked.used_at = ApprovalState.USED, expiry.server_now(self._using)
            locked.save(using=self._using)
            if not locked.remaining and locked.state == ApprovalState.REQUESTED:
                # Taken back while the last step ran: nothing is left to be approved.
                self._close(locked, ApprovalState.EXPIRED, EventKind.APPROVAL_VOIDED)

    def refuse_taken_back(self, approval: PlanApproval) -> None:
        """
        Make sure, before a step, that what covers a run was not taken back meanwhile.

        Raises:
            PlanNotApproved: It was.
        """
        state = self.all().filter(pk=approval.pk).values_list("state", flat=True).first()
        if state not in (ApprovalState.APPROVED, ApprovalState.USED):
            raise PlanNotApproved(
                f"Approval {approval.short} was taken back while the run went on.",
                hint="What is done stays done; once it is approved again, the same command continues.",
            )

    def _flaw(self, approval: PlanApproval, work: TakenWork) -> str:
        return flaw_of(approval, work, self._using, self._policy.approvals)

    def _not_now(self, approval: PlanApproval) -> str:
        return "" if (state := self.state_of(approval)) is ApprovalState.APPROVED else f"it is {state.value}"

    def _missing(self, work: TakenWork, candidates: Iterable[PlanApproval]) -> PlanNotApproved:
        """Return the error that says how far an approval of this plan is."""
        for approval in candidates:
            state = self.state_of(approval)
            # What was begun under it and taken back is less than what its digest is of.
            same = approval.digest == work.digest or (bool(approval.run_id) and work.is_left(approval))
            if same and state is ApprovalState.REQUESTED:
                found = self.standing(approval)[approval.pk]
                so_far = f" So far: {found.words}." if found.needed > 1 else ""
                return PlanNotApproved(
                    f"Request {approval.short} waits for another person's approval of that.{so_far}",
                    hint=f"manage.py migration_approval approve {approval.short} --as USERNAME --reason TEXT",
                )
            if approval.digest == work.digest and state is not ApprovalState.APPROVED:
                return self._refusal(f"Approval request {approval.short} is {state.value}.", work)
            if state is ApprovalState.APPROVED and (flaw := self._flaw(approval, work)):
                return self._refusal(f"Approval {approval.short} does not count here: {flaw}.", work)
        return self._refusal(_NOT_ASKED, work)

    def _refusal(self, fact: str, work: TakenWork) -> PlanNotApproved:
        return not_approved(self._settings.environment, work, fact)
