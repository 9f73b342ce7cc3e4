"""
Receipts of consent: what a person agreed to, for that person to keep, in the shape of ISO/IEC TS 27560.

The sections and names are those of its consent record and receipt; what a project doesn't tell the
register (addresses of the controller, recipients, retention) is left out rather than made up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accord import clock, conf
from accord.secrets import signing
from accord.wording import say
from gdpr.consent import register
from gdpr.consent.register import Someone
from gdpr.errors import ConsentRefused
from gdpr.fields import random_reference
from gdpr.models import ConsentEvent

SCHEMA = "accord.consent.receipt/1"
_SHAPE = "ISO/IEC TS 27560:2023"


def issue(who: Someone, purpose: str) -> Mapping[str, Any]:
    """
    Write and sign the receipt of a person's consent to a purpose. Nothing is recorded by that.

    Args:
        who: The person.
        purpose: What they were asked about.

    Returns:
        The receipt (`accord.consent.receipt/1`), with what proves it under `signed`. It names no person.

    Raises:
        ConsentRefused: The person was never asked about it.
    """
    events = [event for event in register.history(who) if event.purpose == purpose]
    if not events:
        raise ConsentRefused(
            say("Nothing is on record of this person and “{purpose}”.", purpose=purpose),
            hint="GET consent-notices/ lists purposes.",
        )
    document = _document(who, events)
    payload = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    proof = {
        "digest": hashlib.sha256(payload).hexdigest(),
        "signature": signing.sign(payload, purpose=SCHEMA),
        "public_key": signing.public_key(),
    }
    return {**document, "signed": proof}


def _document(who: Someone, events: Sequence[ConsentEvent]) -> dict[str, Any]:
    newest = events[-1]
    return {
        "schema": SCHEMA,
        "schema_version": _SHAPE,
        "receipt_id": random_reference(),
        "receipt_timestamp": _iso(clock.now()),
        "record_id": newest.reference,
        "pii_principal_kind": who.kind,
        "processing": _processing(newest),
        "party_identification": {"pii_controller": conf.load().project},
        "events": [_event(event) for event in events],
        "granted": register.is_granted(who, newest.purpose),
        "intact": register.verify_history(who),
    }


def _processing(newest: ConsentEvent) -> dict[str, Any]:
    notice = newest.notice
    return {
        "purpose": newest.purpose,
        "lawful_basis": "explicit consent, Art. 9(2)(a)" if newest.explicit else "consent, Art. 6(1)(a)",
        "language": notice.language,
        "privacy_notice": {"version": notice.version, "text": notice.text, "sha256": notice.text_hash},
        "collection_method": newest.method,
        "collection_channel": newest.channel,
    }


def _event(event: ConsentEvent) -> dict[str, Any]:
    return {
        "event_id": event.reference,
        "event_time": _iso(event.at),
        "event_type": "explicit" if event.explicit else "expressed",
        "event_state": event.type,
        "valid_until": _iso(event.valid_until),
        "entity": event.given_by,
        "notice_version": event.notice.version,
        "hash": event.hash,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
