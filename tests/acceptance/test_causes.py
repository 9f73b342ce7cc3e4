"""A step that a server ends is told with what ended it: each cause its own sentence and next move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

SORT = "SELECT count(*) FROM (SELECT g FROM generate_series(1, 200000) g ORDER BY random()) AS s"
CAUSES: Mapping[str, tuple[list[str], str, str, str]] = {
    "rights": (
        ["SET LOCAL ROLE pg_monitor", "CREATE TABLE public.refused (id int)"],
        "ACC-400", "doesn't give us a right", "Grant it",
    ),
    "time": (
        ["SET LOCAL statement_timeout = '50ms'", "SELECT pg_sleep(5)"],
        "ACC-400", "took longer than allowed", "statement_timeout",
    ),
    "lock": (
        ["SET LOCAL lock_timeout = '50ms'", "LOCK TABLE busy"],
        "ACC-400", "didn't get a lock", "pg_stat_activity",
    ),
    "full": (
        ["SET LOCAL work_mem = '64kB'", "SET LOCAL temp_file_limit = '64kB'", SORT],
        "ACC-400", "a limit of its own configuration", "let it do less",
    ),
    "killed": (
        ["SELECT pg_terminate_backend(pg_backend_pid())"],
        "ACC-601", "ended our connection", "continues where this one was",
    ),
    "words": (["frobnicate the table"], "ACC-400", "frobnicate", "Correct the migration"),
}  # fmt: skip
"""Statements of a migration; then the code, words of the message and words of the hint."""


@pytest.fixture
def stocked(workshop: Workshop) -> Workshop:
    """Give a project with its first migration applied, and a table that another session may lock."""
    workshop.django("0001_first", "Thing")
    assert workshop.run("migrate_all", "--noinput").returncode == 0
    with closing(psycopg2.connect(workshop.variables["DATABASE_URL"])) as connection, connection:
        connection.cursor().execute("CREATE TABLE busy (id int)")
    return workshop


def failure(workshop: Workshop, operation: str) -> dict[str, Any]:
    """Run a second migration that fails, and give its error; the step is named in it."""
    workshop.write(
        "migrations/0002_second.py",
        f"""
        import json
        class Migration(migrations.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [{operation}]
        """,
    )
    done = workshop.run("migrate_all", "--noinput", "--format", "json")
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    found: dict[str, Any] = document["failed"][0] if document.get("failed") else document["error"]
    assert "workshop.0002_second" in found["message"]
    return found


def test_each_cause_has_its_own_sentence_and_next_move(stocked: Workshop) -> None:
    """Rights, a time limit, a lock, a full quota, a killed backend; what the revision says isn't masked."""
    with closing(psycopg2.connect(stocked.variables["DATABASE_URL"])) as holder:
        holder.cursor().execute("LOCK TABLE busy")
        for name, (statements, code, says, hint) in CAUSES.items():
            found = failure(stocked, f"migrations.RunSQL({statements!r})")

            assert found["code"] == code, (name, found)
            assert says in found["message"], (name, found)
            assert hint in found["hint"], (name, found)


def test_place_is_the_revisions(stocked: Workshop) -> None:
    """Its line where it has one, else its file; never a frame of a library. What data is, is masked."""
    own = failure(stocked, "migrations.RunPython(lambda apps, editor: json.loads('jane@example.com'))")
    declared = failure(stocked, "migrations.RunPython(json.loads)")
    data = failure(stocked, """migrations.RunSQL("SELECT CAST('jane@example.com' AS int)")""")

    assert "0002_second.py, line " in own["message"]
    assert "0002_second.py" in declared["message"]
    for found in (own, declared, data):
        assert "json/" not in found["message"]
        assert "site-packages" not in found["message"]
        assert "jane" not in found["message"] + found["hint"]
