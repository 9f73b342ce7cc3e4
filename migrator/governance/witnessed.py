"""Which evidence of governance an event of the audit trail tells of."""

from __future__ import annotations

from accord.audit.crosscheck import Witnessed
from accord.audit.events import EventKind as E

_APPROVALS = Witnessed(
    what="plan approval",
    tables=("migrator_planapproval",),
    rows="""
        SELECT reference, 'approval.requested' AS event, digest FROM migrator_planapproval
        UNION ALL SELECT reference, 'approval.granted', digest FROM migrator_planapproval
        WHERE state IN ('approved', 'used')
        UNION ALL SELECT reference, 'approval.rejected', digest FROM migrator_planapproval
        WHERE state = 'rejected'
    """,
    events=(E.APPROVAL_REQUESTED, E.APPROVAL_GRANTED, E.APPROVAL_REJECTED, E.APPROVAL_USED),
)
_ATTESTATIONS = Witnessed(
    what="attestation",
    tables=("migrator_attestation", "accord_auditevent"),
    rows="""
        SELECT attestation.reference, coalesce(
            (SELECT event FROM accord_auditevent WHERE object_ref = attestation.reference
             AND event IN ('attestation.written', 'attestation.accepted') LIMIT 1), 'attestation.written'
        ) AS event, attestation.content AS digest FROM migrator_attestation AS attestation
    """,
    events=(E.ATTESTATION_WRITTEN, E.ATTESTATION_ACCEPTED),
)
EVIDENCE = (_APPROVALS, _ATTESTATIONS)
