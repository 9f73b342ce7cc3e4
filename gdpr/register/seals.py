"""
What leads to a person, sealed for the register by a key of its own, derived from `SECRET_KEY`.

A secret that was replaced must stay in `SECRET_KEY_FALLBACKS` for as long as entries that it sealed are kept.
"""

from __future__ import annotations

import secrets

from cryptography.fernet import InvalidToken

from accord.secrets.boxes import box
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import KeysDestroyed
from gdpr.register.entries import Secrets

_PURPOSE = "gdpr.register"
_SALT_BYTES = 16


def sealed(tag: str, found: SubjectKeys) -> Secrets:
    """
    Seal a person's keys.

    Args:
        tag: The person's tag.
        found: Their keys, with what was collected before anything was erased.
    """
    token = box(_PURPOSE).encrypt(found.to_json().encode()).decode()
    return Secrets(salt=secrets.token_hex(_SALT_BYTES), tag=tag, keys=token)


def opened(found: Secrets) -> SubjectKeys:
    """
    Open what :func:`sealed` gave.

    Raises:
        KeysDestroyed: The secret that it was sealed with is gone.
    """
    try:
        return SubjectKeys.from_json(box(_PURPOSE).decrypt(found.keys.encode()).decode())
    except InvalidToken as exc:
        raise KeysDestroyed(
            "What the register has sealed can't be opened with today's secrets.",
            hint="Put the SECRET_KEY that it was sealed with into SECRET_KEY_FALLBACKS.",
        ) from exc
