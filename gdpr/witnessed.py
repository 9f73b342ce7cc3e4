"""Which evidence of erasures and consent an event of the audit trail tells of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from accord.audit.crosscheck import Witnessed
from accord.audit.events import EventKind as E


def _forged_consents(alias: str) -> Iterator[str]:
    """Yield consents whose facts are not those of their hash."""
    from gdpr.consent.chain import is_genuine
    from gdpr.models import ConsentEvent

    rows = ConsentEvent.objects.using(alias).select_related("notice").order_by("pk")
    yield from (str(one.reference) for one in rows.iterator(_PAGE) if not is_genuine(one))


def _forged_receipts(alias: str) -> Iterator[str]:
    """Yield receipts whose document is not that of their digest."""
    from gdpr.erasure.receipts import payload_of
    from gdpr.models import Receipt

    for one in Receipt.objects.using(alias).order_by("pk").iterator(_PAGE):
        if hashlib.sha256(payload_of(one.document)).hexdigest() != one.digest:
            yield str(one.reference)


_PAGE = 1000
_CONSENTS = Witnessed(
    what="consent",
    tables=("gdpr_consentevent",),
    rows="SELECT reference, 'consent.' || type AS event, hash AS digest FROM gdpr_consentevent",
    events=(E.CONSENT_GIVEN, E.CONSENT_REFUSED, E.CONSENT_WITHDRAWN, E.CONSENT_RENEWED, E.CONSENT_EXPIRED),
    forged=_forged_consents,
)
_RECEIPTS = Witnessed(
    what="receipt",
    tables=("gdpr_receipt",),
    rows="SELECT reference, 'receipt.issued' AS event, digest FROM gdpr_receipt",
    events=(E.RECEIPT_ISSUED,),
    forged=_forged_receipts,
)
# Who decided is compared where a decision counts: gdpr.erasure.flaws.
_DECISIONS = Witnessed(
    what="decision about a request",
    tables=("gdpr_approval", "gdpr_erasurerequest"),
    rows="""
        SELECT request.reference, 'erasure.' || approval.decision AS event, approval.plan_digest AS digest
        FROM gdpr_approval AS approval JOIN gdpr_erasurerequest AS request ON request.id = approval.request_id
    """,
    events=(E.ERASURE_APPROVED, E.ERASURE_REJECTED, E.ERASURE_REVOKED),
    each=True,
)
_HOLDS = Witnessed(
    what="legal hold",
    tables=("gdpr_legalhold",),
    rows="""
        SELECT reference, 'hold.placed' AS event, NULL AS digest FROM gdpr_legalhold
        UNION ALL SELECT reference, 'hold.released', NULL FROM gdpr_legalhold WHERE released_at IS NOT NULL
    """,
    events=(E.HOLD_PLACED, E.HOLD_RELEASED),
    each=True,
)
_RESTRICTIONS = Witnessed(
    what="restriction of processing",
    tables=("gdpr_restriction",),
    rows="""
        SELECT reference, 'subject.restricted' AS event, NULL AS digest FROM gdpr_restriction
        UNION ALL SELECT reference, 'subject.released', NULL FROM gdpr_restriction WHERE lifted_at IS NOT NULL
    """,
    events=(E.SUBJECT_RESTRICTED, E.SUBJECT_RELEASED),
    each=True,
)
_NOTICES = Witnessed(
    what="notice to a recipient",
    tables=("gdpr_recipientnotice",),
    rows="""
        SELECT reference, 'recipient.notified' AS event, NULLIF(digest, '') AS digest
        FROM gdpr_recipientnotice WHERE state = 'informed'
    """,
    events=(E.RECIPIENT_NOTIFIED,),
)
_STATES = {
    "approved": E.ERASURE_APPROVED,
    "rejected": E.ERASURE_REJECTED,
    "cancelled": E.ERASURE_CANCELLED,
    "completed": E.ERASURE_COMPLETED,
    "completed_with_retention": E.ERASURE_COMPLETED,
}
"""States that an event leads to, and nothing else."""
_REQUESTS = Witnessed(
    what="erasure request",
    tables=("gdpr_erasurerequest",),
    rows=f"""
        SELECT reference, CASE WHEN state = 'duplicate' THEN 'erasure.duplicate' ELSE 'erasure.received' END
            AS event, NULL AS digest FROM gdpr_erasurerequest
        UNION ALL SELECT reference, reached.event, NULL FROM gdpr_erasurerequest
        JOIN (VALUES {", ".join(f"('{state}', '{event.value}')" for state, event in _STATES.items())})
            AS reached (state, event) USING (state)
        UNION ALL SELECT reference, 'erasure.fenced', NULL FROM gdpr_erasurerequest
        WHERE fenced_at IS NOT NULL
    """,  # noqa: S608 - constants
    events=(E.ERASURE_RECEIVED, E.ERASURE_DUPLICATE),
)
_RIGHTS = Witnessed(
    what="request of a right",
    tables=("gdpr_rightsrequest",),
    rows="""
        SELECT reference, 'right.received' AS event, NULL AS digest FROM gdpr_rightsrequest
        UNION ALL SELECT reference, 'right.' || state, NULL FROM gdpr_rightsrequest
        WHERE state IN ('answered', 'refused', 'withdrawn')
    """,
    events=(E.RIGHT_RECEIVED, E.RIGHT_ANSWERED, E.RIGHT_REFUSED, E.RIGHT_WITHDRAWN),
    each=True,
)
# A tombstone names nobody: it is found by the tag of the request that raised it.
_TOMBSTONES = Witnessed(
    what="tombstone",
    tables=("gdpr_erasurerequest", "accord_tombstone"),
    rows="""
        SELECT request.reference, 'erasure.fenced' AS event, NULL AS digest
        FROM gdpr_erasurerequest AS request JOIN accord_tombstone AS stone
            ON stone.kind = split_part(request.subject_tag, '/', 1)
            AND stone.tag = split_part(request.subject_tag, '/', 3)
        WHERE request.fenced_at IS NOT NULL
    """,
    events=(E.ERASURE_FENCED,),
)
_RETENTION_PLANS = Witnessed(
    what="plan of retention",
    tables=("gdpr_retentionplan",),
    rows="""
        SELECT reference, 'retention.planned' AS event, digest FROM gdpr_retentionplan
        UNION ALL SELECT reference, 'retention.approved', digest FROM gdpr_retentionplan
        WHERE decided_by_id IS NOT NULL AND state <> 'rejected'
        UNION ALL SELECT reference, 'retention.' || CASE state WHEN 'void' THEN 'voided' ELSE state END,
        digest FROM gdpr_retentionplan WHERE state IN ('rejected', 'void', 'done')
    """,
    events=(
        *(E.RETENTION_PLANNED, E.RETENTION_APPROVED, E.RETENTION_REJECTED),
        *(E.RETENTION_VOIDED, E.RETENTION_DONE),
    ),
    each=True,
)
EVIDENCE = (
    *(_CONSENTS, _RECEIPTS, _DECISIONS, _HOLDS, _NOTICES),
    *(_RESTRICTIONS, _RETENTION_PLANS, _REQUESTS, _RIGHTS, _TOMBSTONES),
)
