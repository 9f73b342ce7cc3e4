"""
Recipients: who else got data of people, and how they are told of an erasure (Art. 19).

A recipient is declared beside the entries whose data it got. It is told by which key it knows the
person, and of nobody of whom it got nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from gdpr.datamap.kinds import Subject
from gdpr.errors import InvalidDataMap

DECLARED = "RECIPIENTS"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """
    Somebody to whom data of people were disclosed.

    Attributes:
        id: Name of the recipient, unique in the project: small letters, digits, `.`, `_`, `-`.
        of: Ids of the entries whose data it got.
        knows: Name of the person's key that it knows; the primary one unless given.
        mail: Address that a notice is sent to, or else
        webhook: address that a notice is posted to; `https`, unless it is this machine.
        secret: Name of the Django setting with the secret that the recipient checks a post by (HMAC); empty
            for none. Every notice is signed by the project's own key in any case.
        language: In which language a mail is written; the project's unless given.
    """

    id: str
    of: tuple[str, ...]
    knows: str = ""
    mail: str = ""
    webhook: str = ""
    secret: str = ""
    language: str = ""

    @property
    def way(self) -> str:
        """Return how it is told: `mail` or `webhook`."""
        return "mail" if self.mail else "webhook"

    @property
    def place(self) -> str:
        """Return where it is told, without what an address may carry as a secret: an address, or a host."""
        return self.mail or urlsplit(self.webhook).netloc.rpartition("@")[2]

    def described(self) -> Mapping[str, Any]:
        """Return what the digest of a data map is made of."""
        return {
            "id": self.id,
            "of": sorted(self.of),
            "knows": self.knows,
            self.way: self.mail or self.webhook,
            "secret": self.secret,
        }


def declared(
    modules: Iterable[ModuleType], entries: Collection[str], subject: Subject | None
) -> tuple[Recipient, ...]:
    """
    Read the recipients that apps declare, sorted by their ids.

    Args:
        modules: What apps declare: `RECIPIENTS`, a list.
        entries: Ids of the entries that there are.
        subject: Whose data these are.

    Raises:
        InvalidDataMap: One is declared wrongly; nothing may be erased of which nobody could be told.
    """
    found: dict[str, Recipient] = {}
    for module in modules:
        for one in getattr(module, DECLARED, ()):
            if not isinstance(one, Recipient):
                raise InvalidDataMap(
                    f"{DECLARED} of {module.__name__} holds a {type(one).__name__}, which is no recipient.",
                    hint=f"{DECLARED} is a list of Recipient(...).",
                )
            _check(one, found, entries, subject)
            found[one.id] = one
    return tuple(found[name] for name in sorted(found))


def _check(one: Recipient, known: Collection[str], entries: Collection[str], subject: Subject | None) -> None:
    unknown = ", ".join(sorted(set(one.of) - set(entries)))
    names = subject.names if subject else ()
    if not _ID.fullmatch(one.id) or one.id in known:
        _refuse(one, "has no name of its own", "Small letters, digits, “.”, “_” and “-”; each name once.")
    if not one.of or unknown:
        what = f"got data of entries that there are not: {unknown}" if unknown else "got data of no entry"
        _refuse(one, what, "Write into `of` the ids of the entries whose data it gets.")
    if one.knows and one.knows not in names:
        _refuse(one, f"knows people by “{one.knows}”, which is no key", f"Keys: {', '.join(names)}.")
    if bool(one.mail) is bool(one.webhook) or (one.webhook and not _is_guarded(one.webhook)):
        _refuse(
            one,
            "can't be told",
            "Give it mail=, or webhook= with an https:// address; what is told names a person.",
        )
    if one.secret and one.mail:
        _refuse(one, "has a secret for posts and is told by mail", "Leave `secret` out.")


def _refuse(one: Recipient, what: str, hint: str) -> None:
    raise InvalidDataMap(f"The recipient “{one.id}” {what}.", hint=hint)


def _is_guarded(address: str) -> bool:
    """Return whether nobody on the way reads what is sent to an address."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
