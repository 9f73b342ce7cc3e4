"""The plan: what would happen to a person's data in every store, counted, frozen, with a digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from accord import clock
from accord.acting import Account
from accord.audit.events import EventKind
from accord.db import reading
from accord.errors import AccordError
from accord.seam import checksum
from accord.wording import say
from gdpr.datamap import actions, renewal
from gdpr.datamap.actions import Delete, Manual, Nothing, Refresh, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.map import load_data_map
from gdpr.datamap.static import require_sound
from gdpr.datamap.subjects import SubjectKeys
from gdpr.datamap.terms import NOT_KNOWN
from gdpr.documents import PlanDocument, PlanDraft, PlanLine
from gdpr.erasure import (
    actors,
    encryption,
    grace,
    holds,
    openings,
    policy,
    restricted,
    state_changes,
    transitions,
)
from gdpr.erasure.refusals import Refusals, together_or_apart
from gdpr.errors import IllegalTransition, OnHold
from gdpr.models import ErasurePlan, ErasureRequest
from gdpr.states import RequestState
from gdpr.stores import per_person
from gdpr.stores.base import ErasureStore, Found, Stores, opened_stores
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People

_ONE = 0
"""Stands for the request where a person is asked about who has none."""
_NOTHING = Found(count=0, pending=0)


def require_map() -> str:
    """
    Read the data map before anything is begun with it; that takes longer than most of what follows.

    Returns:
        Its digest.

    Raises:
        InvalidDataMap: It can't be read, or contradicts itself.
    """
    the_map = load_data_map()
    require_sound(the_map)
    return the_map.digest


def preview(keys: SubjectKeys) -> PlanDocument:
    """
    Count in every store what an erasure would find. Nothing is changed and nothing is recorded.

    Args:
        keys: Whose data.

    Returns:
        A document without personal data (`accord.erasure.plan/1`), its digest included.

    Raises:
        InvalidDataMap: The map contradicts itself.
        StoreUnavailable: A store can't be asked, so it can't be said what would happen.
    """
    with opened_stores() as stores:
        require_map()
        found = openings.look(stores, policy.load())
        return digested(keys, draft({_ONE: keys}, stores, found)[_ONE])


def draft(people: People, stores: Stores, open_findings: openings.Openings) -> dict[int, PlanDraft]:
    """
    Count for people what their erasures would find. See :func:`preview`.

    Args:
        people: Whose data.
        stores: Where to look.
        open_findings: What the data map leaves open; see :func:`gdpr.erasure.openings.look`.

    Returns:
        Their documents, without a digest: whoever keeps one as a plan adds it by :func:`digested`.
    """
    map_digest, the_map = require_map(), load_data_map()
    own = {one: the_map.of(keys.kind).by_id for one, keys in people.items()}
    complete = collected(people, the_map.to_collect(), stores)
    found = [
        (entry, per_person.find(stores[entry.store], entry, complete) if entry.is_looked_at else None)
        for entry in the_map.entries
    ]
    until = {
        entry.id: days_kept(stores[entry.store], entry, complete, counts) for entry, counts in found if counts
    }
    drafts: dict[int, PlanDraft] = {
        one: {
            "schema": "accord.erasure.plan/1",
            "map_digest": map_digest,
            "entries": [
                _line(entry, counts[one] if counts else _NOTHING, until.get(entry.id, {}).get(one, ""))
                for entry, counts in found
                if entry.id in own[one]
            ],
        }
        for one in people
    }
    if open_findings is not None:
        for one in drafts.values():
            one["open_findings"] = open_findings
    tags = {one: encryption.tag_of(keys) for one, keys in people.items()}
    for person, lines in restricted.told(tags).items():
        drafts[person]["restricted"] = lines
    return drafts


def days_kept(
    store: ErasureStore, entry: Entry, people: People, counts: Mapping[int, Found]
) -> dict[int, str]:
    """
    Say until when an entry is kept of each person of whom it holds something, as `2036-12-31`.

    Returns:
        Nobody where no term says it. The term in words of whom a row has no date to count from yet.
    """
    counted = actions.term(entry.action)
    keepers = {one: keys for one, keys in people.items() if counts[one].count}
    if counted is None or not keepers:
        return {}
    last = per_person.last_days(store, entry, keepers, counted)
    return {one: f"{counted}{NOT_KNOWN}" if day is None else day.isoformat() for one, day in last.items()}


def drafts(people: People, stores: Stores) -> tuple[dict[int, PlanDraft], Refusals]:
    """
    Draft the plans of people whose erasures may begin.

    Args:
        people: Whose data.
        stores: Where to look.

    Returns:
        Their documents, and what refused each of the others: DataMapOpen where the data map leaves
        something open and the policy refuses, StoreUnavailable where a store can't be asked.
    """
    if not people:
        return {}, {}
    try:
        rules = policy.load()
        found = openings.look(stores, rules)
        openings.require_none(found, rules)
    except AccordError as exc:
        return {}, dict.fromkeys(people, exc)
    return together_or_apart(people, partial(draft, stores=stores, open_findings=found))


def digested(keys: SubjectKeys, draft: PlanDraft) -> PlanDocument:
    """Make a plan of a draft: its digest stands for the person as well."""
    bound = {**draft, "subject_kind": keys.kind, "tag": encryption.tag_of(keys)}
    return {**draft, "subject_kind": keys.kind, "digest": checksum.digest(bound)}


def collected(people: People, entries: Iterable[Entry], stores: Stores) -> People:
    """
    Find the rows that other entries refer to. What was collected before stays collected.

    Args:
        people: Whose rows.
        entries: Which rows, in the order in which they need each other.
        stores: Where to look.
    """
    for entry in entries:
        if entry.is_looked_at and people:
            people = per_person.collect(stores[entry.store], entry, people)
    return people


def renewed(people: People) -> dict[int, SubjectKeys]:
    """
    Read people's keys again: an address may have been changed since the request came in.

    What was known before stays beside it; see :mod:`gdpr.datamap.renewal`.

    Raises:
        StoreUnavailable: The database of the people can't be asked.
    """
    found = dict(people)
    kinds = {keys.kind for keys in people.values()}
    for subject in load_data_map().subjects:
        if subject.model in kinds:
            with reading(f"The table of {subject.model}", subject.database()):
                found = renewal.renewed(subject, found)
    return found


def plan(request: ErasureRequest, *, by: Account | None = None) -> ErasurePlan:
    """
    Write down what would happen, for a second person to approve. Voids an approval of an older plan.

    Args:
        request: Which.
        by: Who plans; None where Accord plans anew by itself.

    Raises:
        IllegalTransition: Identity is not settled, the person may still take it back, or it has begun.
        OnHold: A legal hold covers everything; the request waits for its release.
        DataMapOpen: The data map leaves something open, and the policy refuses.
        StoreUnavailable: A store can't be asked.
    """
    if by is not None:
        actors.require(by, actors.FILE, about=request)
    _require_ready(request)
    grace.require_over(request)
    people = renewed({request.pk: encryption.keys_of(request)})
    document = preview(people[request.pk])
    openings.require_none(document.get("open_findings"), policy.load())
    with state_changes.locked(request) as held:
        blocked = holds.held_as_a_whole([held])
        holds.block(blocked, by=by)
        encryption.keep_collected([held], people)
        made = None if blocked else store(held, document, by)
    if made is None:
        raise OnHold(
            say(
                "Request {reference} waits for a hold to be released, or a restriction to be lifted.",
                reference=request.reference,
            ),
            hint="Another person than the one who placed a hold releases it; a restriction is "
            "lifted once the person was told.",
        )
    return made


def store(held: ErasureRequest, document: PlanDocument, by: Account | None) -> ErasurePlan:
    """Keep a plan and make it the one that counts. The request's row is held."""
    made = ErasurePlan.objects.create(
        request=held,
        number=held.plans.count() + 1,
        digest=document["digest"],
        map_digest=document["map_digest"],
        document=document,
        made_at=clock.now(),
    )
    changes: dict[str, object] = {"plan_digest": made.digest, **state_changes.void_approvals([held])}
    if by is not None:
        changes["planned_by_id"] = by.pk
    counters = {held.pk: _counters(document)}
    state_changes.move(
        [held], RequestState.PLANNED, EventKind.ERASURE_PLANNED, by=by, counters=counters, changes=changes
    )
    return made


def current(request: ErasureRequest) -> ErasurePlan:
    """
    Return the plan that counts.

    Raises:
        IllegalTransition: There is none yet.
    """
    found = request.plans.order_by("-number").first()
    if found is None:
        raise IllegalTransition(
            say("Request {reference} has no plan yet.", reference=request.reference), hint="Plan it first."
        )
    return found


def current_among(requests: Collection[int]) -> dict[int, ErasurePlan]:
    """Return the plan that counts of each of several requests; those without one are missing."""
    plans = ErasurePlan.objects.filter(request__among=Values(requests)).order_by("request_id", "-number")
    return {plan.request_id: plan for plan in plans.distinct("request_id")}


def same_work(approved: PlanDocument, found: PlanDraft, rules: policy.ErasurePolicy) -> bool:
    """
    Return whether what would happen now is what was approved.

    The data map must be the same and leave no more open; no entry may hold much more than it did: a
    person who goes on using the service adds rows that an approval still means, up to the policy's tolerance.
    """
    before = {line["entry"]: line["found"] for line in approved["entries"]}
    same_map = approved["map_digest"] == found["map_digest"] and openings.are_known(found, approved)
    return same_map and all(
        rules.tolerates(before.get(line["entry"], 0), line["found"]) or _is_new_but_small(line, before, rules)
        for line in found["entries"]
    )


def _is_new_but_small(line: PlanLine, before: Mapping[str, int], rules: policy.ErasurePolicy) -> bool:
    """Return whether an entry that held nothing now holds a little of what its action only removes."""
    was_nothing = before.get(line["entry"]) == 0
    return was_nothing and line["action"] == "delete" and line["found"] <= rules.tolerance_rows


def _require_ready(request: ErasureRequest) -> None:
    transitions.check(RequestState(request.state), RequestState.PLANNED)
    if not request.identity_method:
        raise IllegalTransition(
            say(
                "Request {reference} can't be planned before it is sure who asks.",
                reference=request.reference,
            ),
            hint="Note how the identity was checked: gdpr_erase --request REFERENCE --identity METHOD.",
        )


def _line(entry: Entry, found: Found, until: str) -> PlanLine:
    """Describe what happens to one entry. Keys of rows are personal data and stay out."""
    action = entry.action
    removes, keeps = isinstance(action, Delete | Refresh), isinstance(action, Retain)
    line: PlanLine = {
        "entry": entry.id,
        "store": entry.store,
        "target": entry.target,
        "action": actions.name(action),
        "found": found.count,
        "delete": found.count if removes else 0,
        "anonymise": 0 if removes or isinstance(action, Manual) else found.pending,
        "keep": found.count if keeps else 0,
        "again": bool(entry.derived_from) and entry.is_automatic and not isinstance(action, Refresh),
    }
    match action:
        case Retain():
            line |= {"article": action.article, "basis": action.basis, "until": until or str(action.until)}
        case Manual():
            line["instructions"] = action.instructions
        case Nothing():
            line["reason"] = action.reason
    return line


def _counters(document: PlanDocument) -> dict[str, int]:
    lines = document["entries"]
    return {
        "entries": len(lines),
        "stores": len({line["store"] for line in lines}),
        "found": sum(line["found"] for line in lines),
        "retained": sum(line["keep"] for line in lines),
    }
