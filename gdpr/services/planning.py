"""The plan: what would happen to a person's data in every store, counted, frozen, with a digest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from django.utils import timezone

from accord import checksum
from accord.audit_events import Event
from gdpr import actions
from gdpr.actions import Delete, Manual, Nothing, Retain
from gdpr.datamap import DataMap, load_data_map
from gdpr.entries import Entry
from gdpr.errors import IllegalTransition, OnHold
from gdpr.models import ErasurePlan, ErasureRequest
from gdpr.services import actors, holds, moving, policy, sealing, transitions
from gdpr.services.actors import Person
from gdpr.states import Decision, RequestState
from gdpr.stores import each
from gdpr.stores.base import ErasureStore, Found, erasure_store
from gdpr.stores.each import People
from gdpr.subjects import SubjectKeys

Document = Mapping[str, Any]
Stores = Callable[[str], ErasureStore]
"""Gives the adapter of a store."""

_NOTHING_FOUND = Found(count=0, pending=0)


def preview(keys: SubjectKeys, data_map: DataMap | None = None) -> Document:
    """
    Count in every store what an erasure would find. Nothing is changed and nothing is recorded.

    Args:
        keys: Whose data.
        data_map: The data map, unless it is the project's.

    Returns:
        A document without personal data (`accord.erasure.plan/1`), its digest included.

    Raises:
        InvalidDataMap: The map contradicts itself.
        StoreUnavailable: A store can't be asked; then nobody can say what would happen.
    """
    the_map = data_map or load_data_map()
    the_map.require_sound()
    complete = collect(keys, the_map)
    lines = [_line(entry, _found(entry, complete)) for entry in the_map.entries]
    return digested(keys, _draft(the_map, lines))


def draft_each(people: People) -> dict[int, Document]:
    """
    Count for several people together what their erasures would find. See :func:`preview`.

    Args:
        people: Whose data.

    Returns:
        Their documents, without a digest: whoever keeps one as a plan adds it by :func:`digested`.
    """
    the_map = load_data_map()
    the_map.require_sound()
    complete = collect_each(people, the_map)
    found = [(entry, each.find_each(entry, complete)) for entry in the_map.entries]
    return {one: _draft(the_map, [_line(entry, counts[one]) for entry, counts in found]) for one in people}


def collect_each(people: People, the_map: DataMap) -> People:
    """Find for several people the rows that other entries refer to. See :func:`collect`."""
    for entry in the_map.to_collect():
        if entry.is_looked_at:
            people = each.collect_each(entry, people)
    return people


def _draft(the_map: DataMap, lines: list[dict[str, Any]]) -> Document:
    return {
        "schema": "accord.erasure.plan/1",
        "map_digest": the_map.digest,
        "entries": lines,
    }


def digested(keys: SubjectKeys, draft: Document) -> Document:
    """Make a plan of a draft: its digest stands for the person as well."""
    document = {**draft, "subject_kind": keys.kind}
    return {**document, "digest": checksum.digest({**document, "tag": sealing.tag_of(keys)})}


def collect(keys: SubjectKeys, the_map: DataMap, stores: Stores = erasure_store) -> SubjectKeys:
    """Find the rows that other entries refer to. What was collected before stays collected."""
    for entry in the_map.to_collect():
        if entry.is_looked_at:
            keys = keys.with_collected(stores(entry.store).collect(entry, keys))
    return keys


def plan(request: ErasureRequest, *, by: Person | None = None) -> ErasurePlan:
    """
    Write down what would happen, for a second person to approve. Voids an approval of an older plan.

    Args:
        request: Which.
        by: Who plans; None where Accord plans anew by itself.

    Raises:
        IllegalTransition: Identity is not settled, or the erasure has begun.
        OnHold: A legal hold covers everything; the request waits for its release.
        StoreUnavailable: A store can't be asked.
    """
    if by is not None:
        actors.require(by, actors.FILE)
    _require_ready(request)
    document = preview(sealing.keys_of(request))
    with moving.locked(request) as held:
        blocked = holds.stop_if_held(held)
        made = None if blocked else store(held, document, by)
    if made is None:
        raise OnHold(
            f"Request {request.reference} waits for a legal hold to be released.",
            hint="Another person than the one who placed the hold releases it.",
        )
    return made


def store(held: ErasureRequest, document: Document, by: Person | None) -> ErasurePlan:
    """Keep a plan and make it the one that counts. The request's row is held."""
    void_approval(held)
    made = ErasurePlan.objects.create(
        request=held,
        number=held.plans.count() + 1,
        digest=document["digest"],
        map_digest=document["map_digest"],
        document=document,
        made_at=timezone.now(),
    )
    held.plan_digest = made.digest
    if by is not None:
        held.planned_by_id = by.pk
    moving.move(held, RequestState.PLANNED, Event.ERASURE_PLANNED, by=by, counters=_counters(document))
    return made


def void_approval(held: ErasureRequest) -> bool:
    """
    Make an approval count no more. The request's row is held; the caller moves it on.

    Returns:
        False when there was none.
    """
    standing = held.approvals.filter(decision=Decision.APPROVED, voided_at__isnull=True)
    voided = standing.update(voided_at=timezone.now())
    held.approved_by_id, held.approval_expires_at = None, None
    return bool(voided)


def current(request: ErasureRequest) -> ErasurePlan:
    """
    Give the plan that counts.

    Raises:
        IllegalTransition: There is none yet.
    """
    found = request.plans.order_by("-number").first()
    if found is None:
        raise IllegalTransition(f"Request {request.reference} has no plan yet.", hint="Plan it first.")
    return found


def current_among(requests: Collection[int]) -> dict[int, ErasurePlan]:
    """Give the plan that counts of each of several requests; those without one are missing."""
    plans = ErasurePlan.objects.filter(request__in=requests).order_by("request_id", "-number")
    return {plan.request_id: plan for plan in plans.distinct("request_id")}


def same_work(approved: Document, found: Document, rules: policy.ErasurePolicy) -> bool:
    """
    Tell whether what would happen now is what was approved.

    The data map must be the same, and no entry may hold much more than it did: a person who
    goes on using the service adds rows that an approval still means, up to the policy's tolerance.
    """
    before = {line["entry"]: line["found"] for line in approved["entries"]}
    return approved["map_digest"] == found["map_digest"] and all(
        rules.tolerates(before.get(line["entry"], 0), line["found"]) or _is_new_but_small(line, before, rules)
        for line in found["entries"]
    )


def _is_new_but_small(line: Document, before: Mapping[str, int], rules: policy.ErasurePolicy) -> bool:
    """Tell whether an entry that held nothing now holds a little of what its action only removes."""
    was_nothing = before.get(line["entry"]) == 0
    return was_nothing and line["action"] == "delete" and line["found"] <= rules.tolerance_rows


def _require_ready(request: ErasureRequest) -> None:
    transitions.check(RequestState(request.state), RequestState.PLANNED)
    if not request.identity_method:
        raise IllegalTransition(
            f"Request {request.reference} can't be planned before it is sure who asks.",
            hint="Note how the identity was checked: gdpr_erase --request REFERENCE --identity METHOD.",
        )


def _found(entry: Entry, keys: SubjectKeys) -> Found:
    return erasure_store(entry.store).find(entry, keys) if entry.is_looked_at else _NOTHING_FOUND


def _line(entry: Entry, found: Found) -> dict[str, Any]:
    """Describe what happens to one entry. Keys of rows are personal data and stay out."""
    action = entry.action
    removes = isinstance(action, Delete)
    keeps = isinstance(action, Retain)
    by_hand = isinstance(action, Manual)
    line: dict[str, Any] = {
        "entry": entry.id,
        "store": entry.store,
        "target": entry.target,
        "action": actions.name(action),
        "found": found.count,
        "delete": found.count if removes else 0,
        "anonymise": 0 if removes or by_hand else found.pending,
        "keep": found.count if keeps else 0,
        "again": bool(entry.derived_from) and entry.is_automatic,
    }
    return {**line, **_why(action)}


def _why(action: actions.Action) -> dict[str, str]:
    if isinstance(action, Retain):
        return {"article": action.article, "basis": action.basis, "until": str(action.until)}
    if isinstance(action, Manual):
        return {"instructions": action.instructions}
    return {"reason": action.reason} if isinstance(action, Nothing) else {}


def _counters(document: Document) -> dict[str, int]:
    lines = document["entries"]
    return {
        "entries": len(lines),
        "stores": len({line["store"] for line in lines}),
        "found": sum(line["found"] for line in lines),
        "retained": sum(line["keep"] for line in lines),
    }
