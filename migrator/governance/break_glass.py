"""
Break-glass: a run that goes ahead without approval, on record before its first step, and reviewed later.

Until another person has reviewed it, no further run begins in its environment but one that goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connections, transaction
from django.db.models import QuerySet

from accord import conf, second_person
from accord.acting import Account, actor
from accord.approvals import counting, expiry
from accord.approvals.deciding import Hindrance, hindrance
from accord.approvals.decision import Deciding, Yes
from accord.audit import trail
from accord.audit.events import Counter, EventKind, ObjectKind
from accord.errors import UsageError
from migrator.errors import OwnPlan, ReviewMissing, UnknownApproval
from migrator.governance import people
from migrator.governance.work import PlannedWork, not_covered
from migrator.models import BreakGlass

BREAK = "migrator.break_glass"
ASKED = second_person.Asked(event=EventKind.BREAK_GLASS, permission=people.APPROVE)
REVIEWS = Deciding(asked=ASKED, granted=EventKind.BREAK_GLASS_REVIEWED)


class Breaks:
    """
    The runs without approval of one environment of one project.

    Args:
        settings: Settings of the suite.
    """

    def __init__(self, settings: conf.AccordSettings) -> None:
        self._settings = settings
        self._using = settings.coordinator

    def exist(self) -> bool:
        """Return whether the table is there: a run may be about to bring it."""
        with connections[self._using].cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [BreakGlass._meta.db_table])
            return bool((cursor.fetchone() or [False])[0])

    def all(self) -> QuerySet[BreakGlass]:
        """Return those of this project and environment, the newest first."""
        return BreakGlass.objects.using(self._using).filter(
            project=self._settings.project, environment=self._settings.environment
        )

    def open(self) -> Sequence[BreakGlass]:
        """Return those of which the trail tells no review by another account, whatever the table says."""
        if not self.exist():
            return []
        rows = list(self.all())
        reviews = {row.pk: _review(row) for row in rows if row.reviewer_key}
        told = counting.witnessed(reviews, REVIEWS, using=self._using) if reviews else set()
        return [row for row in rows if row.pk not in told or row.reviewer_key == row.account_key]

    def find(self, reference: str) -> BreakGlass:
        """
        Find one that waits for its review by its reference or the beginning of it.

        Raises:
            UnknownApproval: There is none, or there are several.
        """
        found = [row for row in self.open() if reference and row.reference.startswith(reference)]
        if len(found) != 1:
            raise UnknownApproval(
                f"No run without approval that begins with “{reference}” waits for its review here.",
                hint="migration_approval list shows them.",
            )
        return found[0]

    def refuse_unreviewed(self, work: PlannedWork, account: Account | None, *, breaking: bool) -> None:
        """
        Make sure that nothing runs past one that waits for its review, but what goes on with it.

        Args:
            work: What would run.
            account: Who has it run, where that is known.
            breaking: Whether it would run without approval, too.

        Raises:
            ReviewMissing: There is one.
        """
        for row in self.open():
            if not (breaking and self._goes_on(row, work, account)):
                raise ReviewMissing(
                    f"Run {row.short} went ahead without approval in “{row.environment}”, and nobody has "
                    "reviewed that.",
                    hint=f"manage.py migration_approval review {row.short} --as USERNAME --reason TEXT",
                )

    def refuse_unentitled(self, account: Account | None, reason: str) -> Account:
        """
        Make sure that an account may have something run without approval.

        Raises:
            NotEntitled: It lacks the permission.
            UsageError: No account or no reason is given, or there is nowhere to put it on record.
        """
        if account is None:
            raise UsageError(
                "Nobody is named who breaks the glass.", hint="Name the account that acts: --as USERNAME."
            )
        people.require(account, BREAK)
        people.require_reason(reason)
        if not self.exist():
            raise UsageError(
                "There is no table yet in which a run without approval stands on record.",
                hint="manage.py migration_approval request makes it, and asks for an approval.",
            )
        return account

    @staticmethod
    def refuse_needless(*, needed: bool) -> None:
        """
        Make sure that there is something to break.

        Raises:
            UsageError: The environment asks for no approval.
        """
        if not needed:
            raise UsageError(
                "This environment asks for no approval, so there is none to go without.",
                hint="Leave --break-glass out.",
            )

    def put_on_record(self, work: PlannedWork, account: Account, reason: str, run_id: str) -> BreakGlass:
        """Write down, before the first step, what goes ahead without approval; going on adds nothing."""
        for row in self.open():
            if self._goes_on(row, work, account):
                return row
        acts = actor(account)
        row = BreakGlass(
            project=self._settings.project,
            environment=self._settings.environment,
            direction=work.direction.value,
            kind=work.kind,
            words=list(work.words),
            digest=work.digest,
            steps=list(work.bound),
            run_id=run_id,
            reason=reason,
            account_ref=acts.ref,
            account_key=str(account.pk),
            broken_at=expiry.server_now(self._using),
        )
        with transaction.atomic(using=self._using):
            row.save(using=self._using, force_insert=True)
            second_person.sight(ASKED)
            self._record(EventKind.BREAK_GLASS, row, acts)
        return row

    def review(self, reference: str, person: Account, reason: str) -> BreakGlass:
        """
        Note that another person looked at what ran without approval.

        Args:
            reference: Its own, or the beginning of it.
            person: Who has looked at it.
            reason: What they say to it.

        Raises:
            NotEntitled: The account may not approve plans.
            OwnPlan: It is the account that had it run, or one that was not known then.
            UnknownApproval: There is none that waits for its review.
            UsageError: No reason was given.
        """
        found = self.find(reference)
        people.require(person, people.APPROVE, found.reference)
        people.require_reason(reason)
        with transaction.atomic(using=self._using):
            row = BreakGlass.objects.using(self._using).select_for_update().get(pk=found.pk)
            self.refuse_own(row, person)
            if row.reviewed_at is None:
                acts = actor(person)
                row.reviewed_at, row.review_reason = expiry.server_now(self._using), reason
                row.reviewer_ref, row.reviewer_key = acts.ref, str(person.pk)
                row.save(using=self._using)
                self._record(EventKind.BREAK_GLASS_REVIEWED, row, acts)
        return row

    def refuse_own(self, row: BreakGlass, person: Account) -> None:
        """
        Make sure that whoever reviews is a second person.

        Raises:
            OwnPlan: It isn't.
        """
        found = hindrance(person, row.reference, [row.account_key], REVIEWS)
        facts: Mapping[Hindrance, str] = {
            Hindrance.ASKED: f"You had run {row.short} go ahead yourself; another person has to review it.",
            Hindrance.UNKNOWN: f"This account was not known here when run {row.short} went ahead.",
        }
        if found is not None:
            denied = people.denial(person, row.reference, ObjectKind.RUN)
            raise OwnPlan(facts[found], hint=people.ask_another()).told(denied)

    def _goes_on(self, row: BreakGlass, work: PlannedWork, account: Account | None) -> bool:
        """Return whether work is what is left of one: by the same account, and not a step or a word more."""
        same = account is not None and str(account.pk) == row.account_key
        alike = (row.kind, row.direction) == (work.kind, work.direction.value)
        covered = set(work.words) <= set(row.words) and row.reviewed_at is None
        known = [entry[0] for entry in row.steps]
        return same and alike and covered and not not_covered(row.steps, known, work.steps)

    def _record(self, event: EventKind, row: BreakGlass, acts: trail.Actor) -> None:
        trail.record(
            event,
            actor=acts,
            object_kind=ObjectKind.RUN,
            object_ref=row.reference,
            counters={Counter.STEPS.value: len(row.steps)},
            plan_digest=row.digest,
            using=self._using,
        )


def _review(row: BreakGlass) -> Yes:
    return Yes(
        ref=row.reference,
        digest=row.digest,
        account=row.reviewer_key,
        askers=frozenset({row.account_key}),
    )
