"""Of tombstones, legal holds and attestations only that changes which acts of the suite change."""

from __future__ import annotations

import psycopg2
import pytest

from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

ROWS = (
    """INSERT INTO accord_tombstone (kind, tag, key_id, fenced_at)
    VALUES ('shop.person', repeat('a', 64), repeat('b', 16), now())""",
    """INSERT INTO gdpr_legalhold
    (reference, subject_kind, subject_tag, entry, reason, placed_by_id, placed_at, review_at)
    VALUES (repeat('c', 32), 'shop.Person', 'tag', '', '17(3)(e)', 1, now(), now())""",
    """INSERT INTO migrator_attestation
    (reference, environment, run_id, content, document, signer, made_at, kept_at)
    VALUES (repeat('d', 32), 'staging', '', repeat('e', 64), '{}', 'self', now(), now())""",
)
ACTS = (
    "UPDATE accord_tombstone SET erased_at = now()",
    "UPDATE gdpr_legalhold SET released_at = now(), released_by_id = 2",
    "UPDATE migrator_attestation SET run_id = '7', signer = 'other', document = '{}', made_at = now()",
)


@pytest.fixture
def kept(trail: Trail) -> Trail:
    """Give a database with one row of each."""
    trail.with_tables("gdpr", "migrator")
    trail.sql(*ROWS)
    return trail


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accord_tombstone SET tag = repeat('0', 64)",
        "UPDATE accord_tombstone SET fenced_at = now() - interval '1 day'",
        "UPDATE accord_tombstone SET kind = 'shop.other', erased_at = now()",
        "DELETE FROM accord_tombstone",
        "UPDATE gdpr_legalhold SET subject_tag = 'another'",
        "UPDATE gdpr_legalhold SET reason = '17(3)(b)', released_at = now(), released_by_id = 2",
        "UPDATE gdpr_legalhold SET placed_by_id = 3",
        "UPDATE gdpr_legalhold SET entry = 'one'",
        "DELETE FROM gdpr_legalhold",
        "UPDATE migrator_attestation SET environment = 'production'",
        "UPDATE migrator_attestation SET content = repeat('0', 64)",
        "UPDATE migrator_attestation SET reference = repeat('0', 32)",
        "DELETE FROM migrator_attestation",
    ],
)
def test_what_no_act_changes_is_refused(kept: Trail, statement: str) -> None:
    """By the table's owner as well, while the triggers stand."""
    with pytest.raises(psycopg2.errors.RestrictViolation):
        kept.sql(statement)


def test_what_acts_change_can_be_changed_and_an_end_stays(kept: Trail) -> None:
    """An erasure is complete once, a hold is released once; the same words may be signed anew."""
    kept.sql(*ACTS)

    for again in (
        "UPDATE accord_tombstone SET erased_at = NULL",
        "UPDATE gdpr_legalhold SET released_at = NULL",
    ):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            kept.sql(again)
    kept.sql(ACTS[2])
