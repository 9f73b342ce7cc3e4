"""
Keys that the suite derives from Django's `SECRET_KEY`, one for each purpose.

Nothing is stored: the same secret yields the same keys. A secret that was replaced stays in
`SECRET_KEY_FALLBACKS` for as long as what was made with it must still be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from accord import conf

_SALT = b"accord keys 1"
KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class DerivedKey:
    """
    A derived key.

    Attributes:
        id: Names the key without saying anything of it; 16 hexadecimal digits.
        secret: The key, 32 bytes.
    """

    id: str
    secret: bytes = field(repr=False)


def current(purpose: str) -> DerivedKey:
    """
    Return the key to make new things with.

    Args:
        purpose: What it is for, such as `accord.erased.tombstones`. Each purpose has a key of its own.
    """
    return derived(purpose)[0]


def derived(purpose: str) -> Sequence[DerivedKey]:
    """
    Return every key that may have been used for a purpose, the current one first.

    Args:
        purpose: What it is for.
    """
    return tuple(_derive(secret, purpose) for secret in conf.secret_keys())


@lru_cache(maxsize=64)
def _derive(secret: bytes, purpose: str) -> DerivedKey:
    # Loaded where it is used, as in accord/secrets/signing.py.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    expansion = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=_SALT, info=purpose.encode())
    key = expansion.derive(secret)
    return DerivedKey(id=hashlib.sha256(b"accord key id" + key).hexdigest()[:16], secret=key)
