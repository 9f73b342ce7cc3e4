"""A terminal that takes ASCII only gets every answer, and no traceback."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.fix_project import ROOT, Project
from tests.unit.test_hints import OURS

pytestmark = pytest.mark.acceptance

JSON = ("--format", "json")
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
EVERY = """
import contextlib, sys
from django.core.management import get_commands, execute_from_command_line
CALLS = {
    "accord_environment": [["show"]], "accord_token": [["list"], ["revoke", "ffff"]],
    "accord_uninstall": [[]], "backfill_kept": [[], ["--drop"]], "batch_jobs": [["list"], ["show", "nosuch"]],
    "bulk_copy": [[], ["nosuch"]],
    "bulk_export": [["nosuch", "--output", "/nosuch"]], "bulk_import": [["/nosuch"]],
    "showmigrations_all": [["--tree"], ["--plan"], ["nosuch"]],
    "lint_migrations": [["accord"], ["nosuch"], ["--since", "nosuch"]],
    "migrate_all": [["--plan", "--revert", "streaming", "zero"], ["nosuch"], ["--dry-run"]],
    "migrate_mongo": [["nosuch"]], "migrate_search": [["nosuch"]],
    "gdpr_datamap": [["show"], ["check"], ["suggest"], ["freeze"]],
    "gdpr_drill": [["--store", "nosuch"]],
    "gdpr_erase": [["nobody@example.com", "--dry-run"], ["--request", "ffff"]],
    "gdpr_hold": [["list"], ["release", "ffff"]], "gdpr_process": [[]], "gdpr_replay": [[], ["--dry-run"]],
    "gdpr_letter": [["ffff", "refusal"]],
    "gdpr_restrict": [["list"], ["lift", "ffff", "--told", "2026-11-27"]],
    "gdpr_retention": [[], ["--dry-run"], ["--entry", "nosuch"]],
    "gdpr_rights": [["list"], ["take", "ffff"]],
    "gdpr_consent": [["nobody"], ["1", "--by", "id"]],
    "gdpr_export": [["nobody", "--output", "/tmp"]],
    "migration_approval": [["list"], ["show", "ffff"]],
    "audit_verify": [[], ["--database", "nosuch"]], "sqlguards": [[], ["--database", "nosuch"]],
    "health_check": [["--only", "nosuch"]],
    "embedded": [["status"]], "partition": [["plan"], ["maintain"], ["revert", "nosuch"]],
}
done = 0
for name, calls in CALLS.items():
    for call in calls:
        with contextlib.suppress(SystemExit):
            execute_from_command_line(["manage.py", name, *call])
        done += 1
print("encoding", sys.stdout.encoding, "calls", done, "missing", sorted(set(OURS) - set(CALLS)))
"""


def test_every_command_answers_in_ascii(migrated: Project) -> None:
    """What can't be encoded is written in plain letters; errors as well."""
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); OURS = {OURS!r}\n{EVERY}"],
        cwd=ROOT,
        env={**migrated.environment, **BARE},
        capture_output=True,
        timeout=120,
        check=False,
    )
    said = (done.stdout + done.stderr).decode("ascii")

    assert done.returncode == 0, said
    assert "Traceback" not in said
    assert "UnicodeEncodeError" not in said
    assert "missing []" in said
    assert "`- " in said


def test_health_check_takes_every_name_that_it_prints(migrated: Project) -> None:
    """Whoever reads a line of the report can ask for that line alone."""
    names = {one["name"] for one in json.loads(migrated.run("health_check", *JSON).stdout)["findings"]}

    again = json.loads(migrated.run("health_check", "--only", *sorted(names), *JSON).stdout)

    assert len(names) > 15
    assert {one["name"] for one in again["findings"]} == names
