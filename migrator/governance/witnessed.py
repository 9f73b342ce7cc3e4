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
_YESES = Witnessed(
    what="yes to a plan",
    tables=("migrator_planyes", "migrator_planapproval"),
    rows="""
        SELECT asked.reference, 'approval.granted' AS event, given.digest
        FROM migrator_planyes AS given JOIN migrator_planapproval AS asked ON asked.id = given.approval_id
        UNION ALL SELECT asked.reference, 'approval.revoked', given.digest
        FROM migrator_planyes AS given JOIN migrator_planapproval AS asked ON asked.id = given.approval_id
        WHERE given.revoked_at IS NOT NULL
    """,
    events=(E.APPROVAL_REVOKED,),
    each=True,
)
_BREAKS = Witnessed(
    what="run without approval",
    tables=("migrator_breakglass",),
    rows="""
        SELECT reference, 'policy.break_glass' AS event, digest FROM migrator_breakglass
        UNION ALL SELECT reference, 'policy.reviewed', digest FROM migrator_breakglass
        WHERE reviewed_at IS NOT NULL
    """,
    events=(E.BREAK_GLASS, E.BREAK_GLASS_REVIEWED),
    each=True,
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
EVIDENCE = (_APPROVALS, _YESES, _BREAKS, _ATTESTATIONS)
