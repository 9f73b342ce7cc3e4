"""A decision counts when the audit trail holds it and its account can still act; a row in a table is none."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

FORGED = """
INSERT INTO gdpr_approval
    (request_id, plan_digest, decision, filed_by_id, decided_by_id, decided_at, expires_at)
SELECT id, plan_digest, 'approved', filed_by_id, {by}, now(), now() + interval '1 day'
FROM gdpr_erasurerequest WHERE reference = '{reference}';
UPDATE gdpr_erasurerequest
SET state = 'approved', approved_by_id = {by}, approval_expires_at = now() + interval '1 day'
WHERE reference = '{reference}'
"""
APPROVER = "SELECT id FROM auth_user WHERE username = 'approver'"


@pytest.mark.parametrize(
    ("by", "said"),
    [(f"({APPROVER})", "the audit trail does not know"), ("99999", "is gone or not active")],
    ids=["somebody", "nobody"],
)
def test_approval_that_was_written_by_hand_erases_nothing(erasing: Erasing, by: str, said: str) -> None:
    """The request waits for an approval again, in the command and in cron."""
    reference = erasing.reference("planned(3)")
    erasing.execute(FORGED.format(reference=reference, by=by))
    before = erasing.holdings(3)

    done = erasing.erase("--request", reference)

    assert (done.returncode, "[ACC-826]" in done.stderr, said in done.stderr) == (5, True, True)
    assert erasing.state(reference) == "planned"
    erasing.command("gdpr_process")
    assert (erasing.holdings(3), erasing.state(reference)) == (before, "planned")


def test_approval_of_an_account_that_was_locked_meanwhile_does_not_count(erasing: Erasing) -> None:
    """The account is asked for when the erasure begins, not only when it decided."""
    reference = erasing.reference("approved(4)")
    erasing.execute("UPDATE auth_user SET is_active = false WHERE username = 'approver'")

    done = erasing.erase("--request", reference)
    erasing.execute("UPDATE auth_user SET is_active = true WHERE username = 'approver'")
    again = erasing.erase("--request", reference)

    assert (done.returncode, "is gone or not active" in done.stderr) == (5, True)
    assert again.returncode == 5
    assert erasing.state(reference) == "planned"
