"""What can't be understood stops every command that asks; what is stuck is not "nothing to do"."""

from __future__ import annotations

import json

import pytest

from tests.fix_postgres import execute
from tests.fix_project import Project
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

COMMANDS = (
    "migrate_all",
    "migrate_all --plan",
    "migrate_all --check",
    "migrate_all --dry-run --store default",
    "migrate_all --revert --to alembic:royalties.zero --noinput",
    "migrate_all royalties zero --revert --noinput",
    "migrate_all --baseline --noinput",
    "showmigrations_all",
)
# One process for all: each is run as its own command line would be.
RUN = """
import contextlib, io, json, sys
from django.core.management import ManagementUtility

found = {}
for line in json.loads(sys.argv[1]):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            ManagementUtility(["manage.py", *line.split()]).execute()
        except SystemExit as exc:
            code = exc.code or 0
    found[line] = [code, out.getvalue(), err.getvalue()]
print(json.dumps(found))
"""


def test_head_of_a_newer_release_stops_every_command(migrated: Project) -> None:
    """An older release meets a newer database: nothing is called pending, run, reverted or adopted."""
    execute(migrated.database_url, "INSERT INTO alembic_version VALUES ('9999_of_tomorrow')")
    before = migrated.postgres_ledgers()

    lines = json.dumps([*COMMANDS, "health_check"])
    done = migrated.run(lines, program=("-c", RUN))

    answers = json.loads(done.stdout.splitlines()[-1])
    for line in COMMANDS:
        code, out, err = answers[line]
        assert (code, "[ACC-302]" in err, "9999_of_tomorrow" in err) == (6, True, True), (line, out, err)
        assert "[ ]" not in out, line
    code, out, _ = answers["health_check"]
    assert code != 0
    assert "9999_of_tomorrow" in out
    assert migrated.postgres_ledgers() == before


def test_step_of_the_phase_behind_another_phase_is_pending(workshop: Workshop) -> None:
    """A deploy that waits for its expand steps is told that one can't go; later phases alone are no news."""
    workshop.django("0001_old", "Old", more='phase = "contract"')
    assert workshop.run("migrate_all", "--phase", "expand", "--noinput").returncode == 0
    assert workshop.run("migrate_all", "--phase", "expand", "--check").returncode == 0

    workshop.django("0002_new", "New", needs="0001_old")
    done = workshop.run("migrate_all", "--phase", "expand", "--check")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "workshop.0002_new  expand  (behind a step of another phase)" in done.stdout
