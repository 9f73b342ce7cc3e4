"""Boxes that seal with a key derived from `SECRET_KEY`, and open what a key of a former secret sealed."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet

from accord.secrets import keys


def box(purpose: str) -> MultiFernet:
    """
    Return what seals and opens for a purpose.

    Args:
        purpose: As for :func:`accord.secrets.keys.current`.
    """
    return _made(tuple(key.secret for key in keys.derived(purpose)))


@lru_cache(maxsize=16)
def _made(secrets: tuple[bytes, ...]) -> MultiFernet:
    """Make a box; thousands of small texts are opened in a row, each faster than its box is made."""
    return MultiFernet([Fernet(base64.urlsafe_b64encode(secret)) for secret in secrets])
