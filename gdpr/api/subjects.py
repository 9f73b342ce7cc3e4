"""People, as a body names them: by keys that stand in the body alone, never in an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from accord.api.bodies import Sent, Text
from accord.errors import UsageError
from gdpr.consent.register import Someone
from gdpr.datamap.kinds import Subject
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import encryption, on_record
from gdpr.errors import AmbiguousSubject, UnknownSubject
from gdpr.models import ConsentEvent, ErasureRequest

SHOWN = 8


@extend_schema_serializer(component_name="Subject")
class SubjectBody(Sent):
    """A person, named by one or more of the keys that the data map declares."""

    kind = Text(
        max_length=100,
        required=False,
        help_text="What kind of person: its name, or its model, such as streaming.Listener; needed where the "
        "data map declares several.",
    )
    identifiers = serializers.DictField(
        child=Text(max_length=320),
        allow_empty=False,
        help_text='Names of keys to values: {"email": "…"}. Several have to be of one person.',
    )


def resolve(named: Mapping[str, Any]) -> SubjectKeys:
    """
    Find the person that a body names.

    Raises:
        UsageError: The data map declares no such kind of person, or no such key.
        WrongKeyType: A value is no key of its type.
        UnknownSubject: No person has it.
        AmbiguousSubject: Several have it, or the keys belong to different people.
    """
    data_map, subject = load_data_map(), _kind(named)
    chosen = named["identifiers"].get(subject.key, "")
    found = [data_map.resolve(value, by, chosen, subject.model) for by, value in named["identifiers"].items()]
    if any(keys.primary != found[0].primary for keys in found):
        raise AmbiguousSubject(
            "The identifiers belong to different people.", hint="Send the identifiers of one person."
        )
    return found[0]


def whose_requests(named: Mapping[str, Any]) -> tuple[str, list[str]]:
    """
    Find the person that a body names, for what is kept of their requests.

    Returns:
        The kind of person, and every tag that may stand for them, by any secret.

    Raises:
        UsageError, WrongKeyType, AmbiguousSubject: As for :func:`resolve`.
        UnknownSubject: No person has the key, and none who is erased had it as their primary one.
    """
    keys = _on_record(named, ErasureRequest)
    return keys.kind, on_record.tags(keys)


def someone(named: Mapping[str, Any]) -> Someone:
    """
    Find the person that a body names, who may be erased already; then only the primary key still does.

    Raises:
        UsageError, WrongKeyType, UnknownSubject, AmbiguousSubject: As for :func:`resolve`.
    """
    return living(_on_record(named, ConsentEvent))


def living(keys: SubjectKeys) -> Someone:
    """Return the person who consents, from their keys."""
    return Someone(kind=keys.kind, tag=encryption.tag_of(keys), key=keys.primary)


def masked(kind: str, tag: str) -> str:
    """Name a person by the end of their tag: enough to see that two are the same one."""
    return f"{kind.rpartition('.')[2]} …{tag[-SHOWN:]}"


def _kind(named: Mapping[str, Any]) -> Subject:
    """
    Find the kind of person. Names aren't repeated: a client may mix up names and values.

    Raises:
        UsageError: The data map declares no such kind or key; or several kinds, and none is named.
        InvalidDataMap: It declares none at all.
    """
    data_map, name = load_data_map(), named.get("kind", "")
    if data_map.subjects and name and not any(one.is_called(name) for one in data_map.subjects):
        known = ", ".join(one.model for one in data_map.subjects)
        raise UsageError("The data map declares no such kind of person.", hint=f"Kinds: {known}.")
    subject = data_map.kind(name)
    if not set(named["identifiers"]) <= set(subject.names):
        raise UsageError(
            f"{subject.model} has no key of that name.", hint=f"Keys: {', '.join(subject.names)}."
        )
    return subject


def _on_record(named: Mapping[str, Any], model: type[Model]) -> SubjectKeys:
    """Find the person; one who has no row any more by the primary key, if nothing else is named."""
    try:
        return resolve(named)
    except UnknownSubject:
        (by, typed), *others = named["identifiers"].items()
        gone = None if others else on_record.former(_kind(named), typed, [model], by=by)
        if gone is None:
            raise
        return gone
