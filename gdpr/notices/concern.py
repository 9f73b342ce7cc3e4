"""Whether a recipient got data of a person: asked of the stores when a notice is to be sent."""

from __future__ import annotations

from gdpr.datamap.recipients import Recipient
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure import planning
from gdpr.stores.base import opened_stores


def got_data(recipient: Recipient, keys: SubjectKeys) -> bool:
    """
    Return whether an entry whose data a recipient gets holds something of a person.

    Raises:
        StoreError: A store can't be asked.
    """
    with opened_stores() as stores:
        [found] = planning.draft({0: keys}, stores, None).values()
    return any(line["entry"] in recipient.of and (line["found"] or line["keep"]) for line in found["entries"])
