"""A run without approval, from the command that starts it to the one that reviews it."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.test_governance import assert_refused, collections, production, with_people
from tests.fix_workshop import Workshop

__all__ = ["production"]
pytestmark = pytest.mark.acceptance

BROKEN = ("migrate_all", "--noinput", "--break-glass", "--as", "ada", "--reason")


def test_emergency_runs_on_record_and_blocks_until_another_person_has_reviewed_it(
    production: Workshop,
) -> None:
    """Refused without a reason; the next run is refused with the command that reviews it; health cries."""
    with_people(production)
    silent = production.run(*BROKEN, "")
    done = production.run(*BROKEN, "the shop is down")
    production.mongo("0003_three", "three", needs="0002_two")
    blocked = production.run("migrate_all", "--noinput")
    [row] = production.answer("migration_approval", "list")["unreviewed"]
    health = production.run("health_check", "--only", "break_glass")
    own = production.run("migration_approval", "review", row["reference"], "--as", "ada", "--reason", "fine")
    review = ("migration_approval", "review", row["reference"][:8], "--as", "ben", "--reason", "read it")
    reviewed = production.run(*review)

    assert_refused(silent, "ACC-100", 2, "reason")
    assert done.returncode == 0, done.stderr
    assert f"on record as {row['reference'][:8]}" in done.stderr
    assert collections(production) == {"one", "two"}
    assert_refused(blocked, "ACC-929", 5, f"migration_approval review {row['reference'][:8]} --as USERNAME")
    assert (row["reason"], health.returncode) == ("the shop is down", 2), json.dumps(row)
    assert_refused(own, "ACC-923", 4, "another person has to review")
    assert reviewed.returncode == 0, reviewed.stderr
    assert_refused(production.run("migrate_all", "--noinput"), "ACC-921", 5, "migration_approval request")
    assert production.run("audit_verify").returncode == 0
