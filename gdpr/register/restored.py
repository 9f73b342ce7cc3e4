"""
Whether a store was restored to an earlier state: the register says what was done, and the store doesn't know.

The coordinating database is asked for the requests themselves, every other store for its mark. What stands
behind the database's mark may be from a moment ago, from a process killed before the mark moved. Then
the request says the same as the register. Where it doesn't, or is gone, it was undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from accord import conf
from accord.seam.registry import Registry
from gdpr.models import ErasureRequest
from gdpr.register import binding, epochs, named
from gdpr.register.entries import EntryWord, RegisterEntry, fault

SAME, ANOTHER = "same", "another"
"""What a person may say of who has the key of an erased person now."""
_OF_PEOPLE = (EntryWord.INTENDED, EntryWord.DONE)


@dataclass(frozen=True, kw_only=True)
class Restored:
    """
    A store that was restored.

    Attributes:
        store: Its alias.
        since: The last entry of the register that it still knows of.
        replaying: The entry by which a replay of it began; 0 where none has.
    """

    store: str
    since: int
    replaying: int


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """
    A person whose erasure a restore undid.

    Attributes:
        entry: What the register says last of it, with the keys; without, where these were destroyed.
        answer: What a person said of who has the key now: `same`, `another` or nothing.
        before: What it says of the same person besides. A replay for another store found less than the
            erasure did, because the rest was gone.
    """

    entry: RegisterEntry
    answer: str = ""
    before: Sequence[RegisterEntry] = ()


def database() -> Restored | None:
    """
    Return how the coordinating database was restored; None where it wasn't.

    Raises:
        RegisterError: The register can't be relied on.
    """
    known = binding.require()
    beyond = [one for one in _since(known.position + 1) if one.draft.word in _OF_PEOPLE]
    if not _unknown(beyond):
        return None
    return Restored(store=conf.load().coordinator, since=known.position, replaying=known.replaying or 0)


def anywhere(stores: Registry) -> Sequence[Restored]:
    """
    Return every store that was restored, the coordinating database first.

    Raises:
        RegisterError: The register can't be relied on.
        StoreUnavailable: A store can't be asked.
    """
    first = database()
    others = epochs.behind(binding.mark(), stores)
    return [
        *([first] if first else []),
        *(
            Restored(store=alias, since=epoch.position, replaying=epoch.replaying)
            for alias, epoch in others.items()
        ),
    ]


def forgotten(found: Restored) -> Sequence[Forgotten]:
    """
    List whom to erase again, in the order of their erasures: each person once, and nobody who is done.

    Args:
        found: The store.

    Raises:
        RegisterError: The register can't be relied on.
    """
    entries = _since(found.since + 1)
    people = [one for one in entries if one.draft.word in _OF_PEOPLE]
    told = (one.draft for one in entries if one.draft.word is EntryWord.TOLD)
    answers = {one.request: one.facts["answer"] for one in told}
    gone = _unknown(people) if found.store == conf.load().coordinator else people
    undone = _newest(gone, before=found.replaying)
    if found.replaying:
        after = (one for one in entries if one.seq > found.replaying)
        done = {_tag(one) for one in after if one.draft.word is EntryWord.DONE}
        undone = {one: entry for one, entry in undone.items() if one not in done}
    of_person: dict[str, list[RegisterEntry]] = {tag: [] for tag in undone}
    for one in gone:
        of_person.get(_tag(one), []).append(one)
    listed = (
        Forgotten(
            entry=one,
            answer=answers.get(one.draft.request, ""),
            before=[other for other in of_person[tag] if other is not one],
        )
        for tag, one in undone.items()
    )
    return sorted((one for one in listed if one.answer != ANOTHER), key=lambda one: one.entry.seq)


def _newest(entries: Iterable[RegisterEntry], *, before: int) -> Mapping[str, RegisterEntry]:
    """Return the newest entry of each person; of one whose keys were destroyed nobody can say who it was."""
    people = (one for one in entries if not before or one.seq < before)
    return {_tag(one) or one.draft.request: one for one in people}


def vouched_for(references: Collection[str]) -> Mapping[str, str]:
    """
    Return the tags of the people whose erasures the register knows, by the reference of the request.

    Args:
        references: Requests that are said to have been erased.

    Raises:
        RegisterError: What it says of one of them is not what was written.
    """
    file, missing, found = named.register(), set(references), dict[str, str]()
    for entry in file.newest() if missing else ():
        if entry.draft.request in missing and entry.draft.secrets:
            file.require(fault(entry))
            found[entry.draft.request] = entry.draft.secrets.tag
            missing.remove(entry.draft.request)
        if not missing:
            break
    return found


def _since(seq: int) -> Sequence[RegisterEntry]:
    return named.register().since(seq)


def _tag(entry: RegisterEntry) -> str:
    return entry.draft.secrets.tag if entry.draft.secrets else ""


def _unknown(entries: Iterable[RegisterEntry]) -> Sequence[RegisterEntry]:
    listed = list(entries)
    rows = ErasureRequest.objects.filter(reference__in={one.draft.request for one in listed})
    fenced, complete = set[str](), set[str]()
    for reference, fenced_at, completed_at in rows.values_list("reference", "fenced_at", "completed_at"):
        fenced.update([reference] if fenced_at else [])
        complete.update([reference] if completed_at else [])
    known = {EntryWord.INTENDED: fenced, EntryWord.DONE: complete}
    return [one for one in listed if one.draft.request not in known[one.draft.word]]
