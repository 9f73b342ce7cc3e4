"""
The form in which audit events are hashed, each with the hash of the one before. Pure: no store is asked.

Version 1: a zero byte (a leaf, in the words of RFC 6962), the version, then every field as its
length in four bytes and its bytes. Nothing can be moved from one field into the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache

GENESIS = hashlib.sha256(b"accord audit trail 1").hexdigest()
"""Stands for the hash before the first event."""

_VERSION = b"\x00\x01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Link:
    """
    What of an audit event is hashed, in the order in which it is.

    Attributes:
        seq: Number, from 1, without gaps.
        at: When, to the microsecond.
        event: What happened.
        outcome: How it ended.
        actor_kind: Who, as a kind.
        actor_ref: Who, as a random reference.
        object_kind: What it was done to, as a kind.
        object_ref: What it was done to, as a random reference.
        request_ref: Request that it belongs to, as a random reference.
        counters: Numbers.
        plan_digest: Digest of the plan that it carried out, or of the consent or receipt that it tells of.
        prev_hash: Hash of the event before.
    """

    seq: int
    at: datetime
    event: str
    outcome: str
    actor_kind: str
    actor_ref: str = ""
    object_kind: str
    object_ref: str = ""
    request_ref: str = ""
    counters: Mapping[str, int] = field(default_factory=dict)
    plan_digest: str = ""
    prev_hash: str

    def digest(self) -> str:
        """Return the event's hash."""
        return digest_of(self.texts())

    def before_the_last(self) -> bytes:
        """Return the bytes that are hashed before the hash of the event before."""
        return _bytes_of(self.texts()[:-1])

    def texts(self) -> tuple[str, ...]:
        """Return the fields as the texts that are hashed, in order."""
        return (
            str(self.seq),
            _moment(self.at),
            self.event,
            self.outcome,
            self.actor_kind,
            self.actor_ref,
            self.object_kind,
            self.object_ref,
            self.request_ref,
            _numbers(self.counters),
            self.plan_digest,
            self.prev_hash,
        )


FIELDS = tuple(item.name for item in fields(Link))
_MICROSECOND = timedelta(microseconds=1)
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_FEW = 256
_SHORT = [length.to_bytes(4, "big") for length in range(_FEW)]
# From the second to the seventh: when, what and who, which events of one call have in common.
_COMMON = slice(1, 7)


def digest_of(texts: tuple[str, ...]) -> str:
    """
    Return an event's hash.

    Args:
        texts: What :meth:`Link.texts` gives.
    """
    return hashlib.sha256(_bytes_of(texts)).hexdigest()


def _bytes_of(texts: tuple[str, ...]) -> bytes:
    own = map(_part, texts[_COMMON.stop :])
    return b"".join((_VERSION, *map(_part, texts[: _COMMON.start]), _common(texts[_COMMON]), *own))


@lru_cache(maxsize=64)
def _common(texts: tuple[str, ...]) -> bytes:
    return b"".join(map(_part, texts))


def _part(text: str) -> bytes:
    encoded = text.encode()
    length = len(encoded)
    return (_SHORT[length] if length < _FEW else length.to_bytes(4, "big")) + encoded


@lru_cache(maxsize=64)
def _moment(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND)


def _numbers(counters: Mapping[str, int]) -> str:
    """Write counters; the same few come again and again, but `1` is not `true`, which equals it."""
    if all([type(value) is int for value in counters.values()]):  # noqa: C419 - a list is faster
        return _whole_numbers(tuple(counters.items()))
    return _JSON.encode(counters)


@lru_cache(maxsize=4096)
def _whole_numbers(counters: tuple[tuple[str, int], ...]) -> str:
    return _JSON.encode(dict(counters))
