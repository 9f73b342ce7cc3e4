"""Who consents: a person of flesh and blood, known by a key, and neither erased nor about to be."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from accord.erased import tombstones
from accord.errors import UsageError
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.erasure import encryption, state_changes
from gdpr.errors import UnknownSubject


@dataclass(frozen=True, kw_only=True)
class Someone:
    """
    A person who consents.

    Attributes:
        kind: Model of the person, such as `streaming.Listener`.
        tag: The person, as a keyed hash.
        key: Their key; None where only what is on record is looked at.
    """

    kind: str
    tag: str
    key: object = field(default=None, repr=False)


def someone(kind: str, key: object) -> Someone:
    """
    Name a person by the primary key.

    Args:
        kind: Model of the person.
        key: The key.
    """
    return Someone(kind=kind, tag=encryption.tag_of_key(kind, key), key=key)


def require_living(who: Someone) -> None:
    """
    Make sure that there is such a person, in the transaction that records what they say.

    Until it ends, no fence of an erasure goes up for this kind of person.

    Raises:
        UsageError: They are named by a tag alone.
        SubjectErased: They are erased, or are being erased.
        UnknownSubject: Nobody has this key.
    """
    if who.key is None:
        raise UsageError(
            "Who consents is named by a tag alone, which can't be looked up.",
            hint="Name the person by their key: gdpr.consent.register.someone(kind, key).",
        )
    tombstones.guard(who.kind, who.key, using=state_changes.alias())
    if not _has_row(who):
        raise UnknownSubject(
            say("No {kind} has this key; nobody else can consent.", kind=who.kind),
            hint="Record what a person says once their row is there.",
        )


def is_erased(tag: str) -> bool:
    """Return whether the person behind a tag is erased, or is being erased."""
    return tombstones.stands(tag, using=state_changes.alias())


def _has_row(who: Someone) -> bool:
    try:
        model: type[Model] = apps.get_model(who.kind)
        return QuerySet(model).filter(**{_field(who.kind): who.key}).exists()
    except (LookupError, ValueError, TypeError, OverflowError, ValidationError):
        # No such model, or what was given is no key of it.
        return False


def _field(kind: str) -> str:
    subject = load_data_map().subject
    return subject.key if subject is not None and subject.model.lower() == kind.lower() else "pk"
