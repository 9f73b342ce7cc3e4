"""
Replays: requests that erase again whom a restore brought back, by what the register kept of them.

A replay is a request like any other from the fence on. Nobody approves it: the erasure that it repeats was
approved, and the register, which is signed and lies outside of what was restored, vouches for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from django.db import transaction

from accord import clock
from accord.audit.events import EventKind
from accord.erased import tombstones
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.documents import PlanDraft
from gdpr.erasure import deadlines, encryption, planning, state_changes, transitions
from gdpr.erasure.refusals import Refusals
from gdpr.errors import RegisterForeign
from gdpr.models import ErasurePlan, ErasureRequest
from gdpr.register import restored
from gdpr.register.entries import RegisterEntry
from gdpr.states import Channel, Ground, RequestState
from gdpr.stores.base import Stores
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
    return {one: _bound(keys, fresh[one], the_map.reusable) for one, keys in people.items()}


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


def file(entry: RegisterEntry, keys: SubjectKeys, draft: PlanDraft) -> ErasureRequest:
    """
    Put the replay of an erasure on record, with its fence raised.

    Args:
        entry: What the register says of the erasure; it has its secrets.
        keys: The person's keys, from :func:`looked_up`.
        draft: What would happen now.

    Returns:
        The request; one that is under way about the person already, where there is one.
    """
    tag = entry.draft.secrets.tag if entry.draft.secrets else ""
    with transaction.atomic(using=state_changes.alias()):
        rows = ErasureRequest.objects.select_for_update().filter(subject_tag=tag)
        rival = rows.filter(state__in=transitions.OPEN).first()
        if rival is not None and rival.fenced_at is not None:
            return rival
        if rival is not None:
            state_changes.save([rival], state=RequestState.DUPLICATE, **state_changes.void_approvals([rival]))
        made = _insert(entry, keys, tag, draft)
        if rival is not None:
            _supersede(rival, made)
    return made


def _insert(entry: RegisterEntry, keys: SubjectKeys, tag: str, draft: PlanDraft) -> ErasureRequest:
    now, facts = clock.now(), entry.draft.facts
    made = ErasureRequest(
        subject_kind=keys.kind,
        subject_tag=tag,
        ground=facts.get("ground") or Ground.NO_LONGER_NECESSARY,
        channel=Channel.REPLAY,
        replays=entry.draft.request,
        received_at=now,
        due_at=deadlines.due(now),
    )
    made.save(using=state_changes.alias(), force_insert=True)
    encryption.reseal([made], {made.pk: keys})
    state_changes.record([state_changes.act(made, EventKind.ERASURE_RECEIVED)])
    document = planning.digested(keys, draft)
    ErasurePlan.objects.create(
        request=made,
        number=1,
        digest=document["digest"],
        map_digest=document["map_digest"],
        document=document,
        made_at=now,
    )
    tombstones.raise_fences([tag], since=entry.draft.at, using=state_changes.alias())
    state_changes.save([made], state=RequestState.FENCED, plan_digest=document["digest"], fenced_at=now)
    state_changes.record([state_changes.act(made, EventKind.ERASURE_FENCED)])
    return made


def _supersede(rival: ErasureRequest, made: ErasureRequest) -> None:
    """Close a request that the restore brought back from before it was carried out, as one of the same."""
    changes: dict[str, object] = {"canonical": made, "sealed_keys": None, "closed_at": clock.now()}
    state_changes.save([rival], **changes)
    state_changes.record([state_changes.act(rival, EventKind.ERASURE_DUPLICATE)])
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
