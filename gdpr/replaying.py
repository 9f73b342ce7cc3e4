"""
Replaying: whom a restore brought back is erased again, in order, by the register of erasures.

It may be killed between any two lines and started again: whoever is erased again stands in the register
behind the entry by which the replay began, and the store's mark moves on only when nobody is left.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import reduce

from django.db import transaction

from accord import clock, conf
from accord.acting import Account, working_for
from accord.audit import renewal, trail
from accord.audit.events import EventKind, ObjectKind
from accord.errors import AccordError, LeaseHeld, UnknownStore, UsageError
from accord.seam.registry import Registry, opened
from accord.seam.types import Lease
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys, merged_rows
from gdpr.documents import PlanDraft
from gdpr.erasure import (
    actors,
    openings,
    planning,
    policy,
    replays,
    saga,
    state_changes,
    successors,
    transitions,
)
from gdpr.erasure.refusals import together_or_apart
from gdpr.erasure.schedule import Stop, never
from gdpr.errors import KeysDestroyed, WhoseIsIt
from gdpr.models import ErasureRequest, RegisterMark
from gdpr.register import binding, epochs, restored, seals
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry
from gdpr.register.restored import Forgotten, Restored
from gdpr.stores.base import Stores, opened_stores
from gdpr.stores.per_person import People

DESTROYED = KeysDestroyed.code
ASKED = WhoseIsIt.code
_WENT_BACK = "The database was restored to an earlier state; gdpr_replay erases again whom that brought back."


@dataclass
class Replayed:
    """
    What a replay came to.

    Attributes:
        store: The store that was restored.
        since: The last entry of the register that it still knew of.
        total: How many people it had brought back, at most.
        done: References of the erasures that were repeated, or need not be.
        waiting: Those that aren't yet, and why.
        finished: Whether the store is as if it had not been restored.
    """

    store: str
    since: int
    total: int = 0
    done: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    finished: bool = False


def look(store: str = "") -> Sequence[Replayed]:
    """
    Tell what would be replayed. Nothing is changed.

    Args:
        store: Alias of the one store that is asked about; empty for every one.
    """
    with opened() as registry:
        return [_looked_at(found) for found in _chosen(registry, store)]


def _looked_at(found: Restored) -> Replayed:
    people = restored.forgotten(found)
    told = Replayed(store=found.store, since=found.since, total=len(people))
    told.waiting = {one.entry.draft.request: _trouble(one, found)[1] for one in people}
    return told


def begin(*, by: Account) -> int:
    """
    Begin the replay of every store that was restored, and leave it to the next :func:`go_on`.

    Args:
        by: Who has it begun.

    Returns:
        How many stores there are.

    Raises:
        NotAllowed: The account may not.
        ForeignEnvironment: A store belongs to another environment.
        LeaseHeld: Migrations run, or another replay.
        RegisterError: The register can't be relied on.
        StoreUnavailable: A store can't be asked whether it was restored.
    """
    actors.require(by, actors.EXECUTE, kind=ObjectKind.REPLAY)
    with (
        working_for(by),
        epochs.leased(_run_id()) as held,
        opened() as registry,
        opened_stores() as stores,
    ):
        stores.own.require_all(stores)
        return len([_begun(found, registry, held) for found in _chosen(registry, "")])


def go_on(*, stop: Stop = never) -> Sequence[Replayed]:
    """
    Go on with replays that began: those of the admin, and those that were killed.

    Args:
        stop: As for :func:`replay`.

    Returns:
        What came of each store; nothing where none has begun, or where migrations run.

    Raises:
        RegisterError: The register can't be relied on.
        StoreUnavailable: A store can't be asked whether it was restored.
    """
    with opened() as registry:
        begun = [found.store for found in restored.anywhere(registry) if found.replaying]
    # One at a time: what else was restored waits for a person.
    with suppress(LeaseHeld):
        return [told for store in begun for told in replay(store=store, stop=stop)]
    return []


def _run_id() -> str:
    return f"replay-{uuid.uuid4().hex[:12]}"


def replay(*, store: str = "", wait: float = 0, stop: Stop = never) -> Sequence[Replayed]:
    """
    Erase again whom a restore brought back.

    Args:
        store: Alias of the one store that was restored; empty for every one.
        wait: Seconds to wait for another holder of the lease.
        stop: Asked between two sets of people, two phases and two batches.

    Returns:
        What came of each store that was restored.

    Raises:
        LeaseHeld: Migrations run, or another replay.
        RegisterError: The register can't be relied on.
        StoreUnavailable: A store can't be asked whether it was restored.
    """
    with epochs.leased(_run_id(), wait) as held, opened() as registry, opened_stores() as stores:
        stores.own.require_all(stores)
        # All of them first: whoever is erased again for one store is for every other.
        begun = [_begun(found, registry, held) for found in _chosen(registry, store)]
        return [_Replay(found, registry, stores, held, stop).run() for found in begun]


def _chosen(registry: Registry, store: str) -> Sequence[Restored]:
    if store and store not in registry:
        raise UnknownStore(
            say("There is no store “{store}”.", store=store),
            hint=say("Stores: {names}.", names=", ".join(sorted(registry))),
        )
    return [found for found in restored.anywhere(registry) if store in ("", found.store)]


def answer(reference: str, word: str, *, by: Account) -> None:
    """
    Note who has the key of an erased person now.

    Args:
        reference: The beginning of the reference of the erasure.
        word: `same` for the person whom a restore brought back, `another` for somebody new.
        by: Who says so.

    Raises:
        UsageError: No erasure that waits to be repeated has this reference.
        NotAllowed: The account may not.
    """
    actors.require(by, actors.EXECUTE)
    waiting = {request for found in look() for request in found.waiting}
    chosen = [one for one in waiting if one.startswith(reference)]
    if len(chosen) != 1:
        raise UsageError(
            say(
                "Not one erasure that waits to be repeated has a reference that begins with {reference}.",
                reference=reference,
            ),
            hint="See them: gdpr_replay --dry-run",
        )
    with transaction.atomic(using=state_changes.alias()):
        _enter(EntryWord.TOLD, request=chosen[0], facts={"answer": word})
        act = trail.Act(event=EventKind.ERASURE_RESUMED, object_kind=ObjectKind.REPLAY, request_ref=chosen[0])
        state_changes.record([act], by=by)


def _begun(found: Restored, registry: Registry, held: Lease) -> Restored:
    """Begin, once for each restore: the register and the trail say so, and no number is given again."""
    if found.replaying:
        return found
    people = restored.forgotten(found)
    keys = [keys for keys, _ in (_opened(one) for one in people) if keys]
    with transaction.atomic(using=state_changes.alias()):
        successors.lift_sequences(load_data_map(), keys, [found.store])
        entry = _enter(EntryWord.RESTORED, facts={"store": found.store, "since": str(found.since)}).seq
        if found.store == conf.load().coordinator:
            RegisterMark.objects.filter(pk=binding.ROW).update(replaying=entry)
            # The trail went back, too: heads of what it lost are asked for no more, and it says why.
            renewal.renew(_WENT_BACK, actor=trail.SYSTEM, using=state_changes.alias())
        _record(EventKind.REPLAY_STARTED, {"total": len(people), "position": found.since})
    if found.store != conf.load().coordinator:
        epochs.note_replay(registry, found.store, entry, held)
    return replace(found, replaying=entry)


def _enter(word: EntryWord, *, request: str = "", facts: Mapping[str, str]) -> RegisterEntry:
    [entry] = binding.enter([EntryDraft(word=word, at=clock.now(), request=request, facts=facts)])
    return entry


def _record(event: EventKind, counters: Mapping[str, int]) -> None:
    state_changes.record([trail.Act(event=event, object_kind=ObjectKind.REPLAY, counters=counters)])


def _trouble(one: Forgotten, found: Restored) -> tuple[SubjectKeys | None, str]:
    """Open the keys of a person, or say by a code why they can't be erased again without one."""
    keys, trouble = _opened(one)
    if keys is None:
        return None, trouble
    the_map = load_data_map().of(keys.kind)
    subject = the_map.subject
    of_subject = [entry.store for entry in the_map.entries if subject and entry.target == subject.model]
    guarded = subject is not None and found.store in of_subject and one.answer != restored.SAME
    asked = guarded and subject is not None and successors.is_in_doubt(subject, keys, one.entry.draft.at)
    return keys, ASKED if asked else ""


def _opened(one: Forgotten) -> tuple[SubjectKeys | None, str]:
    try:
        sealed = one.entry.draft.secrets
        if sealed is None:
            return None, DESTROYED
        keys = seals.opened(sealed)
        before = [seals.opened(other.draft.secrets) for other in one.before if other.draft.secrets]
        rows = [keys.collected, *(other.collected for other in before)]
        return replace(keys, collected=reduce(merged_rows, rows)), ""
    except KeysDestroyed as exc:
        return None, exc.code


class _Replay:
    """A replay under way."""

    def __init__(self, found: Restored, registry: Registry, stores: Stores, held: Lease, stop: Stop) -> None:
        self._found = found
        self._registry = registry
        self._stores = stores
        self._held = held
        self._stop = stop
        self._people = restored.forgotten(found)
        self._told = Replayed(store=found.store, since=found.since, total=len(self._people))

    def run(self) -> Replayed:
        size = max(int(policy.load().together), 1)
        for start in range(0, len(self._people), size):
            if not self._stop():
                self._erase(self._people[start : start + size])
        left = restored.forgotten(self._found)
        if all(one.entry.draft.secrets is None for one in left):
            self._told.finished = self._finish()
        return self._told

    def _erase(self, some: Sequence[Forgotten]) -> None:
        people: dict[int, SubjectKeys] = {}
        for number, one in enumerate(some):
            keys, trouble = _trouble(one, self._found)
            if keys is None or trouble:
                self._told.waiting[one.entry.draft.request] = trouble
            else:
                people[number] = keys
        drafted, refused = together_or_apart(people, self._drafted)
        self._told.waiting |= {some[one].entry.draft.request: why.code for one, why in refused.items()}
        filings = [
            replays.Filing(entry=some[one].entry, keys=keys, draft=draft)
            for one, (keys, draft) in drafted.items()
        ]
        requests = {
            request.pk: filing.entry.draft.request
            for filing, request in zip(filings, replays.file(filings), strict=True)
        }
        self._note(requests, saga.carry_out(requests, self._stores, stop=self._stop))

    def _drafted(self, people: People) -> Mapping[int, tuple[SubjectKeys, PlanDraft]]:
        found = replays.looked_up(people, self._stores)
        # What the data map leaves open is told in the receipt, and stops no replay.
        left_open = openings.look(self._stores, policy.load())
        drafts = planning.draft(found, self._stores, left_open)
        return {one: (keys, drafts[one]) for one, keys in found.items()}

    def _note(self, requests: Mapping[int, str], refused: Mapping[int, AccordError]) -> None:
        for rested in ErasureRequest.objects.filter(pk__in=requests):
            reference = requests[rested.pk]
            if rested.pk in refused:
                self._told.waiting[reference] = refused[rested.pk].code
            elif rested.state in transitions.COMPLETE:
                self._told.done.append(reference)
            else:
                self._told.waiting[reference] = rested.trouble or str(rested.state)

    def _finish(self) -> bool:
        """Let the store be known as one that has everything; not before the coordinating database is."""
        own = self._found.store == conf.load().coordinator
        if not own and restored.database():
            return False
        with transaction.atomic(using=state_changes.alias()):
            last = _enter(
                EntryWord.REPLAYED, facts={"store": self._found.store, "since": str(self._found.since)}
            )
            if own:
                RegisterMark.objects.filter(pk=binding.ROW).update(replaying=None)
            binding.move_forward(last)
            _record(EventKind.REPLAY_FINISHED, {"total": self._told.total, "done": len(self._told.done)})
        if not own:
            epochs.conclude(self._registry, self._found.store, self._held)
        return True
