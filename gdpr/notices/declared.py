"""Who gets data by the data map, and how many notices to each wait, are taken, or need a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from gdpr.datamap.map import load_data_map
from gdpr.datamap.recipients import Recipient
from gdpr.models import RecipientNotice
from gdpr.states import NoticeState


@dataclass(frozen=True, kw_only=True)
class Declared:
    """
    A recipient, and where its notices stand.

    Attributes:
        recipient: As the data map declares it.
        counts: Notices by their state; 0 for none.
    """

    recipient: Recipient
    counts: Mapping[str, int]

    @property
    def entries(self) -> str:
        """Name the entries whose data it got."""
        return ", ".join(self.recipient.of)


def recipients() -> Sequence[Declared]:
    """
    Return the recipients that the data map declares. One query, however many there are.

    Raises:
        InvalidDataMap: It can't be read.
    """
    rows = RecipientNotice.objects.order_by().values_list("recipient", "state").annotate(Count("pk"))
    known = {(recipient, state): count for recipient, state, count in rows}
    return [
        Declared(
            recipient=one,
            counts={state: known.get((one.id, state), 0) for state in NoticeState.values},
        )
        for one in load_data_map().recipients
    ]
