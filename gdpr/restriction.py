"""
What an application asks before it uses a person's data: `from gdpr.restriction import is_restricted`.

The data of a person who is restricted (Art. 18) are kept and not used: no mail, no recommendation, no
statistics of them, until that is lifted. Accord can't stop the application from using them; it knows.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Model, QuerySet

from gdpr.datamap.map import load_data_map
from gdpr.erasure import restricted

__all__ = ["is_restricted", "restricted_among", "unrestricted"]


def is_restricted(person: Model) -> bool:
    """Return whether the data of a person must not be used at the moment."""
    return bool(restricted_among(person._meta.label, [_key_of(person)]))


def restricted_among(kind: str, keys: Collection[object]) -> frozenset[object]:
    """
    Find of several people those whose data must not be used, with one query for all of them.

    Args:
        kind: Label of their model, as `SUBJECT` of the data map has it.
        keys: The keys by which the data map knows them.
    """
    return restricted.among(kind, keys)


def unrestricted(people: QuerySet[Model]) -> QuerySet[Model]:
    """
    Leave out of a query the people whose data must not be used.

    Tags are all that is kept of them, so the key of each person in the query is looked at: narrow it first.
    """
    subject = load_data_map().subject
    name = subject.key if subject and subject.model == people.model._meta.label else "pk"
    keys = set(people.values_list(name, flat=True))
    return people.exclude(**{f"{name}__in": restricted_among(people.model._meta.label, keys)})


def _key_of(person: Model) -> object:
    subject = load_data_map().subject
    is_subject = subject is not None and subject.model == person._meta.label
    return getattr(person, subject.key if subject and is_subject else "pk")
