"""
What PostgreSQL itself holds against changing evidence: requests, plans, decisions, receipts, consent.

Like those of the audit trail, the triggers keep programs, administrators and mistakes out.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.base import BaseDatabaseWrapper

from accord.guards import Guards, against_emptying

_REFUSE = """
BEGIN
    RAISE EXCEPTION '% of % is refused: it is only ever added to.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END;
"""

_REQUEST = """
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An erasure request is evidence: DELETE is refused.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'Request % is closed and can''t be changed.', OLD.reference
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.reference, NEW.subject_kind, NEW.subject_tag, NEW.received_at, NEW.channel)
        IS DISTINCT FROM (OLD.reference, OLD.subject_kind, OLD.subject_tag, OLD.received_at, OLD.channel)
        OR NEW.filed_by_id IS DISTINCT FROM OLD.filed_by_id THEN
        RAISE EXCEPTION 'Who request % is about, who filed it and when can''t be changed.', OLD.reference
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_STEP = """
BEGIN
    IF TG_OP = 'DELETE' OR EXISTS (
        SELECT 1 FROM gdpr_erasurerequest WHERE id = OLD.request_id AND closed_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'Steps of an erasure are evidence: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_DECISION = """
BEGIN
    IF TG_OP = 'DELETE' OR OLD.voided_at IS NOT NULL
        OR to_jsonb(NEW) - 'voided_at' IS DISTINCT FROM to_jsonb(OLD) - 'voided_at' THEN
        RAISE EXCEPTION 'A decision can only become void: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_TABLES = {
    "gdpr_erasurerequest": "gdpr_guard_request",
    "gdpr_erasurestep": "gdpr_guard_step",
    "gdpr_approval": "gdpr_guard_decision",
    "gdpr_erasureplan": "gdpr_refuse_change",
    "gdpr_receipt": "gdpr_refuse_change",
    "gdpr_consentnotice": "gdpr_refuse_change",
    "gdpr_consentevent": "gdpr_refuse_change",
}
DECISIONS = Guards(
    functions={
        "gdpr_refuse_change": _REFUSE,
        "gdpr_guard_request": _REQUEST,
        "gdpr_guard_step": _STEP,
        "gdpr_guard_decision": _DECISION,
    },
    tables={f"{table}_guard": table for table in _TABLES},
    triggers=[
        f"CREATE OR REPLACE TRIGGER {table}_guard BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        for table, function in _TABLES.items()
    ],
)

_MARK = """
BEGIN
    IF NEW.register = OLD.register AND NEW.position < OLD.position THEN
        RAISE EXCEPTION 'The register of erasures goes on to entry %: its mark can''t go back.', OLD.position
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_HOLD = """
BEGIN
    IF OLD.released_at IS NOT NULL
        OR to_jsonb(NEW) - 'released_at' - 'released_by_id'
            IS DISTINCT FROM to_jsonb(OLD) - 'released_at' - 'released_by_id' THEN
        RAISE EXCEPTION 'A legal hold stays as it was placed, and can be released once.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

HOLDS = Guards(
    functions={"gdpr_guard_hold": _HOLD},
    tables={"gdpr_legalhold_guard": "gdpr_legalhold"},
    triggers=[
        """CREATE TRIGGER gdpr_legalhold_guard BEFORE UPDATE ON gdpr_legalhold
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_hold()""",
    ],
)
_RIGHT = """
BEGIN
    IF OLD.closed_at IS NOT NULL
        OR to_jsonb(NEW) - ARRAY['state', 'sealed_keys', 'taken_by_id', 'answered_by_id', 'refusal_ground',
            'sealed_note', 'closed_at']
            IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'sealed_keys', 'taken_by_id', 'answered_by_id',
            'refusal_ground', 'sealed_note', 'closed_at'] THEN
        RAISE EXCEPTION 'A request of a right stays as it came in, and is answered once.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

RIGHTS = Guards(
    functions={"gdpr_guard_right": _RIGHT},
    tables={"gdpr_rightsrequest_guard": "gdpr_rightsrequest"},
    triggers=[
        """CREATE TRIGGER gdpr_rightsrequest_guard BEFORE UPDATE ON gdpr_rightsrequest
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_right()""",
    ],
) + against_emptying("gdpr_rights", (), rows_stay=("gdpr_rightsrequest",))
EMPTYING = against_emptying("gdpr", _TABLES, rows_stay=("gdpr_legalhold",))
REGISTER = Guards(
    functions={"gdpr_guard_mark": _MARK},
    tables={"gdpr_registermark_guard": "gdpr_registermark"},
    triggers=[
        (
            "CREATE OR REPLACE TRIGGER gdpr_registermark_guard BEFORE UPDATE ON gdpr_registermark "
            "FOR EACH ROW EXECUTE FUNCTION gdpr_guard_mark()"
        )
    ],
) + against_emptying("gdpr_register", (), rows_stay=("gdpr_registermark",))

_NOTICE = """
BEGIN
    IF OLD.state = 'informed'
        OR (NEW.reference, NEW.kind, NEW.cause, NEW.recipient, NEW.entered_at)
            IS DISTINCT FROM (OLD.reference, OLD.kind, OLD.cause, OLD.recipient, OLD.entered_at)
        OR (NEW.sealed_person IS NOT NULL AND NEW.sealed_person IS DISTINCT FROM OLD.sealed_person) THEN
        RAISE EXCEPTION 'Who has to be told of what can''t be changed, and who was told stays told.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

NOTICES = Guards(
    functions={"gdpr_guard_notice": _NOTICE},
    tables={"gdpr_recipientnotice_guard": "gdpr_recipientnotice"},
    triggers=[
        """CREATE TRIGGER gdpr_recipientnotice_guard BEFORE UPDATE ON gdpr_recipientnotice
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_notice()""",
    ],
) + against_emptying("gdpr_notice", (), rows_stay=("gdpr_recipientnotice",))

_RESTRICTION = """
BEGIN
    IF OLD.lifted_at IS NOT NULL
        OR to_jsonb(NEW) - 'told_at' - 'lifted_at' - 'lifted_by_id'
            IS DISTINCT FROM to_jsonb(OLD) - 'told_at' - 'lifted_at' - 'lifted_by_id' THEN
        RAISE EXCEPTION 'A restriction stays as it was put on record, and can be lifted once.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

RESTRICTIONS = Guards(
    functions={"gdpr_guard_restriction": _RESTRICTION},
    tables={"gdpr_restriction_guard": "gdpr_restriction"},
    triggers=[
        """CREATE TRIGGER gdpr_restriction_guard BEFORE UPDATE ON gdpr_restriction
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_restriction()""",
    ],
) + against_emptying("gdpr_restriction", (), rows_stay=("gdpr_restriction",))

_RETENTION_PLAN = """
BEGIN
    IF OLD.ended_at IS NOT NULL
        OR (OLD.decided_by_id IS NOT NULL AND (NEW.expires_at > OLD.expires_at
            OR NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id))
        OR to_jsonb(NEW) - ARRAY['state', 'decided_by_id', 'decided_at', 'sealed_reason', 'expires_at',
            'ended_at']
            IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'decided_by_id', 'decided_at', 'sealed_reason',
            'expires_at', 'ended_at'] THEN
        RAISE EXCEPTION 'A plan of retention stays as it was made, and is decided about once.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

RETENTION_PLANS = Guards(
    functions={"gdpr_guard_retention_plan": _RETENTION_PLAN},
    tables={"gdpr_retentionplan_guard": "gdpr_retentionplan"},
    triggers=[
        """CREATE TRIGGER gdpr_retentionplan_guard BEFORE UPDATE ON gdpr_retentionplan
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_retention_plan()""",
    ],
) + against_emptying("gdpr_retentionplan", (), rows_stay=("gdpr_retentionplan",))

_RETENTION_RUN = """
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.changed <> 0 OR NEW.finished_at IS NOT NULL) THEN
        RAISE EXCEPTION 'A run of retention begins with nothing done.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.finished_at IS NOT NULL OR NEW.changed < OLD.changed
        OR to_jsonb(NEW) - ARRAY['state', 'changed', 'held', 'trouble', 'finished_at']
            IS DISTINCT FROM to_jsonb(OLD) - ARRAY['state', 'changed', 'held', 'trouble', 'finished_at']) THEN
        RAISE EXCEPTION 'What a run of retention let go stays on record.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

# How much of a plan is left is counted from its runs.
RETENTION_RUNS = Guards(
    functions={"gdpr_guard_retention_run": _RETENTION_RUN},
    tables={"gdpr_retentionrun_guard": "gdpr_retentionrun"},
    triggers=[
        """CREATE TRIGGER gdpr_retentionrun_guard BEFORE INSERT OR UPDATE ON gdpr_retentionrun
    FOR EACH ROW EXECUTE FUNCTION gdpr_guard_retention_run()""",
    ],
) + against_emptying("gdpr_retentionrun", (), rows_stay=("gdpr_retentionrun",))
_OF_RETENTION = RETENTION_PLANS + RETENTION_RUNS
EVIDENCE = DECISIONS + EMPTYING + REGISTER + HOLDS + RIGHTS + NOTICES + RESTRICTIONS + _OF_RETENTION


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers. Nothing happens on a database that doesn't hold these tables."""
    _execute(connection, DECISIONS.install)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, for a migration that goes back."""
    _execute(connection, DECISIONS.remove)


def _execute(connection: BaseDatabaseWrapper, statements: Sequence[str]) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
