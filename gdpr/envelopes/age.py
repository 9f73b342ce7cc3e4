"""
Encryption with age (https://age-encryption.org/v1): for public keys, or with a password.

Whoever gets such a file opens it with any program of age: `age --decrypt`, or `rage`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accord import extras
from accord.wording import say
from gdpr.errors import ExportRefused

SUFFIX = "age"
SHORTEST_PASSWORD = 12


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """
    Who can open what is put in.

    Attributes:
        recipients: Public keys, as `age-keygen` writes them: `age1…`.
        password: Where there are no recipients: a text that the reader is told by another way.
    """

    recipients: tuple[str, ...] = ()
    password: str = field(default="", repr=False)

    def require(self) -> None:
        """
        Make sure that something can be put in, before anything is read that would be.

        Raises:
            ConfigurationError: The library isn't installed.
            ExportRefused: A key is none, the password is too short, or there is neither.
        """
        extras.require(__name__, "An encrypted export")
        if self.recipients and self.password:
            raise ExportRefused(
                "A file is for keys or for whoever knows a password, and not for both.",
                hint="Give one of them.",
            )
        if self.recipients:
            self._keys()
        elif len(self.password) < SHORTEST_PASSWORD:
            raise ExportRefused(
                say("The password has less than {number} characters.", number=SHORTEST_PASSWORD),
                hint="Whoever has the file can try passwords as fast as their machine goes: take a long one.",
            )

    def sealed(self, content: bytes) -> bytes:
        """
        Encrypt, in memory: nothing of it is on a disk before.

        Args:
            content: What only the reader may read.

        Raises:
            ConfigurationError, ExportRefused: As for :meth:`require`.
        """
        self.require()
        import pyrage

        if self.recipients:
            return bytes(pyrage.encrypt(content, self._keys()))
        return bytes(pyrage.passphrase.encrypt(content, self.password))

    def _keys(self) -> list[Any]:
        import pyrage

        try:
            return [pyrage.x25519.Recipient.from_str(one.strip()) for one in self.recipients]
        except pyrage.RecipientError as exc:
            # The text isn't repeated: who mixes up the two files would have told their secret key.
            raise ExportRefused(
                "That is no public key of age.", hint="It begins with age1: age-keygen prints it."
            ) from exc
