"""What PostgreSQL itself holds against changing an approval; migration 0002 installs it."""

from __future__ import annotations

from typing import Any

from accord.guards import Guards, against_emptying

_GUARD = """
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An approval is evidence: it stays.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'requested' OR NEW.approver_ref <> '' THEN
            RAISE EXCEPTION 'An approval begins as a request.' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.reference, NEW.project, NEW.environment, NEW.kind, NEW.direction, NEW.target, NEW.digest,
        NEW.steps, NEW.reason, NEW.requester_ref, NEW.requester_key, NEW.requested_at)
       IS DISTINCT FROM
       (OLD.reference, OLD.project, OLD.environment, OLD.kind, OLD.direction, OLD.target, OLD.digest,
        OLD.steps, OLD.reason, OLD.requester_ref, OLD.requester_key, OLD.requested_at)
       OR NEW.expires_at > OLD.expires_at OR NOT NEW.remaining <@ OLD.remaining THEN
        RAISE EXCEPTION 'What was asked for never changes.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('requested', 'approved'), ('requested', 'rejected'), ('requested', 'expired'),
        ('approved', 'used'), ('approved', 'rejected'), ('approved', 'expired')) THEN
        RAISE EXCEPTION 'An approval that is % never becomes %.', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

_NAME = "migrator_planapproval_guard"
_TABLE = "migrator_planapproval"

PLAN_APPROVALS = Guards(
    functions={_NAME: _GUARD},
    tables={_NAME: _TABLE},
    triggers=[
        f"""CREATE TRIGGER {_NAME} BEFORE INSERT OR UPDATE OR DELETE ON {_TABLE}
    FOR EACH ROW EXECUTE FUNCTION {_NAME}()"""
    ],
)
_ATTESTATION = """
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.reference, NEW.environment, NEW.content, NEW.kept_at)
        IS DISTINCT FROM (OLD.id, OLD.reference, OLD.environment, OLD.content, OLD.kept_at) THEN
        RAISE EXCEPTION 'An attestation is evidence: % of what it says is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

# The same words may be signed anew, by a later run; what they say stays.
ATTESTATIONS = Guards(
    functions={"migrator_guard_attestation": _ATTESTATION},
    tables={"migrator_attestation_guard": "migrator_attestation"},
    triggers=[
        """CREATE TRIGGER migrator_attestation_guard BEFORE UPDATE OR DELETE ON migrator_attestation
    FOR EACH ROW EXECUTE FUNCTION migrator_guard_attestation()""",
    ],
)
EMPTYING = against_emptying("migrator", (_TABLE, "migrator_attestation"))
EVIDENCE = PLAN_APPROVALS + EMPTYING + ATTESTATIONS
# Django's stubs want lists that may hold parameters, too, and a list of one type is no list of two.
INSTALL: list[Any] = PLAN_APPROVALS.install
REMOVE: list[Any] = PLAN_APPROVALS.remove
