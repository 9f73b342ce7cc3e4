"""
Plans of retention: where the policy asks for it, what has run out goes once a second person approved it.

A plan says how many rows of which term have run out by a day, and never changes. It is carried out by that
day, so what runs out later is of the next plan; and it is void once more has run out by its day than it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Sum

from accord import second_person
from accord.acting import Account
from accord.approvals import counting, expiry
from accord.approvals.decision import Deciding, Yes
from accord.audit.events import EventKind, ObjectKind
from accord.audit.trail import Act
from accord.seam import checksum
from gdpr.datamap.lapses import Lapse
from gdpr.erasure import actors, planning, policy, state_changes
from gdpr.models import RetentionPlan, RetentionRun
from gdpr.retention import due
from gdpr.states import RetentionPlanState
from gdpr.stores.base import Stores
from gdpr.stores.lapsing import lapsing

PLANNED = second_person.Asked(event=EventKind.RETENTION_PLANNED, permission=actors.APPROVE)
RETENTION = Deciding(asked=PLANNED, granted=EventKind.RETENTION_APPROVED)
GREW = "more has run out by its day than it says"
MAP_CHANGED = "the data map has changed"
EXPIRED = "its time was over"
NEEDLESS = "the policy asks for no approval of what is left"
FORGED = "its content is not what its digest was made of"
_SCHEMA = "accord.retention.plan/1"
_PAGE = 1_000


@dataclass(frozen=True, kw_only=True)
class Asked:
    """
    What the policy asks of a run.

    Attributes:
        plan: What waits, or was approved and is to be carried out; None where a run goes on without.
        void: Why an earlier plan counts no more, in a few words; empty for none.
        most: How many rows of each term the policy lets go without a second person; None where it asks for
            nobody. What runs out after they were counted is for the next run.
    """

    plan: RetentionPlan | None
    void: str = ""
    most: Mapping[tuple[str, str], int] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether nothing may go yet."""
        return self.plan is not None and self.plan.state == RetentionPlanState.WAITING


def asked(stores: Stores, entry: str, by: Account | None) -> Asked:
    """
    Say what a run has to wait for, or to carry out; called while the lease of retention is held.

    A plan that counts no more is put away, and the next one is made where the policy asks for it. How much
    one run lets go (`--limit`) is no matter of the policy: all that has run out is.

    Args:
        stores: Where to count.
        entry: Id of one entry; empty for every one.
        by: Who asks; None for Accord itself.

    Raises:
        StoreError: A store can't be counted: nobody knows how much has run out.
        UnknownTarget: There is no such entry.
    """
    plan, above = open_plan(entry), policy.load().retention_approval
    void = flaw(plan, stores) if plan is not None else ""
    if plan is not None and not void and plan.state == RetentionPlanState.APPROVED:
        return Asked(plan=plan)
    found = None if above is None else _content(stores, entry)
    needed = found if found and above is not None and total(found) > above else None
    if plan is not None and (void or needed is None):
        _end(plan, RetentionPlanState.VOID, EventKind.RETENTION_VOIDED, by)
        plan, void = None, void or NEEDLESS
    if needed is None:
        return Asked(plan=None, void=void, most=None if found is None else _said(found))
    return Asked(plan=plan or _put_on_record(needed, entry, by), void=void)


def open_plan(entry: str) -> RetentionPlan | None:
    """Return the plan of one entry, or of every one, that waits or was approved."""
    return RetentionPlan.objects.filter(entry=entry, state__in=RetentionPlan.OPEN).first()


def open_plans() -> Sequence[RetentionPlan]:
    """Return every plan that waits or was approved, the newest first."""
    return list(RetentionPlan.objects.filter(state__in=RetentionPlan.OPEN))


def terms_of(plan: RetentionPlan) -> Sequence[Mapping[str, Any]]:
    """Return the terms of a plan: `entry`, `store`, `kind`, `rule`, `rows`."""
    found: Sequence[Mapping[str, Any]] = plan.document["terms"]
    return found


def total(document: Mapping[str, Any]) -> int:
    """Return how many rows and documents the content of a plan lets go."""
    return sum(int(one["rows"]) for one in document["terms"])


def is_late(plan: RetentionPlan) -> bool:
    """Return whether a plan's time is over, by the server's clock."""
    return RetentionPlan.objects.filter(expiry.late(), pk=plan.pk).exists()


def flaw(plan: RetentionPlan, stores: Stores) -> str:
    """
    Say why a plan counts no more.

    Returns:
        A few words; empty where it counts.

    Raises:
        StoreError: A store can't be counted.
    """
    said = (plan.document.get("entry"), plan.document.get("day"))
    if checksum.digest(plan.document) != plan.digest or said != (plan.entry, plan.day.isoformat()):
        return FORGED
    if is_late(plan):
        return EXPIRED
    if plan.document["map_digest"] != planning.require_map():
        return MAP_CHANGED
    if plan.state == RetentionPlanState.APPROVED and (no_yes := _no_yes(plan)):
        return no_yes
    left, found = remaining(plan), _counts(stores, plan.entry, plan)
    return GREW if any(rows > left.get(key, 0) for key, rows in found.items()) else ""


def _no_yes(plan: RetentionPlan) -> str:
    """Ask the trail and the accounts whether an approval counts, whatever the row says."""
    asker = plan.planned_by_id
    yes = Yes(
        ref=plan.reference,
        digest=plan.digest,
        account=str(plan.decided_by_id),
        askers=frozenset(() if asker is None else (str(asker),)),
    )
    return counting.flaws({plan.pk: yes}, RETENTION, using=state_changes.alias()).get(plan.pk, "")


def remaining(plan: RetentionPlan) -> Mapping[tuple[str, str], int]:
    """Return how many rows of each term a plan lets go still: none twice, and none that nobody approved."""
    runs = RetentionRun.objects.filter(plan=plan.reference).order_by()
    sums = runs.values_list("entry", "kind").annotate(gone=Sum("changed"))
    gone = {(entry, kind): rows for entry, kind, rows in sums}
    return {key: max(rows - gone.get(key, 0), 0) for key, rows in _said(plan.document).items()}


def finish(plan: RetentionPlan, by: Account | None) -> None:
    """Note that a plan was carried out: nothing of it is left."""
    rows = RetentionRun.objects.filter(plan=plan.reference).aggregate(gone=Sum("changed"))["gone"]
    _end(plan, RetentionPlanState.DONE, EventKind.RETENTION_DONE, by, counters={"affected": rows or 0})


def record(
    plan: RetentionPlan,
    event: EventKind,
    by: Account | None,
    *,
    counters: Mapping[str, int] | None = None,
) -> None:
    """Write the event of a plan, in the transaction that is open."""
    act = Act(
        event=event,
        object_kind=ObjectKind.RETENTION_PLAN,
        object_ref=plan.reference,
        plan_digest=plan.digest,
        counters=counters or {},
    )
    state_changes.record([act], by=by)


def _said(document: Mapping[str, Any]) -> Mapping[tuple[str, str], int]:
    return {(one["entry"], one["kind"]): int(one["rows"]) for one in document["terms"]}


def _content(stores: Stores, entry: str) -> dict[str, Any]:
    day = due.today()
    counted = [(one, _rows(one, stores)) for one in due.terms(entry, day) if one.is_told]
    terms = [
        {
            "entry": one.entry.id,
            "store": one.entry.store,
            "kind": str(one.kind),
            "rule": one.rule,
            "rows": rows,
        }
        for one, rows in counted
        if rows
    ]
    return {
        "schema": _SCHEMA,
        "map_digest": planning.require_map(),
        "entry": entry,
        "day": day.isoformat(),
        "terms": terms,
    }


def _counts(stores: Stores, entry: str, plan: RetentionPlan) -> Mapping[tuple[str, str], int]:
    told = [one for one in due.terms(entry, plan.day) if one.is_told]
    return {(one.entry.id, str(one.kind)): _rows(one, stores) for one in told}


def _rows(lapse: Lapse, stores: Stores) -> int:
    pages = due.pages(lapsing(stores[lapse.entry.store], lapse).run_out(lapse), _PAGE)
    return sum(len(due.divided(lapse, page)[0]) for page in pages)


def _put_on_record(document: Mapping[str, Any], entry: str, by: Account | None) -> RetentionPlan:
    alias = state_changes.alias()
    with transaction.atomic(using=alias):
        now = expiry.server_now(alias)
        plan = RetentionPlan.objects.create(
            entry=entry,
            day=date.fromisoformat(document["day"]),
            document=document,
            digest=checksum.digest(document),
            planned_by_id=None if by is None else by.pk,
            planned_at=now,
            expires_at=now + policy.load().approval_life,
        )
        second_person.sight(PLANNED)
        record(plan, EventKind.RETENTION_PLANNED, by, counters={"found": total(document)})
    return plan


def _end(
    plan: RetentionPlan,
    state: RetentionPlanState,
    event: EventKind,
    by: Account | None,
    counters: Mapping[str, int] | None = None,
) -> None:
    """End a plan that is open; whoever decided about it a moment ago has decided about this one."""
    with transaction.atomic(using=state_changes.alias()):
        held = RetentionPlan.objects.select_for_update().get(pk=plan.pk)
        if held.state not in RetentionPlan.OPEN:
            return
        held.state, held.ended_at = state, expiry.server_now(state_changes.alias())
        held.save()
        record(held, event, by, counters=counters)
