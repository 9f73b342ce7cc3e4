"""
Who is meant where something is on record: also a person who has no row any more.

Of an erased person nothing is left but what stands in the suite's own tables, under a tag. The tag follows
from the primary key, so by that key alone they are found, as long as something is on record of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet

from accord.errors import UsageError
from gdpr.datamap.kinds import Subject
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import encryption
from gdpr.errors import UnknownSubject

Models = Iterable[type[Model]]
"""Tables in which something may be on record."""


def find(typed: str, models: Models, *, by: str = "", kind: str = "") -> SubjectKeys:
    """
    Find a person by a key; one who has no row any more by the primary key.

    Args:
        typed: The key.
        models: Where something has to be on record of who has no row.
        by: Which key it is; empty to try every one.
        kind: What kind of person; empty where there is one.

    Raises:
        UnknownSubject: No person has this key, and nothing is on record of one who had it.
        AmbiguousSubject: More than one person has it.
        UsageError: There are several kinds of people, and none or an unknown one is named.
    """
    data_map = load_data_map()
    try:
        return data_map.resolve(typed, by, kind=kind)
    except UnknownSubject:
        gone = former(data_map.kind(kind), typed, models, by=by)
        if gone is None:
            raise
        return gone


def former(subject: Subject, typed: str, models: Models, *, by: str = "") -> SubjectKeys | None:
    """
    Find a person who has no row any more.

    Args:
        subject: What kind of person.
        typed: The key.
        models: Where something may be on record.
        by: Which key it is; empty if it isn't said.

    Returns:
        None where it can't be the primary key, or nothing is on record.
    """
    keys = without_a_row(subject, typed, by=by)
    return keys if keys and any(rows(keys, model).exists() for model in models) else None


def without_a_row(subject: Subject, typed: str, *, by: str = "") -> SubjectKeys | None:
    """Read a key as the primary one, whether or not anybody has it; None where it can't be that key."""
    if by not in ("", subject.key):
        return None
    try:
        primary = subject.parsed(subject.key, typed)
    except UsageError:
        return None
    return SubjectKeys(kind=subject.model, primary=primary, alternates={subject.key: primary})


def rows(keys: SubjectKeys, model: type[Model]) -> QuerySet[Any]:
    """Return the rows of a table about a person, under any tag that may stand for them, the newest first."""
    return model._default_manager.filter(subject_tag__in=tags(keys)).order_by("-pk")


def tags(keys: SubjectKeys) -> list[str]:
    """Return every tag that may stand for a person, by any secret; one at least."""
    return encryption.tags_of_key(keys.kind, keys.primary)
