"""What PostgreSQL itself holds against changing an approval; migrations 0002 and 0009 install it."""

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
# A yes that is taken back lets the request wait again: the one change of state that 0002 didn't know.
_AGAIN = _GUARD.replace("('approved', 'used'),", "('approved', 'used'), ('approved', 'requested'),")
_YES = """
BEGIN
    IF TG_OP = 'DELETE' OR OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL
        OR (NEW.id, NEW.approval_id, NEW.digest, NEW.account_ref, NEW.account_key, NEW.reason, NEW.given_at)
        IS DISTINCT FROM
        (OLD.id, OLD.approval_id, OLD.digest, OLD.account_ref, OLD.account_key, OLD.reason, OLD.given_at) THEN
        RAISE EXCEPTION 'A yes to a plan can only be taken back, once: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""
_YES_TABLE = "migrator_planyes"
WAITED_NEVER_AGAIN = Guards(functions={_NAME: _GUARD}, tables={}, triggers=[])
"""The function of migration 0002, for the way back."""
WAITS_AGAIN = Guards(functions={_NAME: _AGAIN}, tables={}, triggers=[])
YESES = Guards(
    functions={"migrator_guard_yes": _YES},
    tables={"migrator_planyes_guard": _YES_TABLE},
    triggers=[
        f"""CREATE TRIGGER migrator_planyes_guard BEFORE UPDATE OR DELETE ON {_YES_TABLE}
    FOR EACH ROW EXECUTE FUNCTION migrator_guard_yes()""",
    ],
) + against_emptying("migrator_yes", (_YES_TABLE,))
_BREAK = """
BEGIN
    IF TG_OP = 'DELETE' OR OLD.reviewed_at IS NOT NULL OR NEW.reviewed_at IS NULL
        OR to_jsonb(NEW) - 'reviewed_at' - 'reviewer_ref' - 'reviewer_key' - 'review_reason'
        IS DISTINCT FROM
        to_jsonb(OLD) - 'reviewed_at' - 'reviewer_ref' - 'reviewer_key' - 'review_reason' THEN
        RAISE EXCEPTION 'A run without approval can only be reviewed, once: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""
_BREAKS = "migrator_breakglass"
BREAKS = Guards(
    functions={"migrator_guard_break": _BREAK},
    tables={"migrator_breakglass_guard": _BREAKS},
    triggers=[
        f"""CREATE TRIGGER migrator_breakglass_guard BEFORE UPDATE OR DELETE ON {_BREAKS}
    FOR EACH ROW EXECUTE FUNCTION migrator_guard_break()""",
    ],
) + against_emptying("migrator_break", (_BREAKS,))
EMPTYING = against_emptying("migrator", (_TABLE, "migrator_attestation"))
EVIDENCE = PLAN_APPROVALS + EMPTYING + ATTESTATIONS + WAITS_AGAIN + YESES + BREAKS
# Django's stubs want lists that may hold parameters, too, and a list of one type is no list of two.
INSTALL: list[Any] = PLAN_APPROVALS.install
REMOVE: list[Any] = PLAN_APPROVALS.remove
