"""
Signatures (Ed25519) of what must be believed later: receipts, attestations, heads of the audit chain.

The key is `ACCORD["SIGNING_KEY"]`, or derived from `SECRET_KEY` where that is not set. Whoever
holds the public key can check a signature without this project: docs/explanation/audit.md
says how.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from accord import conf
from accord.errors import ConfigurationError, ForeignSignature, ForgedSignature
from accord.secrets import keys

# Loaded where it is used: it takes longer than all that most commands do with it, which is nothing.
if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PURPOSE = "accord.signing"
_ALGORITHM = "ed25519"
OURSELVES = "self"
"""What this installation is called among those that sign."""
_HINT = "It is the base64 of 32 bytes, such as `openssl rand -base64 32` prints."


def sign(payload: bytes, *, purpose: str) -> str:
    """
    Sign bytes.

    Args:
        payload: What is signed.
        purpose: What the signature is for, such as `accord.receipt/1`. A signature that was
            made for one purpose is refused for another.

    Returns:
        One line of text: algorithm, id of the key, signature.

    Raises:
        ConfigurationError: `ACCORD["SIGNING_KEY"]` is not a key.
    """
    key = _signing_key()
    value = base64.b64encode(key.sign(_framed(payload, purpose))).decode()
    return f"{_ALGORITHM}:{_key_id(key.public_key())}:{value}"


def verify(payload: bytes, signature: str, *, purpose: str) -> str:
    """
    Check a signature against our own keys and those of `ACCORD["TRUSTED_KEYS"]`.

    Args:
        payload: What should have been signed.
        signature: What :func:`sign` gave.
        purpose: What the signature should be for.

    Returns:
        Who signed: `self`, or the name of the trusted key.

    Raises:
        ForgedSignature: The signature was not made for these bytes and this purpose.
        ForeignSignature: A key signed that we neither have nor trust.
        ConfigurationError: A configured key is not a key.
    """
    key_id, value = _parsed(signature)
    for name, key in _trusted():
        if _key_id(key) == key_id:
            _check(key, value, _framed(payload, purpose))
            return name
    raise ForeignSignature(
        f"A key that nobody here trusts has signed (key id {key_id}).",
        hint="Add the public key of who signed to ACCORD['TRUSTED_KEYS'], if it should be trusted.",
    )


def public_key() -> str:
    """Return the public half of the key that we sign with, as base64 of its 32 bytes."""
    return base64.b64encode(_signing_key().public_key().public_bytes_raw()).decode()


def key_id() -> str:
    """Return the id of the key that we sign with: 16 hexadecimal digits of its public half's digest."""
    return _key_id(_signing_key().public_key())


def _framed(payload: bytes, purpose: str) -> bytes:
    """Return the bytes with the purpose before them, so that one can't be mistaken for the other."""
    name = purpose.encode()
    return b"accord signature 1" + len(name).to_bytes(4, "big") + name + payload


def _check(key: Ed25519PublicKey, value: bytes, framed: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(value, framed)
    except InvalidSignature as exc:
        raise ForgedSignature(
            "A signature does not belong to what it stands under.",
            hint="The signed text was changed, or the signature comes from another one. Don't rely on it.",
        ) from exc


def _parsed(signature: str) -> tuple[str, bytes]:
    try:
        algorithm, key_id, value = signature.split(":")
        raw = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise _unreadable() from exc
    if algorithm != _ALGORITHM:
        raise _unreadable()
    return key_id, raw


def _unreadable() -> ForgedSignature:
    return ForgedSignature("A signature can't be read.", hint="Ask for the document once more.")


def _signing_key() -> Ed25519PrivateKey:
    configured = conf.load().signing_key
    return _private(_raw(configured, "SIGNING_KEY") if configured else keys.current(_PURPOSE).secret)


def _trusted() -> list[tuple[str, Ed25519PublicKey]]:
    """List whose signatures count: ours, those of secrets before this one, those trusted by setting."""
    settings = conf.load()
    ours = [_signing_key(), *(_private(key.secret) for key in keys.derived(_PURPOSE))]
    return [(OURSELVES, key.public_key()) for key in ours] + _others(settings.trusted_keys)


def speaks_for(signer: str, environment: str) -> bool:
    """
    Return whether who signed may say what ran in an environment.

    An installation speaks for its own environment. A trusted key speaks for the environment of its name,
    or for those that stand beside it: `{"key": "...", "environments": ["staging"]}`.

    Args:
        signer: What :func:`verify` returned.
        environment: What the signed words are about.
    """
    settings = conf.load()
    if signer == OURSELVES:
        return environment == settings.environment
    entry = settings.trusted_keys.get(signer)
    named = entry.get("environments", ()) if isinstance(entry, Mapping) else (signer,)
    return isinstance(named, list | tuple) and environment in named


def _others(configured: Mapping[str, object]) -> list[tuple[str, Ed25519PublicKey]]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return [
        (name, Ed25519PublicKey.from_public_bytes(_raw(_key_of(value), f"TRUSTED_KEYS']['{name}")))
        for name, value in configured.items()
    ]


def _key_of(value: object) -> object:
    return value.get("key", "") if isinstance(value, Mapping) else value


def _raw(configured: object, setting: str) -> bytes:
    try:
        raw = base64.b64decode(str(configured), validate=True)
    except (ValueError, binascii.Error) as exc:
        raise ConfigurationError(f"ACCORD['{setting}'] is not base64.", hint=_HINT) from exc
    if len(raw) != keys.KEY_BYTES:
        raise ConfigurationError(f"ACCORD['{setting}'] has not 32 bytes.", hint=_HINT)
    return raw


@lru_cache(maxsize=16)
def _private(raw: bytes) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(raw)


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
