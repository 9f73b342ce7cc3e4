"""What triggers say that keep marks, seals and tombstones; :mod:`accord.guards` installs them."""

from __future__ import annotations

MARK = """
BEGIN
    IF TG_OP = 'INSERT' AND NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM accord_trailmark) THEN
        RAISE EXCEPTION 'Mark % of the audit trail does not follow the last one.', NEW.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.reach < OLD.reach
        OR to_jsonb(NEW) - 'reach' - 'reach_of' IS DISTINCT FROM to_jsonb(OLD) - 'reach' - 'reach_of') THEN
        RAISE EXCEPTION 'A mark of the audit trail stays as it is.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

SEAL = """
BEGIN
    IF NEW.last <> (SELECT seq FROM accord_auditevent ORDER BY seq DESC LIMIT 1) THEN
        RAISE EXCEPTION 'Only the newest event is sealed, and % is not.', NEW.last
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""

TOMBSTONE = """
BEGIN
    IF OLD.erased_at IS NOT NULL
        OR to_jsonb(NEW) - 'erased_at' IS DISTINCT FROM to_jsonb(OLD) - 'erased_at' THEN
        RAISE EXCEPTION 'A tombstone stays: only that the erasure is complete can be added, once.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
"""
