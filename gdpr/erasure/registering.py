"""
Entering erasures in the register: before the first destructive act, and once they are complete.

Both are written before anything relies on them, so a kill in between leaves an entry twice, never none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from django.db import connections, transaction
from django.db.models import QuerySet

from accord import arrays, clock
from accord.acting import Account
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.errors import StoreUnavailable
from accord.seam.registry import opened
from accord.wording import say
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import actors, encryption, planning, policy, state_changes, transitions
from gdpr.erasure.refusals import Refusals, raise_first
from gdpr.errors import RegisterError, StoreRestored
from gdpr.models import ErasureRequest, Receipt
from gdpr.register import binding, epochs, named, restored, seals, soundness
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry
from gdpr.register.restored import Restored
from gdpr.register.soundness import is_due
from gdpr.stores.lookups import Values

_People = Mapping[int, SubjectKeys]
_REGISTERED = """
    UPDATE gdpr_erasurerequest AS request SET registered = entered.seq
    FROM unnest(%s::bigint[], %s::bigint[]) AS entered (id, seq) WHERE request.id = entered.id
"""


def refusals(requests: Collection[int]) -> Refusals:
    """Refuse to begin with requests where the register can't be relied on, or a store was restored."""
    if not requests:
        return {}
    try:
        with opened() as stores:
            found = restored.anywhere(stores)
    except (RegisterError, StoreUnavailable) as exc:
        return dict.fromkeys(requests, exc)
    return dict.fromkeys(requests, _restored(found)) if found else {}


def intend(held: Sequence[ErasureRequest], people: _People) -> None:
    """
    Enter that people are about to be erased.

    Args:
        held: Their requests.
        people: Their keys, with all that was collected.

    Raises:
        RegisterError: It can't be entered; nothing may be erased.
    """
    if held:
        now = clock.now()
        _written([_draft(one, people[one.pk], EntryWord.INTENDED, now, {}) for one in held])


def conclude(requests: Collection[int]) -> tuple[set[int], Refusals]:
    """
    Enter those requests that are complete and aren't in the register yet.

    Args:
        requests: Primary keys.

    Returns:
        No request, because none can go on; and those that can't be entered. They stay to be entered.
    """
    waiting = unregistered().filter(pk__among=Values(requests)).values_list("pk", flat=True)
    chosen = list(waiting)
    people, refused = encryption.people_of(chosen, *transitions.COMPLETE)
    try:
        if people:
            _enter(people)
    except RegisterError as exc:
        return set(), {**refused, **dict.fromkeys(people, exc)}
    return set(), refused


def unregistered() -> QuerySet[ErasureRequest]:
    """Return the requests that are complete and not in the register."""
    complete = ErasureRequest.objects.filter(state__in=transitions.COMPLETE, closed_at__isnull=True)
    return complete.filter(registered__isnull=True).order_by("pk")


def destroy_due() -> int:
    """
    Destroy what leads to people whom no backup can bring back any more.

    Returns:
        Of how many entries.

    Raises:
        RegisterError: The register can't be relied on, or written.
    """
    binding.require()
    file = named.register()
    if not soundness.checked(file).due:
        return 0
    destroyed = file.destroy_secrets(partial(is_due, now=clock.now()))
    # Written anew, it is judged anew here, where nobody waits, and not by the next health check.
    soundness.checked(file)
    return destroyed


def begin_anew(*, by: Account) -> int:
    """
    Begin another register, where the former one is lost for good. What that one knew can't be repeated.

    Args:
        by: Who says that it is lost.

    Returns:
        How many complete erasures are entered in the new one, because their keys are there still.

    Raises:
        NotAllowed: The account may not.
        RegisterError: The new one can't be written.
    """
    actors.require(by, actors.EXECUTE)
    with transaction.atomic(using=state_changes.alias()):
        known = binding.begin_anew()
        complete = ErasureRequest.objects.filter(state__in=transitions.COMPLETE, closed_at__isnull=True)
        complete.update(registered=None)
        renewed, chain = EventKind.REGISTER_RENEWED, ObjectKind.REPLAY
        state_changes.record(
            [trail.Act(event=renewed, object_kind=chain, counters={"position": known})], by=by
        )
    keys = list(unregistered().values_list("pk", flat=True))
    raise_first(conclude(keys)[1])
    return len(keys)


def tell_stores() -> None:
    """
    Let every store know how far the register goes, if that can be done now; gdpr_process does it otherwise.

    A store that is away, or migrations that run, put it off.
    """
    with suppress(RegisterError, StoreUnavailable):
        if restored.database() is None:
            epochs.advance()


def _restored(found: Sequence[Restored]) -> StoreRestored:
    return StoreRestored(
        say(
            "Restored: {names}. What is there doesn't know of erasures that the register holds.",
            names=", ".join(one.store for one in found),
        ),
        hint="Erase again whom that brought back: gdpr_replay --dry-run shows them, gdpr_replay does it.",
    )


def _enter(people: _People) -> None:
    """Hold the requests, so that none is reopened meanwhile, and note where they stand in the register."""
    with transaction.atomic(using=state_changes.alias()):
        locked = state_changes.lock(list(people), *transitions.COMPLETE)
        held = [one for one in locked if one.registered is None]
        if not held:
            return
        facts, now = _facts(held), clock.now()
        entries = _written(
            [
                _draft(one, people[one.pk], EntryWord.DONE, one.completed_at or now, facts[one.pk])
                for one in held
            ]
        )
        _note(entries, held)


def _note(entries: Sequence[RegisterEntry], held: Sequence[ErasureRequest]) -> None:
    columns = (arrays.of_numbers(one.pk for one in held), arrays.of_numbers(one.seq for one in entries))
    with connections[state_changes.alias()].cursor() as cursor:
        cursor.execute(_REGISTERED, columns)


def _written(drafts: Sequence[EntryDraft]) -> Sequence[RegisterEntry]:
    """Write entries. After a restore the mark stays where it is: behind it is what is to be replayed."""
    moves = restored.database() is None
    entries = binding.enter(drafts)
    if moves:
        binding.move_forward(entries[-1])
    return entries


def _facts(held: Sequence[ErasureRequest]) -> Mapping[int, Mapping[str, str]]:
    keys = [one.pk for one in held]
    plans = planning.current_among(keys)
    rows = Receipt.objects.filter(request__among=Values(keys)).order_by("request_id", "-made_at", "-pk")
    receipts = dict(rows.distinct("request_id").values_list("request_id", "digest"))
    return {
        one.pk: {
            "map": plans[one.pk].map_digest,
            "receipt": receipts.get(one.pk, ""),
            "ground": str(one.ground),
        }
        for one in held
    }


def _draft(
    request: ErasureRequest, keys: SubjectKeys, word: EntryWord, at: datetime, facts: Mapping[str, str]
) -> EntryDraft:
    return EntryDraft(
        word=word,
        at=at,
        request=request.reference,
        keep_until=clock.now() + policy.load().backups_kept,
        facts=facts,
        secrets=seals.sealed(request.subject_tag, keys),
    )
