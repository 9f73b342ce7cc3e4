"""A person whom staff look for, and the rows that are about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

from gdpr.datamap.keys import key_type, parsed
from gdpr.datamap.map import load_data_map
from gdpr.erasure import encryption
from gdpr.errors import UnknownSubject, WrongKeyType


@dataclass(frozen=True, kw_only=True)
class OnRecord:
    """
    Whom rows are about.

    Attributes:
        kind: What kind of person.
        tags: Every tag that may stand for them, by any secret; one at least.
    """

    kind: str
    tags: Sequence[str]

    def of(self, model: type[Model]) -> QuerySet[Any]:
        """Return the rows of a model about them, the newest first."""
        return model._default_manager.filter(subject_tag__in=self.tags).order_by("-pk")


def on_record(text: str, kind: str, models: Iterable[type[Model]]) -> OnRecord:
    """
    Find a person; who is erased is found by their primary key, as long as something is on record.

    Args:
        text: The key, as typed.
        kind: What kind of person; empty where there is one.
        models: Where something may be on record.

    Raises:
        AccordError: No person has this key and nothing is on record of it, or more than one person has it.
    """
    try:
        keys = load_data_map().resolve(text, kind=kind)
    except UnknownSubject:
        gone = _gone(text, kind)
        if gone is None or not any(gone.of(model).exists() for model in models):
            raise
        return gone
    return OnRecord(kind=keys.kind, tags=encryption.tags_of_key(keys.kind, keys.primary))


def _gone(text: str, kind: str) -> OnRecord | None:
    subject = load_data_map().kind(kind)
    try:
        key = parsed(text, key_type(subject.type), subject.key)
    except WrongKeyType:
        return None
    return OnRecord(kind=subject.model, tags=encryption.tags_of_key(subject.model, key))
