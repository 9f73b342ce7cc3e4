"""
Encryption: texts that may be personal are kept sealed, by a key derived from `SECRET_KEY`.

Destroying the sealed text destroys what it said. A secret that was replaced must stay in
`SECRET_KEY_FALLBACKS` until the requests that were filed under it are closed.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from accord.erased import subject_key, tombstones
from accord.erased.folding import Fold
from accord.errors import AccordError
from accord.secrets import keys
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import KeysDestroyed
from gdpr.models import ConsentEvent, ErasureRequest, LegalHold
from gdpr.states import RequestState

_PURPOSE = "gdpr.sealing"


def seal(text: str) -> bytes:
    """Encrypt a text."""
    return _box().encrypt(text.encode())


def unseal(sealed: bytes | memoryview | None) -> str:
    """
    Decrypt what :func:`seal` gave.

    Raises:
        KeysDestroyed: It was destroyed, or the secret that it was sealed with is gone.
    """
    if sealed is None:
        raise KeysDestroyed(
            "What was sealed has been destroyed, as it should be once a request is closed.",
            hint="Name the person again by a key: gdpr_erase KEY --verify-only.",
        )
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken as exc:
        raise KeysDestroyed(
            "What was sealed can't be opened with today's secrets.",
            hint="Put the SECRET_KEY that it was sealed with into SECRET_KEY_FALLBACKS.",
        ) from exc


def seal_keys(found: SubjectKeys) -> bytes:
    """Encrypt a person's keys."""
    return seal(found.to_json())


def keys_of(request: ErasureRequest) -> SubjectKeys:
    """
    Open the keys of the person that a request is about.

    Raises:
        KeysDestroyed: They were destroyed when the request was closed.
    """
    return SubjectKeys.from_json(unseal(request.sealed_keys))


def people_of(
    requests: Collection[int], *states: RequestState
) -> tuple[dict[int, SubjectKeys], dict[int, AccordError]]:
    """
    Open the keys of those requests that are in one of these states.

    Args:
        requests: Primary keys.
        states: Which states.

    Returns:
        The keys, and a refusal for each request whose keys can't be opened.
    """
    people: dict[int, SubjectKeys] = {}
    refused: dict[int, AccordError] = {}
    for request in ErasureRequest.objects.filter(pk__in=requests, state__in=states).order_by("pk"):
        try:
            people[request.pk] = keys_of(request)
        except KeysDestroyed as exc:
            refused[request.pk] = exc
    return people, refused


def keep_collected(held: Sequence[ErasureRequest], people: Mapping[int, SubjectKeys]) -> None:
    """Seal what was collected with requests whose rows are held, beside what was collected before."""
    changed = []
    for one in held:
        before = keys_of(one)
        merged = before.joined(people[one.pk])
        if merged != before:
            one.sealed_keys = seal_keys(merged)
            changed.append(one)
    ErasureRequest.objects.bulk_update(changed, ["sealed_keys"], batch_size=500)


def tag_of(found: SubjectKeys) -> str:
    """Return the tag that stands for a person in every table: a keyed hash of the primary key."""
    return tag_of_key(found.kind, found.primary)


def tag_of_key(kind: str, key: object) -> str:
    """
    Return the tag of a person whose primary key is known.

    Once there is a request, a hold or a consent of the person, their tag stays the same, also
    when the project's secret is replaced: a hold must not be missed for that.
    """
    fold = _fold_of(kind) if subject_key.spellings(key) else Fold.EXACT
    tags = [str(tag) for tag in tombstones.subject_tags(kind.lower(), key, fold)]
    return tags[0] if len(tags) == 1 else _in_use(tags)


def _fold_of(kind: str) -> Fold:
    """Return which spellings of a primary key are one person."""
    subject = load_data_map().subject
    return subject.fold_of() if subject and subject.model.lower() == kind.lower() else Fold.EXACT


def _in_use(tags: list[str]) -> str:
    for model in (LegalHold, ErasureRequest, ConsentEvent):
        known = model._default_manager.filter(subject_tag__in=tags).values_list("subject_tag", flat=True)
        found = known.first()
        if found is not None:
            return str(found)
    return tags[0]


def _box() -> MultiFernet:
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key.secret)) for key in keys.derived(_PURPOSE)])
