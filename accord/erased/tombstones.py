"""
Fences and tombstones: whoever is being erased, or was, is not brought back by anything that writes.

A person is kept as a keyed hash (HMAC-SHA256), which says nothing without the project's secret.
From the moment the fence is raised, :func:`is_erased` is true and :func:`guard` refuses.
Which keys are the same person says :mod:`accord.erased.subject_key`; kinds are compared in lower case.

A write that must not race with a fence holds its place with :func:`sparing` or :func:`guard`
inside of a transaction: a fence waits until such transactions have ended, and so sees what
they wrote.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import connections, transaction
from django.db.models.functions import Now

from accord import conf, db
from accord.erased import subject_key
from accord.erased.folding import Fold
from accord.errors import SubjectErased, UsageError
from accord.models import Tombstone
from accord.secrets import keys

_PURPOSE = "accord.tombstones"

K = TypeVar("K", bound=Hashable)
Document = TypeVar("Document", bound=Mapping[str, Any])
Erased = Callable[[Iterable[Hashable]], set[Hashable]]
"""Returns those of many keys whose people are behind a fence or were erased."""


@dataclass(frozen=True, kw_only=True)
class SubjectTag:
    """
    A person as the suite may store them.

    Attributes:
        kind: What the key is a key of: `streaming.listener`, `streaming.listener:email`.
        key_id: Which of our keys hashed it.
        value: Keyed hash, 64 hexadecimal digits.
    """

    kind: str
    key_id: str
    value: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key_id}/{self.value}"

    @classmethod
    def parse(cls, text: str) -> SubjectTag:
        """
        Read what `str()` of a tag wrote.

        Raises:
            UsageError: It is not the text of a tag.
        """
        try:
            kind, key_id, value = text.split("/")
        except ValueError as exc:
            raise UsageError(
                "This is not the text of a subject's tag.", hint="Use subject_tag(kind, key)."
            ) from exc
        return cls(kind=kind, key_id=key_id, value=value)


def subject_tag(kind: str, key: object) -> SubjectTag:
    """
    Hash a person's key.

    Args:
        kind: What it is a key of.
        key: The key: a number, a text, a UUID or an ObjectId.

    Raises:
        UsageError: The key belongs to no person: it is None, empty or a truth value.
    """
    return subject_tags(kind, key)[0]


def subject_tags(kind: str, key: object, fold: Fold = Fold.EXACT) -> list[SubjectTag]:
    """
    Hash a person's key with every secret that may have been current, the newest first.

    For code that keeps tags and looks them up: a tag stays what it was when secrets are replaced.

    Args:
        kind: What it is a key of.
        key: The key.
        fold: Which spellings of it are the same person, where it is a text. A fence by such a tag is met by
            every one of them; tags from before it was declared come last.

    Raises:
        UsageError: The key belongs to no person: it is None, empty or a truth value.
    """
    texts = subject_key.texts(key)
    if not texts:
        raise UsageError(
            "A subject's key is empty or a truth value.", hint="Pass the key that the person is known by."
        )
    spelled = [(one, text) for one, text in subject_key.spellings(key).items() if one is fold]
    return [
        tag
        for one, text in (*spelled, *((Fold.EXACT, text) for text in texts))
        for tag in _tags(kind, text, one)
    ]


def raise_fence(tag: SubjectTag | str, since: datetime | None = None, using: str | None = None) -> None:
    """
    Mark a person as erased for every check, from the end of this transaction.

    Waits for the transactions that :func:`guard` and :func:`sparing` protect. May be repeated:
    the first time counts.

    Args:
        tag: The person.
        since: When, if not now by the server's clock.
        using: Database of the tombstones; the coordinator by default.
    """
    raise_fences({str(tag): since}, using)


def raise_fences(since: Mapping[str, datetime | None], using: str | None = None) -> None:
    """
    Raise the fences of several people at once. See :func:`raise_fence`.

    Args:
        since: For each tag from when on the fence stands, if not from now on by the server's clock.
        using: Database of the tombstones.
    """
    parsed, alias = {_parsed(tag): at for tag, at in since.items()}, _alias(using)
    rows = [
        Tombstone(kind=tag.kind, tag=tag.value, key_id=tag.key_id, fenced_at=at or Now())
        for tag, at in parsed.items()
    ]
    with transaction.atomic(using=alias):
        for kind in sorted({tag.kind for tag in parsed}):
            _lock(alias, kind, shared=False)
        Tombstone.objects.using(alias).bulk_create(rows, ignore_conflicts=True)


def mark_erased(tag: SubjectTag | str, at: datetime | None = None, using: str | None = None) -> bool:
    """
    Record that the erasure behind a fence is complete.

    Args:
        tag: The person.
        at: When, if not now by the server's clock.
        using: Database of the tombstones.

    Returns:
        False when there is no fence, or it was recorded before.
    """
    return bool(mark_all_erased([tag], at, using))


def mark_all_erased(
    tags: Iterable[SubjectTag | str], at: datetime | None = None, using: str | None = None
) -> int:
    """Record it for several people, and return for how many it was new. See :func:`mark_erased`."""
    parsed = [_parsed(tag) for tag in tags]
    rows = Tombstone.objects.using(_alias(using)).filter(erased_at__isnull=True)
    # A tag is a hash over the kind as well: it stands for one person alone. Both are in the index.
    kinds = {tag.kind for tag in parsed}
    return rows.filter(kind__in=kinds, tag__in=[tag.value for tag in parsed]).update(erased_at=at or Now())


def is_erased(kind: str, key: object, using: str | None = None) -> bool:
    """
    Return whether a person is behind a fence or was erased.

    Args:
        kind: What the key is a key of.
        key: The key.
        using: Database of the tombstones.
    """
    return bool(filter_erased(kind, [key], using))


def stands(tag: SubjectTag | str, using: str | None = None) -> bool:
    """
    Return whether the person behind a tag is behind a fence or was erased.

    Args:
        tag: The person, as it was stored.
        using: Database of the tombstones.
    """
    one = _parsed(tag)
    return bool(_standing(_alias(using), one.kind, [one.value]))


def filter_erased(kind: str, subjects: Iterable[K | None], using: str | None = None) -> set[K]:
    """
    Return those of many keys whose people are behind a fence or were erased, with one query.

    Args:
        kind: What they are keys of.
        subjects: Any number of keys; what belongs to no person (None, "", a truth value) is passed over.
        using: Database of the tombstones.

    Raises:
        StoreError: The tombstones can't be read. A caller may not go on as if there were none.
    """
    owners: dict[tuple[str, Fold], list[K]] = {}
    for key in (key for key in subjects if key is not None):
        for text in subject_key.texts(key):
            owners.setdefault((text, Fold.EXACT), []).append(key)
        for fold, text in subject_key.spellings(key).items():
            owners.setdefault((text, fold), []).append(key)
    if not owners:
        return set()
    found = {tag.value: keys for (text, fold), keys in owners.items() for tag in _tags(kind, text, fold)}
    return {key for value in _standing(_alias(using), kind, list(found)) for key in found[value]}


def guard(kind: str, key: object, using: str | None = None) -> None:
    """
    Raise if a person is behind a fence or was erased.

    For applications: call it in the transaction of a write about a person, before the write.
    Until that transaction ends, no fence of this kind goes up.

    Args:
        kind: What the key is a key of.
        key: The key.
        using: Database of the tombstones.

    Raises:
        SubjectErased: The person is.
    """
    alias = _alias(using)
    if connections[alias].in_atomic_block:
        _lock(alias, kind, shared=True)
    if is_erased(kind, key, using):
        raise SubjectErased(
            f"A write concerns a “{kind}” who is erased, or is being erased. It was refused.",
            hint="Leave it out. Whoever comes back as a new person gets a new key.",
        )


@contextmanager
def sparing(kind: str, using: str | None = None) -> Iterator[Erased]:
    """
    Hold fences back while a batch is written, and yield a function that finds whom to leave out.

    For writes to other stores, which have no part in a transaction of PostgreSQL: a fence
    that goes up afterwards finds the batch written, and erases it. Keep it short.

    Args:
        kind: What the keys are keys of.
        using: Database of the tombstones.

    Yields:
        A function that takes keys and returns those whose people are behind a fence or were erased.
    """
    alias = _alias(using)
    with transaction.atomic(using=alias):
        _lock(alias, kind, shared=True)
        yield lambda subjects: filter_erased(kind, subjects, alias)


def spare(documents: Sequence[Document], field: str, erased: Erased) -> list[Document]:
    """
    Return the documents without those of erased people.

    Args:
        documents: Documents, or rows as mappings.
        field: Path of the subject's key in them, such as `author.id`; lists on the way and at
            its end are looked into. A document without it, or with an empty one, belongs to
            no person and stays.
        erased: What :func:`sparing` yielded.
    """
    owners = [set(texts_at(document, field.split("."))) for document in documents]
    gone = erased({text for texts in owners for text in texts})
    return [document for document, texts in zip(documents, owners, strict=True) if not texts & gone]


def texts_at(value: object, path: Sequence[str]) -> Iterator[str]:
    """Yield the keys at a path as texts: not every type of key can be in a set, and `True` is not 1."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from texts_at(item, path)
    elif not path:
        yield from subject_key.texts(value)
    elif isinstance(value, Mapping):
        # A document may also write {"author.id": 42} for {"author": {"id": 42}}.
        for length in range(1, len(path) + 1):
            yield from texts_at(value.get(".".join(path[:length])), path[length:])


def _alias(using: str | None) -> str:
    return using or conf.load().coordinator


def _parsed(tag: SubjectTag | str) -> SubjectTag:
    return SubjectTag.parse(tag) if isinstance(tag, str) else tag


def _tags(kind: str, text: str, fold: Fold = Fold.EXACT) -> list[SubjectTag]:
    """Hash a key's text with every secret that may have been current when it was erased, the newest first."""
    kind = kind.lower()
    # JSON may hold half a surrogate pair, which is no character. A folded text says how: a key that is
    # compared exactly is not met by another spelling of it.
    folding = () if fold is Fold.EXACT else (fold.encode(),)
    parts = kind.encode(), text.encode(errors="surrogatepass"), *folding
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return [
        SubjectTag(
            kind=kind, key_id=each.id, value=hmac.new(each.secret, message, hashlib.sha256).hexdigest()
        )
        for each in keys.derived(_PURPOSE)
    ]


def _standing(alias: str, kind: str, values: list[str]) -> Iterable[str]:
    """Return those of many tags that a tombstone bears."""
    with db.reading("The table of tombstones", alias), connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT tag FROM accord_tombstone WHERE kind = %s AND tag = ANY(%s)", [kind.lower(), values]
        )
        return [tag for (tag,) in cursor.fetchall()]


def _lock(alias: str, kind: str, *, shared: bool) -> None:
    """Lock a kind of person until the transaction ends: many writers together, or one fence alone."""
    number = int.from_bytes(
        hashlib.sha256(b"accord fence" + kind.lower().encode()).digest()[:8], "big", signed=True
    )
    statement = "SELECT pg_advisory_xact_lock_shared(%s)" if shared else "SELECT pg_advisory_xact_lock(%s)"
    with db.reading("The table of tombstones", alias), connections[alias].cursor() as cursor:
        cursor.execute(statement, [number])
