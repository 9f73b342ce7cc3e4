"""
Keys as they are now: a person may have another e-mail address by the time that a request is worked on.

What was known before stays beside it. A value that somebody else of the kind has now says no longer whose
a row is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from django.db.models import F, Model, QuerySet

from accord.erased.folding import Fold, folded
from accord.erased.subject_key import canonical
from gdpr.datamap.keys import Plain, plain
from gdpr.datamap.kinds import Subject
from gdpr.datamap.spellings import candidates
from gdpr.datamap.subjects import SubjectKeys, merged_rows

_Id = TypeVar("_Id")
_Holders = Mapping[str, set[str]]
"""Whose primary keys each folded value belongs to."""


def renewed(subject: Subject | None, people: Mapping[_Id, SubjectKeys]) -> dict[_Id, SubjectKeys]:
    """
    Read the keys of people again, each from the row that the primary key names.

    Args:
        subject: The kind of person that the map declares; others stay as they are.
        people: Whose keys. Who has no row any more keeps what is known.
    """
    if subject is None:
        return dict(people)
    known = {one: keys for one, keys in people.items() if keys.kind == subject.model}
    rows = {
        canonical(keys.primary): keys for keys in subject.of_primary([one.primary for one in known.values()])
    }
    fresh = {one: _joined(keys, rows.get(canonical(keys.primary))) for one, keys in known.items()}
    return {**people, **looked_up(subject, fresh)}


def looked_up(subject: Subject, people: Mapping[_Id, SubjectKeys]) -> dict[_Id, SubjectKeys]:
    """Add what the project knows of each person's earlier keys, and note which of all somebody else has."""
    return told_apart(subject, {one: _remembered(subject, keys) for one, keys in people.items()})


def told_apart(subject: Subject, people: Mapping[_Id, SubjectKeys]) -> dict[_Id, SubjectKeys]:
    """Note with each person which of their keys somebody else has, too."""
    contested: dict[_Id, dict[str, tuple[Plain, ...]]] = {one: {} for one in people}
    for name in subject.names:
        if name == subject.key or _is_certain(subject, name, people.values()):
            continue
        holders = _holders(subject, name, {value for keys in people.values() for value in keys.known(name)})
        for one, keys in people.items():
            own = {canonical(keys.primary)}
            taken = [
                value for value in keys.known(name) if holders.get(_form(subject, name, value), own) - own
            ]
            if taken:
                contested[one][name] = tuple(taken)
    return {one: replace(keys, contested=contested[one]) for one, keys in people.items()}


def _joined(before: SubjectKeys, now: SubjectKeys | None) -> SubjectKeys:
    # After a restore the same number may be somebody else's.
    if now is None or (before.created and now.created != before.created):
        return before
    changed = {
        name: (value,) for name, value in before.alternates.items() if now.alternates.get(name) != value
    }
    return replace(before, alternates=now.alternates, earlier=merged_rows(before.earlier, changed))


def _remembered(subject: Subject, keys: SubjectKeys) -> SubjectKeys:
    found: dict[str, tuple[Plain, ...]] = {}
    for name, earlier in subject.earlier.items():
        values = [plain(value) for value in earlier(keys.primary) if value not in (None, "")]
        found[name] = tuple(dict.fromkeys(one for one in values if one != keys.alternates.get(name)))
    return replace(keys, earlier=merged_rows(keys.earlier, found)) if any(found.values()) else keys


def _is_certain(subject: Subject, name: str, people: Iterable[SubjectKeys]) -> bool:
    """Return whether the database lets nobody else have what these people have now."""
    unique = getattr(subject.model_class()._meta.get_field(name), "unique", False)
    return (
        unique and subject.fold_of(name) is Fold.EXACT and not any(keys.earlier.get(name) for keys in people)
    )


def _holders(subject: Subject, name: str, values: set[Plain]) -> _Holders:
    holders: dict[str, set[str]] = {}
    for value, key in _having(subject, name, values):
        holders.setdefault(_form(subject, name, value), set()).add(canonical(key))
    return holders


def _having(subject: Subject, name: str, values: set[Plain]) -> Iterator[tuple[Plain, Plain]]:
    rows: QuerySet[Model] = QuerySet(subject.model_class())
    fold = subject.fold_of(name)
    if fold is Fold.EXACT:
        found = rows.filter(**{f"{name}__in": values})
    else:
        found = candidates(rows, F(name), fold, sorted({folded(str(one), fold) for one in values}))
    yield from found.values_list(name, subject.key).iterator()


def _form(subject: Subject, name: str, value: Plain) -> str:
    return canonical(folded(str(value), subject.fold_of(name)))
