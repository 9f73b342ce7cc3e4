"""
A key of its own for each request: random, kept apart from what it opens, destroyed when the request ends.

A notice to a recipient has such a key as well, until the recipient is told.

What a request seals lies in the heap and the write-ahead log of PostgreSQL, and in every backup, long
after its column is empty. Its key never does: it is a row of an UNLOGGED table or, by
`ACCORD["REQUEST_KEYS"]`, a file. Each is encrypted once more with a key derived from `SECRET_KEY`, so that
the table or the folder alone opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db.models import BinaryField, F, Func, QuerySet, Value

from accord import conf
from accord.secrets.boxes import box
from accord.wording import say
from gdpr.erasure.key_files import KeyFolder
from gdpr.erasure.key_table import KeyTable
from gdpr.errors import KeysDestroyed, KeysLost
from gdpr.models import ErasureRequest

_PURPOSE = "gdpr.request_keys"
_OWN = b"own:"
"""Begins what was sealed with a request's own key; what was sealed before began otherwise."""
_FORM = Func(F("sealed_keys"), Value(1), Value(len(_OWN)), function="substring", output_field=BinaryField())


class KeyPlace(Protocol):
    """Where encrypted keys are kept, by the references of their requests."""

    def keep(self, wrapped: Mapping[str, bytes]) -> None:
        """Keep new ones, so that they are there when the open transaction is committed."""
        ...

    def read(self, references: Iterable[str]) -> Mapping[str, bytes]:
        """Return those that are there."""
        ...

    def count_ended(self) -> int:
        """Count those that no request needs any more."""
        ...

    def destroy_ended(self) -> int:
        """Destroy those that no request needs any more, dead copies included; return how many went."""
        ...


@dataclass(frozen=True, kw_only=True)
class KeyRing:
    """
    The keys of several requests.

    Attributes:
        wrapped: Encrypted keys by the references of their requests.
    """

    wrapped: Mapping[str, bytes] = field(repr=False)

    def key(self, reference: str) -> bytes:
        """
        Open the key of a request.

        Raises:
            KeysLost: It has none any more.
            KeysDestroyed: The secret that it is encrypted with is gone.
        """
        if reference not in self.wrapped:
            raise KeysLost(
                say(
                    "The key of request {reference} is lost: PostgreSQL crashed, failed over or was "
                    "restored.",
                    reference=reference,
                ),
                hint=say(
                    "Name the person again: gdpr_erase --request {reference} --key KEY.", reference=reference
                ),
            )
        try:
            return self._box.decrypt(self.wrapped[reference])
        except InvalidToken as exc:
            raise KeysDestroyed(
                say(
                    "The key of request {reference} can't be opened with today's secrets.",
                    reference=reference,
                ),
                hint="Put the SECRET_KEY that it was encrypted with into SECRET_KEY_FALLBACKS.",
            ) from exc

    @cached_property
    def _box(self) -> MultiFernet:
        return box(_PURPOSE)


@dataclass(frozen=True, kw_only=True)
class KeyCensus:
    """
    How the keys of requests stand.

    Attributes:
        lost: Requests that are not over and whose key is in no place.
        ended: Keys that no request needs any more and that are not destroyed yet.
    """

    lost: int
    ended: int


def new_key() -> bytes:
    """Make a random key."""
    return Fernet.generate_key()


def keep(made: Mapping[str, bytes]) -> None:
    """
    Keep new keys, inside of the transaction that stores what is sealed with them.

    Args:
        made: Keys by the references of their requests.

    Raises:
        ConfigurationError: The folder of keys can't be written to.
    """
    if made:
        _places()[0].keep({reference: box(_PURPOSE).encrypt(key) for reference, key in made.items()})


def ring(references: Iterable[str]) -> KeyRing:
    """
    Return the keys of those requests that have one.

    Raises:
        ConfigurationError: The folder of keys can't be read.
    """
    wanted, found = set(references), dict[str, bytes]()
    for place in _places():
        if wanted - found.keys():
            found |= place.read(wanted - found.keys())
    return KeyRing(wrapped=found)


def seal(text: str, key: bytes) -> bytes:
    """Encrypt a text with a request's own key."""
    return _OWN + Fernet(key).encrypt(text.encode())


def unseal(sealed: bytes, key: bytes) -> str:
    """Decrypt what :func:`seal` gave."""
    return Fernet(key).decrypt(sealed.removeprefix(_OWN)).decode()


def is_own(sealed: bytes) -> bool:
    """Return whether something was sealed with a request's own key."""
    return sealed.startswith(_OWN)


def sealed_otherwise() -> QuerySet[ErasureRequest]:
    """Find requests that an earlier version filed; one key, derived from `SECRET_KEY`, opens them all."""
    sealed = ErasureRequest.objects.filter(sealed_keys__isnull=False)
    return sealed.annotate(form=_FORM).exclude(form=_OWN)


def destroy_ended() -> int:
    """
    Destroy the keys of requests that are over. What a kill left is destroyed by the next call.

    Returns:
        How many went. A table that others hold for long is left to the next call.
    """
    return sum(place.destroy_ended() for place in _places() if place.count_ended())


def census() -> KeyCensus:
    """
    Count the keys that are missing, and those that should be gone.

    Raises:
        ConfigurationError: The folder of keys can't be read.
    """
    sealed = ErasureRequest.objects.annotate(form=_FORM).filter(form=_OWN)
    needed = set(sealed.values_list("reference", flat=True))
    there = ring(needed).wrapped.keys()
    return KeyCensus(lost=len(needed - there), ended=sum(place.count_ended() for place in _places()))


def _places() -> list[KeyPlace]:
    """Return the place for new keys, then the other one, where those may be that were made before."""
    folder = conf.load().request_keys
    return [KeyFolder(conf.base_dir() / folder), KeyTable()] if folder else [KeyTable()]
