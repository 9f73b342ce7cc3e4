"""
Replays: requests that erase again whom a restore brought back, by what the register kept of them.

A replay is a request like any other from the fence on. Nobody approves it: the erasure that it repeats was
approved, and the register, which is signed and lies outside of what was restored, vouches for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import starmap

from django.db import transaction

from accord import clock
from accord.audit.events import EventKind
from accord.erased import tombstones
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.documents import PlanDocument, PlanDraft
from gdpr.erasure import deadlines, encryption, planning, state_changes, transitions
from gdpr.erasure.refusals import Refusals
from gdpr.errors import RegisterForeign
from gdpr.models import ErasurePlan, ErasureRequest
from gdpr.register import restored
from gdpr.register.entries import RegisterEntry
from gdpr.states import Channel, Ground, RequestState
from gdpr.stores.base import Stores
from gdpr.stores.lookups import Values
from gdpr.stores.per_person import People


def looked_up(people: People, stores: Stores) -> People:
    """
    Find the rows of people anew, by the keys that the register kept of them.

    A restored store may have given the number of an erased row to somebody else's. So rows that were found
    by a key which is given again (an e-mail) are those that were collected then and have the key now; any
    others are asked about.

    Args:
        people: Keys, with what was collected when they were erased.
        stores: Where to look.
    """
    the_map = load_data_map()
    bare = {one: replace(keys, collected={}, settled=frozenset(), newer={}) for one, keys in people.items()}
    fresh = planning.collected(bare, the_map.to_collect(), stores)
    return {one: _bound(keys, fresh[one], the_map.of(keys.kind).reusable) for one, keys in people.items()}


def _bound(before: SubjectKeys, now: SubjectKeys, reusable: frozenset[str]) -> SubjectKeys:
    known = {one: before.collected[one] for one in reusable & before.collected.keys() & now.collected.keys()}
    kept = {one: tuple(row for row in now.collected[one] if row in rows) for one, rows in known.items()}
    newer = {one: tuple(row for row in now.collected[one] if row not in rows) for one, rows in known.items()}
    return replace(
        now,
        collected={**now.collected, **kept},
        settled=frozenset(reusable & now.collected.keys()),
        newer={one: rows for one, rows in newer.items() if rows},
        others=before.others,
    )


@dataclass(frozen=True, kw_only=True)
class Filing:
    """
    An erasure that is to be repeated.

    Attributes:
        entry: What the register says of the erasure; it has its secrets.
        keys: The person's keys, from :func:`looked_up`.
        draft: What would happen now.
    """

    entry: RegisterEntry
    keys: SubjectKeys
    draft: PlanDraft

    @property
    def tag(self) -> str:
        """The tag of the person."""
        return self.entry.draft.secrets.tag if self.entry.draft.secrets else ""


def file(filings: Sequence[Filing]) -> list[ErasureRequest]:
    """
    Put the replays of erasures on record, with their fences raised, in one transaction.

    Args:
        filings: The erasures, each of another person.

    Returns:
        The request of each; one that is under way about the person already, where there is one.
    """
    with transaction.atomic(using=state_changes.alias()):
        rows = ErasureRequest.objects.select_for_update(of=("self",)).order_by("pk")
        rivals = rows.filter(
            subject_tag__among=Values(one.tag for one in filings), state__in=transitions.OPEN
        )
        found = {one.subject_tag: one for one in rivals}
        overtaken = [one for one in found.values() if one.fenced_at is None]
        if overtaken:
            void = state_changes.void_approvals(overtaken)
            state_changes.save(overtaken, state=RequestState.DUPLICATE, **void)
        under_way = {tag: one for tag, one in found.items() if one.fenced_at is not None}
        made = {one.subject_tag: one for one in _insert([one for one in filings if one.tag not in under_way])}
        _supersede(overtaken, made)
    return [under_way.get(one.tag) or made[one.tag] for one in filings]


def _insert(filings: Sequence[Filing]) -> list[ErasureRequest]:
    now, alias = clock.now(), state_changes.alias()
    made = [_request(one, now) for one in filings]
    received = [state_changes.act(one, EventKind.ERASURE_RECEIVED) for one in made]
    documents = [planning.digested(one.keys, one.draft) for one in filings]
    for request, document in zip(made, documents, strict=True):
        request.plan_digest = document["digest"]
    ErasureRequest.objects.bulk_create(made)
    encryption.reseal(made, {one.pk: each.keys for one, each in zip(made, filings, strict=True)})
    state_changes.record(received)
    ErasurePlan.objects.bulk_create(starmap(partial(_plan, now), zip(made, documents, strict=True)))
    tombstones.raise_fences({one.tag: one.entry.draft.at for one in filings}, using=alias)
    state_changes.save(made, state=RequestState.FENCED, fenced_at=now)
    state_changes.record([state_changes.act(one, EventKind.ERASURE_FENCED) for one in made])
    return made


def _request(filing: Filing, now: datetime) -> ErasureRequest:
    draft = filing.entry.draft
    return ErasureRequest(
        subject_kind=filing.keys.kind,
        subject_tag=filing.tag,
        ground=draft.facts.get("ground") or Ground.NO_LONGER_NECESSARY,
        channel=Channel.REPLAY,
        replays=draft.request,
        received_at=now,
        due_at=deadlines.due(now),
    )


def _plan(now: datetime, request: ErasureRequest, document: PlanDocument) -> ErasurePlan:
    return ErasurePlan(
        request=request,
        number=1,
        digest=document["digest"],
        map_digest=document["map_digest"],
        document=document,
        made_at=now,
    )


def _supersede(rivals: Sequence[ErasureRequest], made: Mapping[str, ErasureRequest]) -> None:
    """Close requests that the restore brought back from before they were carried out, as of the same."""
    for rival in rivals:
        changes: dict[str, object] = {"canonical": made[rival.subject_tag], "sealed_keys": None}
        state_changes.save([rival], **changes, closed_at=clock.now())
    if rivals:
        state_changes.record([state_changes.act(rival, EventKind.ERASURE_DUPLICATE) for rival in rivals])
        encryption.destroy_ended()


def unvouched(requests: Iterable[ErasureRequest]) -> Refusals:
    """
    Refuse replays of which the register knows nothing: nobody approved these.

    Args:
        requests: Replays.
    """
    replays = list(requests)
    if not replays:
        return {}
    tags: Mapping[str, str] = restored.vouched_for([one.replays for one in replays])
    return {
        one.pk: RegisterForeign(
            say(
                "The register of erasures knows nothing of what request {reference} is said to repeat.",
                reference=one.reference,
            ),
            hint="Find out who wrote the request; nobody approved it.",
        )
        for one in replays
        if tags.get(one.replays) != one.subject_tag
    }
