"""Each event of a consent seals the one before it by its hash."""

from __future__ import annotations

from datetime import UTC, tzinfo

from django.utils import timezone

from accord.seam import checksum
from gdpr.models import ConsentEvent
from gdpr.states import GivenBy


def is_genuine(event: ConsentEvent) -> bool:
    """
    Compare an event with its hash.

    Ends of consents were hashed in the zone that they were given in, which the API makes the
    project's own; the moment is the same.
    """
    return event.hash in {hash_of(event), hash_of(event, ends_in=timezone.get_default_timezone())}


def hash_of(event: ConsentEvent, ends_in: tzinfo = UTC) -> str:
    """
    Hash an event's facts and the event before it; moments as UTC, whatever zone a connection has.

    Args:
        event: One that is complete but for its own hash.
        ends_in: The zone in which the end of a consent is written.
    """
    # Named only where somebody else spoke: what was hashed before anybody could keeps its hash.
    spoken = {} if event.given_by == GivenBy.SELF else {"given_by": str(event.given_by)}
    return checksum.digest(
        {
            **spoken,
            "reference": event.reference,
            "kind": event.subject_kind,
            "tag": event.subject_tag,
            "purpose": event.purpose,
            "number": event.number,
            "type": str(event.type),
            "notice": [event.notice.version, event.notice.language, event.notice.text_hash],
            "explicit": event.explicit,
            "method": str(event.method),
            "channel": str(event.channel),
            "at": event.at.astimezone(UTC).isoformat(),
            "valid_until": event.valid_until and event.valid_until.astimezone(ends_in).isoformat(),
            "previous": event.previous_hash,
        }
    )
