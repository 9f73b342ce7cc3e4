"""Lint as a pipeline runs it: the commands of the page, as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_project import ROOT, Project
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

PAGE = ROOT / "docs" / "howto" / "lint-in-ci.md"
RECIPES = re.findall(r"python (manage\.py lint_migrations --since origin/main .+)", PAGE.read_text())
NEW = "examples/streaming/migrations/0015_listener_language_required.py"
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a way to run a line in a checkout whose branch adds one migration to `origin/main`."""
    folder = tmp_path_factory.mktemp("repository")
    served = dict.fromkeys(("DATABASE_URL", "MONGODB_URL", "ELASTICSEARCH_URL"), "")
    repository = {"GIT_DIR": str(folder / "git"), "GIT_WORK_TREE": str(ROOT)}
    environment = {**os.environ, **served, **repository, "ACCORD_ENV": "test"}

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )

    named = "git -c user.name=x -c user.email=x@example.com -c commit.gpgsign=false"
    for line in (
        f"git init --quiet && git add -A -- . ':!{NEW}'",
        f"{named} commit --quiet -m first && git update-ref refs/remotes/origin/main HEAD",
    ):
        done = run(line)
        assert done.returncode == 0, done.stderr
    return run


def test_the_page_has_recipes() -> None:
    """A list that is empty would make the test below pass for nothing."""
    assert [recipe.split()[5] for recipe in RECIPES] == ["github", "gitlab"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_runs_as_it_stands(shell: Shell, recipe: str, tmp_path: Path) -> None:
    """What is waived lets the pipeline go on."""
    written = tmp_path / "gl-code-quality.json"

    done = shell(f"{sys.executable} {recipe.replace('gl-code-quality.json', str(written))}")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ""
    assert not written.exists() or json.loads(written.read_text()) == []


def test_only_what_the_branch_adds_is_looked_at(shell: Shell) -> None:
    """One migration, with what is waived in it; no server is started."""
    done = shell(f"{sys.executable} manage.py lint_migrations --since origin/main")

    assert done.stdout.splitlines()[-1] == "Looked at 1 migration: 0 error, 0 warning, 0 info, 2 waived."
    assert done.stderr == ""


def test_an_error_fails_the_command_and_a_strict_one_sooner(shell: Shell) -> None:
    """Warnings alone let it pass, unless asked otherwise."""
    command = f"{sys.executable} manage.py lint_migrations gdpr --format json"

    lenient, strict = shell(command), shell(f"{command} --fail-on warning")

    assert {one["severity"] for one in json.loads(lenient.stdout)["findings"]} == {"warning", "info"}
    assert (lenient.returncode, strict.returncode) == (0, 1)


def test_unknown_app_and_reference_are_mistakes(shell: Shell) -> None:
    """They never mean that all is well."""
    for words in ("nosuch", "--since nosuch"):
        assert shell(f"{sys.executable} manage.py lint_migrations {words}").returncode == 2


def test_live_asks_how_large_the_tables_are(migrated: Project) -> None:
    """Read-only, on the project's own database."""
    done = migrated.run("lint_migrations", "gdpr", "--live", "--format", "json")

    measured = {one["table"]: one["bytes"] for one in json.loads(done.stdout)["findings"]}
    assert measured["gdpr_consentevent"] > 0


def test_a_run_does_not_start_with_an_error_and_does_with_a_waiver(workshop: Workshop) -> None:
    """Where the policy refuses; a comment changes no checksum, and lets the same plan go."""
    body = """
    # lint: waive file-owner for good (team rooms): whoever made it has left

    class Migration(migrations.Migration):
        operations = [migrations.CreateModel("Room", [("id", models.BigAutoField(primary_key=True))])]
    """
    policy = {"development": {"lint": "refuse", "lint_rules": {"file-owner": "error"}}}
    environment = {"WORKSHOP_ENVIRONMENT": "development", "WORKSHOP_POLICY": json.dumps(policy)}
    workshop.write(
        "migrations/0001_room.py", body.replace("# lint: waive file-owner", "# wave at the file-owner")
    )

    refused = workshop.run("migrate_all", "--noinput", **environment)
    workshop.write("migrations/0001_room.py", body)
    done = workshop.run("migrate_all", "--noinput", **environment)

    assert refused.returncode == 4
    assert "[ACC-931]" in refused.stderr
    assert "default:workshop.0001_room: Nobody owns it. (error: file-owner)" in refused.stderr
    assert done.returncode == 0, done.stdout + done.stderr
