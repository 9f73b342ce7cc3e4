"""
Encryption: texts that may be personal are kept sealed.

The keys of a person are sealed with a key of their request's own (:mod:`gdpr.erasure.request_keys`);
destroying that one destroys every copy of them. Reasons of decisions are sealed with a key derived from
`SECRET_KEY`. A secret that was replaced must stay in `SECRET_KEY_FALLBACKS` until the requests that were
filed under it are closed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from cryptography.fernet import InvalidToken
from django.db import connections, transaction

from accord import arrays
from accord.erased import subject_key, tombstones
from accord.erased.folding import Fold
from accord.errors import AccordError
from accord.secrets.boxes import box
from accord.wording import say
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import request_keys, state_changes
from gdpr.errors import KeysDestroyed
from gdpr.models import ConsentEvent, ErasureRequest, LegalHold
from gdpr.states import RequestState
from gdpr.stores.lookups import Values

_PURPOSE = "gdpr.sealing"
_SEALED = """
    UPDATE gdpr_erasurerequest AS request SET sealed_keys = fresh.sealed_keys
    FROM unnest(%s::bigint[], %s::bytea[]) AS fresh (id, sealed_keys) WHERE request.id = fresh.id
"""


def seal(text: str) -> bytes:
    """Encrypt a text."""
    return box(_PURPOSE).encrypt(text.encode())


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
        return box(_PURPOSE).decrypt(bytes(sealed)).decode()
    except InvalidToken as exc:
        raise KeysDestroyed(
            "What was sealed can't be opened with today's secrets.",
            hint="Put the SECRET_KEY that it was sealed with into SECRET_KEY_FALLBACKS.",
        ) from exc


def seal_keys(found: SubjectKeys, key: bytes) -> bytes:
    """Encrypt a person's keys with the key of their request."""
    return request_keys.seal(found.to_json(), key)


def keys_of(request: ErasureRequest) -> SubjectKeys:
    """
    Open the keys of the person that a request is about.

    Raises:
        KeysDestroyed: They were destroyed when the request was closed.
        KeysLost: The request's own key is gone.
    """
    return _opened(request, request_keys.ring([request.reference]))


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
    chosen = ErasureRequest.objects.filter(pk__among=Values(requests), state__in=states).order_by("pk")
    people: dict[int, SubjectKeys] = {}
    refused: dict[int, AccordError] = {}
    own = request_keys.ring([request.reference for request in chosen])
    for request in chosen:
        try:
            people[request.pk] = _opened(request, own)
        except KeysDestroyed as exc:
            refused[request.pk] = exc
    return people, refused


def keep_collected(held: Sequence[ErasureRequest], people: Mapping[int, SubjectKeys]) -> None:
    """Seal what was collected with requests whose rows are held, beside what was collected before."""
    own = request_keys.ring([one.reference for one in held])
    before = {one.pk: _opened(one, own) for one in held}
    merged = {key: known.joined(people[key]) for key, known in before.items()}
    changed = [one for one in held if merged[one.pk] != before[one.pk] or not _is_own(one)]
    reseal(changed, merged)


def reseal(held: Sequence[ErasureRequest], people: Mapping[int, SubjectKeys]) -> None:
    """
    Seal people's keys anew, with requests whose rows are held. A request without a key of its own gets one.

    Args:
        held: The requests.
        people: What is to be sealed with each, by its primary key.
    """
    own = request_keys.ring([one.reference for one in held])
    made = {one.reference: request_keys.new_key() for one in held if one.reference not in own.wrapped}
    request_keys.keep(made)
    sealed = [seal_keys(people[one.pk], made.get(one.reference) or own.key(one.reference)) for one in held]
    for one, text in zip(held, sealed, strict=True):
        one.sealed_keys = text
    with connections[state_changes.alias()].cursor() as cursor:
        cursor.execute(_SEALED, [arrays.of_numbers(one.pk for one in held), arrays.of_bytes(sealed)])


def carry_over() -> int:
    """
    Give a key of their own to requests that an earlier version filed, as far as they can be opened.

    Returns:
        How many. What the old key opens of them stays in the server's files until these are written over.
    """
    with transaction.atomic(using=state_changes.alias()):
        old = list(request_keys.sealed_otherwise().select_for_update().order_by("pk"))
        people = dict[int, SubjectKeys]()
        for one in old:
            with suppress(KeysDestroyed):
                people[one.pk] = keys_of(one)
        reseal([one for one in old if one.pk in people], people)
    return len(people)


def destroy_ended() -> None:
    """Destroy the keys of requests that are over by then, once the open transaction is committed."""
    transaction.on_commit(_destroyed, using=state_changes.alias(), robust=True)


def _destroyed() -> None:
    request_keys.destroy_ended()


def _opened(request: ErasureRequest, own: request_keys.KeyRing) -> SubjectKeys:
    if request.sealed_keys is None or not _is_own(request):
        return SubjectKeys.from_json(unseal(request.sealed_keys))
    try:
        text = request_keys.unseal(bytes(request.sealed_keys), own.key(request.reference))
    except InvalidToken as exc:
        raise KeysDestroyed(
            say(
                "What request {reference} has sealed was not sealed with its own key.",
                reference=request.reference,
            ),
            hint="Rows of gdpr_erasurerequest and gdpr_requestkey are of different moments: see where each "
            "was restored from.",
        ) from exc
    return SubjectKeys.from_json(text)


def _is_own(request: ErasureRequest) -> bool:
    return request.sealed_keys is not None and request_keys.is_own(bytes(request.sealed_keys))


def tag_of(found: SubjectKeys) -> str:
    """Return the tag that stands for a person in every table: a keyed hash of the primary key."""
    return tag_of_key(found.kind, found.primary)


def tag_of_key(kind: str, key: object) -> str:
    """
    Return the tag of a person whose primary key is known.

    Once there is a request, a hold or a consent of the person, their tag stays the same, also
    when the project's secret is replaced: a hold must not be missed for that.
    """
    tags = tags_of_key(kind, key)
    return tags[0] if len(tags) == 1 else _in_use(tags)


def tags_of_key(kind: str, key: object) -> list[str]:
    """Return every tag that may stand for a person, by any secret and in any spelling of the key."""
    fold = _fold_of(kind) if subject_key.spellings(key) else Fold.EXACT
    return [str(tag) for tag in tombstones.subject_tags(kind.lower(), key, fold)]


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
