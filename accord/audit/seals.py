"""
Keyed seals (HMAC-SHA256) of what the trail keeps in its own database.

A hash shows that something was changed by whoever did not compute it anew; a seal, that whoever wrote
it had the project's key, which no database holds.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from accord.secrets import keys

PURPOSE = "accord.audit.seal"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """
    A seal.

    Attributes:
        key_id: Which of our keys made it.
        mac: 64 hexadecimal digits.
    """

    key_id: str
    mac: str


def seal(*parts: object) -> Seal:
    """
    Seal values with the current key.

    Args:
        parts: Each as its text; the first names what is sealed.
    """
    key = keys.current(PURPOSE)
    return Seal(key_id=key.id, mac=_mac(key.secret, parts))


def is_genuine(found: Seal, *parts: object) -> bool:
    """
    Return whether one of our keys, the current one or one before it, sealed these values.

    Args:
        found: The seal.
        parts: What it should have been made of.
    """
    matching = (key.secret for key in keys.derived(PURPOSE) if key.id == found.key_id)
    return any(hmac.compare_digest(_mac(secret, parts), found.mac) for secret in matching)


def _mac(secret: bytes, parts: tuple[object, ...]) -> str:
    """Authenticate each part with its length before it, so that nothing moves from one into the next."""
    texts = [str(part).encode() for part in parts]
    message = b"".join(len(text).to_bytes(4, "big") + text for text in texts)
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
