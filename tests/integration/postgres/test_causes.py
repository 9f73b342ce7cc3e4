"""
What ended a statement of a step: each cause its own sentence and next move, for Django and for Alembic.

A lock that others hold is no end: see test_patience.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from accord.errors import AccordError, StepFailed, StoreUnavailable
from accord.testing import make_lease
from tests.conformance.harness_alembic import AlembicHarness
from tests.conformance.harness_relational import DocumentsHarness, RelationalHarness

pytestmark = pytest.mark.integration
AnyHarness = RelationalHarness | AlembicHarness
DJANGO = """import time
from django.db import migrations

def act(apps, editor):
    {body}

class Migration(migrations.Migration):
    operations = [migrations.RunPython(act, migrations.RunPython.noop)]
"""
ALEMBIC = """import time
from alembic import op
revision, down_revision = "0000_cause", None
def upgrade() -> None:
    {body}
"""
SORT = "SELECT count(*) FROM (SELECT g FROM generate_series(1, 200000) g ORDER BY random()) AS s"
ENDED = StoreUnavailable
CAUSES: Mapping[str, tuple[list[str], type[AccordError], str, str]] = {
    "rights": (
        ["SET LOCAL ROLE pg_monitor", "CREATE TABLE public.refused (id int)"],
        StepFailed, "doesn't give us a right", "Grant it",
    ),
    "time": (
        ["SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(5)"],
        StepFailed, "took longer than allowed", "statement_timeout",
    ),
    "full": (
        ["SET LOCAL work_mem = '64kB'", "SET LOCAL temp_file_limit = '64kB'", SORT],
        StepFailed, "a limit of its own configuration", "let it do less",
    ),
    "read-only": (
        ["SET LOCAL transaction_read_only = on", "CREATE TABLE refused (id int)"],
        StepFailed, "takes no writes", "at the primary",
    ),
    "killed": (
        ["SELECT pg_terminate_backend(pg_backend_pid())"],
        ENDED, "ended our connection", "its log",
    ),
    # The server's last words may be lost on their way, when nobody waits for them.
    "idle": (
        ["SET LOCAL idle_in_transaction_session_timeout = '50ms'", "", "SELECT 1"],
        ENDED, "ended our connection", "idle",
    ),
    "words": (["frobnicate the table"], StepFailed, "frobnicate", "Correct the"),
    "data": (
        ["SELECT CAST('jane@example.com' AS int)"],
        StepFailed, "InvalidTextRepresentation", "Correct the",
    ),
}  # fmt: skip
"""Statements (an empty one waits), the error, and words of its message and of its hint."""


@pytest.fixture(params=["relational_harness", "alembic_harness"])
def harness(request: pytest.FixtureRequest) -> AnyHarness:
    """Give a store of each kind."""
    found: AnyHarness = request.getfixturevalue(request.param)
    for name in found.step_names:
        found.remove(name)
    return found


def test_each_cause_has_its_own_sentence_and_next_move(harness: AnyHarness) -> None:
    """Rights, time, a quota, a server that takes no writes, ended sessions; words, and no data."""
    text, call = (
        (DJANGO, "editor.execute") if isinstance(harness, RelationalHarness) else (ALEMBIC, "op.execute")
    )
    for name, (statements, kind, says, hint) in CAUSES.items():
        body = "; ".join(f"{call}({each!r})" if each else "time.sleep(0.2)" for each in statements)
        harness.write_revision("0000_cause", text.format(body=body))

        with pytest.raises(AccordError) as caught:
            harness.store().apply(harness.step("0000_cause"), make_lease())

        found = caught.value
        assert type(found) is kind, (name, found)
        assert says in found.message, (name, found)
        assert hint in found.hint, (name, found.hint)
        assert "jane" not in found.message


def test_djangos_mongodb_says_it_of_its_own_limits(documents_harness: DocumentsHarness) -> None:
    """A command that the server ends is no fault of the migration there either."""
    body = """database = editor.connection.database
    database.slow.insert_one({"name": "jane"})
    database.command({"count": "slow", "query": {"$where": "sleep(100) || true"}, "maxTimeMS": 20})"""
    documents_harness.write_revision("0004_cause", DJANGO.format(body=body))
    began = time.monotonic()

    with pytest.raises(StepFailed, match="longer than maxTimeMS allows") as caught:
        documents_harness.store().apply(documents_harness.step("0004_cause"), make_lease())

    assert "Raise maxTimeMS" in caught.value.hint
    assert "jane" not in caught.value.message
    assert time.monotonic() - began < 60
