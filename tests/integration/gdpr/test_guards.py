"""The triggers that protect evidence: each way in which one no longer stands shows."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connections

from gdpr.guards import EVIDENCE
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration


def test_trigger_that_no_longer_stands_is_named(trail: Trail) -> None:
    """Dropped, disabled, or calling another text; all stand after the migrations."""
    call_command("migrate", "gdpr", database=trail.alias, verbosity=0, skip_checks=True)
    connection = connections[trail.alias]
    assert EVIDENCE.missing(connection) == []

    trail.sql(
        "DROP TRIGGER gdpr_receipt_guard ON gdpr_receipt",
        "ALTER TABLE gdpr_approval DISABLE TRIGGER gdpr_approval_guard",
        "CREATE OR REPLACE FUNCTION gdpr_guard_step() RETURNS trigger LANGUAGE plpgsql "
        "AS $$BEGIN RETURN NEW; END$$",
    )

    assert EVIDENCE.missing(connection) == [
        "gdpr_approval_guard",
        "gdpr_erasurestep_guard",
        "gdpr_receipt_guard",
    ]
