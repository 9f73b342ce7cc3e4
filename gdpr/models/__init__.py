"""
What is kept about demands for erasure, and about consent.

No row here names a person. A subject is a keyed tag (:func:`accord.erased.tombstones.tag`); the keys
that find their data are sealed, and destroyed when the request is closed. Staff are kept as
bare numbers without a foreign key in the database, so that evidence outlives accounts.
What must not change any more is guarded by triggers (migration 0001), not by these classes.

One module for each kind: `requests` has plans, approvals and steps with them, `evidence` holds and
receipts, `consents` the texts people agree to, `exports` the files for people, `notices` what recipients are
told, `keys` what opens a request, `register` what binds the register of erasures, `restrictions` whose data
are kept and not used, `rights` requests of other rights; `datamap` has no table.
"""

from __future__ import annotations

from gdpr.models.consents import ConsentEvent, ConsentNotice, ConsentQuerySet
from gdpr.models.datamap import DataMap
from gdpr.models.evidence import LegalHold, Receipt
from gdpr.models.exports import KeptExport
from gdpr.models.keys import RequestKey
from gdpr.models.notices import RecipientNotice
from gdpr.models.register import RegisterMark
from gdpr.models.requests import Approval, ErasurePlan, ErasureRequest, ErasureStep
from gdpr.models.restrictions import Restriction
from gdpr.models.retention import InactiveNotice, RetentionPlan, RetentionRun
from gdpr.models.rights import RightsRequest

__all__ = [
    "Approval",
    "ConsentEvent",
    "ConsentNotice",
    "ConsentQuerySet",
    "DataMap",
    "ErasurePlan",
    "ErasureRequest",
    "ErasureStep",
    "InactiveNotice",
    "KeptExport",
    "LegalHold",
    "Receipt",
    "RecipientNotice",
    "RegisterMark",
    "RequestKey",
    "Restriction",
    "RetentionPlan",
    "RetentionRun",
    "RightsRequest",
]
