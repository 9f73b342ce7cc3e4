"""What a recipient is told: a signed document that names the person by the key that it knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken

from accord import conf
from accord.secrets import signing
from accord.wording import say
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import request_keys
from gdpr.erasure.receipts import payload_of
from gdpr.errors import KeysDestroyed
from gdpr.models import RecipientNotice

SCHEMA = "accord.notice/1"


@dataclass(frozen=True, kw_only=True)
class Message:
    """
    What is sent; the same at every attempt.

    Attributes:
        reference: Of the notice: the idempotency key.
        document: What it says, with what proves it. Personal data.
        digest: SHA-256 of what is signed; without the document it says nothing.
    """

    reference: str
    document: Mapping[str, Any] = field(repr=False)
    digest: str

    @property
    def body(self) -> bytes:
        """The document as bytes."""
        return payload_of(self.document)


def write(notice: RecipientNotice) -> Message:
    """
    Open who a notice is about, and write what is sent.

    Raises:
        KeysLost: The key of the notice is gone.
        KeysDestroyed: It can't be opened with today's secrets.
    """
    settings, person = conf.load(), _opened(notice)
    said = {
        "schema": SCHEMA,
        "notice": notice.reference,
        "kind": notice.kind,
        "recipient": notice.recipient,
        "request": notice.cause,
        "project": settings.project,
        "environment": settings.environment,
        "at": notice.entered_at.isoformat(),
        "person": {name: person[name] for name in ("key", "values", "salt")},
    }
    payload = payload_of(said)
    digest = hashlib.sha256(payload).hexdigest()
    proof = {
        "digest": digest,
        "signature": signing.sign(payload, purpose=SCHEMA),
        "public_key": signing.public_key(),
    }
    return Message(reference=notice.reference, document={**said, "signed": proof}, digest=digest)


def keys_of(notice: RecipientNotice) -> SubjectKeys | None:
    """
    Open all keys of the person, by which stores are asked whether the recipient got data of them.

    Returns:
        None where that was asked when the notice was entered.

    Raises:
        KeysLost, KeysDestroyed: As for :func:`write`.
    """
    kept = _opened(notice).get("keys")
    return None if kept is None else SubjectKeys.from_json(kept)


def _opened(notice: RecipientNotice) -> Mapping[str, Any]:
    key = request_keys.ring([notice.reference]).key(notice.reference)
    try:
        read: Mapping[str, Any] = json.loads(request_keys.unseal(bytes(notice.sealed_person or b""), key))
    except InvalidToken as exc:
        raise KeysDestroyed(
            say(
                "What notice {reference} has sealed was not sealed with its own key.",
                reference=notice.reference,
            ),
            hint="Tell the recipient by hand, and note it in the admin.",
        ) from exc
    return read
