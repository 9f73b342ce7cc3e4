"""
Acceptances of drift: a disagreement of files and ledgers that people looked at, and that may stay.

An acceptance is an approval of the kind “drift”. It binds the very content of ledger and file: whatever
changes again is another disagreement. Where the policy asks for no approval, the request itself counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from accord import conf, db
from accord.clock import Clock, aware, local
from accord.errors import UsageError
from migrator.governance import yeses
from migrator.governance.approvals import Approvals
from migrator.governance.evidence import is_on_record
from migrator.governance.policy import Policy
from migrator.governance.work import Bound, digest_of_drift
from migrator.models import DRIFT, ApprovalState, PlanApproval

NO_END = datetime(9999, 1, 1, tzinfo=UTC)
"""When an acceptance ends that counts until ledger or file changes."""
_RANKS = {ApprovalState.EXPIRED: 0, ApprovalState.REQUESTED: 1, ApprovalState.APPROVED: 2}
"""The states that say something of a disagreement, the last word last."""


@dataclass(frozen=True, kw_only=True)
class Acceptance:
    """
    What people said to a disagreement.

    Attributes:
        reference: The beginning of the request's reference.
        state: How far it is now.
        ends_at: Until when it counts.
        by: Reference, in the audit trail, of the account that had the last word.
        by_key: Key of that account.
        reason: Why it may stay.
    """

    reference: str
    state: ApprovalState
    ends_at: datetime
    by: str
    by_key: str
    reason: str

    @property
    def holds(self) -> bool:
        """Return whether it counts."""
        return self.state is ApprovalState.APPROVED

    @property
    def has_end(self) -> bool:
        """Return whether it ends by itself."""
        return self.ends_at < NO_END

    @property
    def until(self) -> str:
        """Return until when it counts, in words."""
        return f"until {_time(self.ends_at)}" if self.has_end else "until it changes"

    @property
    def refusal(self) -> str:
        """Return the sentence that tells why it doesn't count, or not yet."""
        if self.state is ApprovalState.REQUESTED:
            return f"Request {self.reference} to accept that waits for another person."
        return f"It was accepted under {self.reference}, which ended on {_time(self.ends_at)}."

    @property
    def way_on(self) -> str:
        """Return what lets it count, if people can still say so."""
        if self.state is not ApprovalState.REQUESTED:
            return ""
        return f"manage.py migration_approval approve {self.reference} --as USERNAME --reason TEXT"


class Acceptances:
    """
    What was said to drift in one environment of one project.

    Args:
        settings: Settings of the suite.
        policy: Policy of the environment; decides whether a request counts by itself.
        approvals: The requests.
    """

    def __init__(self, settings: conf.AccordSettings, policy: Policy, approvals: Approvals) -> None:
        self._using = settings.coordinator
        self._alone, self._quorum = not policy.approval, policy.approvals
        self._approvals = approvals

    def by_digest(self) -> Mapping[str, Acceptance]:
        """
        Read what was said, by the digest of the disagreement; what counts goes before what doesn't.

        Raises:
            StoreUnavailable: The coordinating database can't be reached.
        """
        with db.reading("The table of approvals", self._using):
            if not self._approvals.exist():
                return {}
            rows = list(self._approvals.all().filter(kind=DRIFT, state__in=list(_RANKS)))
        # What counts comes last, so that it stands; of several the one that counts longest.
        believed = sorted(self._believed(rows), key=lambda pair: (_RANKS[pair[0].state], pair[0].ends_at))
        return {digest: one for one, bound in believed for _key, _kind, digest in bound}

    def _believed(self, rows: Iterable[PlanApproval]) -> Iterator[tuple[Acceptance, Sequence[Bound]]]:
        for row in rows:
            one = self._read(row)
            never = one.state is ApprovalState.EXPIRED and not (row.approver_ref or self._alone)
            if not never and (not one.holds or self._is_true(row)):
                yield one, row.steps

    def _read(self, row: PlanApproval) -> Acceptance:
        state, granted = self._approvals.state_of(row), bool(row.approver_ref)
        if state is ApprovalState.REQUESTED and self._alone:
            state = ApprovalState.APPROVED
        return Acceptance(
            reference=row.short,
            state=state,
            ends_at=aware(row.expires_at),
            by=row.approver_ref if granted else row.requester_ref,
            by_key=row.approver_key if granted else row.requester_key,
            reason=row.reason,
        )

    def _is_true(self, row: PlanApproval) -> bool:
        """Check the row against its digest, and the digest against the audit trail."""
        if row.digest != digest_of_drift(row.steps, row.expires_at):
            return False
        if not row.approver_ref:
            return is_on_record(row, self._using)
        return yeses.told(row, self._using) >= len(self._quorum.places)


def end_of(text: str, clock: Clock) -> datetime:
    """
    Read until when an acceptance is to count.

    Args:
        text: A day, which counts to its end, or a time as `2026-12-31T18:00`; empty for no end.
        clock: Time.

    Raises:
        UsageError: It is no time, or one that is over.
    """
    if not text:
        return NO_END
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise UsageError(
            f"“{text}” is no time.",
            hint="Write a day or a time: --until 2026-12-31 or --until 2026-12-31T18:00.",
        ) from exc
    if len(text) <= len("2026-12-31"):
        moment = moment.replace(hour=23, minute=59, second=59)
    moment = aware(moment).astimezone(UTC)
    if not clock.now() < moment < NO_END:
        raise UsageError(f"--until {text} is over.", hint="Name a time to come, or leave it out.")
    return moment


def _time(moment: datetime) -> str:
    return f"{local(moment):%Y-%m-%d %H:%M %Z}"
