"""A revert that is killed: the step is shown as half reverted, and either command brings it to an end."""

from __future__ import annotations

import signal
import uuid
from dataclasses import replace

import pytest

from tests.fix_workshop import Workshop

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

DIE = """
            import os, signal

            def stay(*arguments, **named):
                pass

            def die(*arguments, **named):
                if os.environ.get("DEADLY"):
                    os.kill(os.getpid(), signal.SIGKILL)
"""
# Undone from the last operation on: the object is gone when the function kills the process.
REVISIONS = {
    "mongodb": (
        "mongo_migrations",
        """
            class Migration(base.Migration):
                operations = [base.RunPython(stay, die), base.CreateCollection("records")]
        """,
    ),
    "search": (
        "search_migrations",
        """
            class Migration(base.Migration):
                operations = [
                    base.RunPython(stay, die),
                    base.CreateIndex("records", mappings={"properties": {"title": {"type": "text"}}}),
                ]
        """,
    ),
    "default": (
        "migrations",
        """
            class Migration(migrations.Migration):
                atomic = False
                operations = [
                    migrations.RunPython(stay, die),
                    migrations.CreateModel("Record", [("id", models.BigAutoField(primary_key=True))]),
                ]
        """,
    ),
}


@pytest.fixture(params=list(REVISIONS))
def killed(request: pytest.FixtureRequest, workshop: Workshop) -> tuple[Workshop, str]:
    """Give a project one of whose steps is half reverted, and the step."""
    project = _searching(workshop, request) if request.param == "search" else workshop
    folder, body = REVISIONS[request.param]
    project.write(f"{folder}/0001_records.py", DIE + body)
    key = f"{request.param}:workshop.0001_records"
    assert project.run("migrate_all").returncode == 0

    died = project.run("migrate_all", "--revert", "--step", key, "--noinput", DEADLY="1")

    assert died.returncode == -signal.SIGKILL, died.stderr
    return project, key


def _searching(workshop: Workshop, request: pytest.FixtureRequest) -> Workshop:
    """Add a search store with a prefix of its own."""
    url: str = request.getfixturevalue("opensearch_url")
    search = {"ELASTICSEARCH_URL": url, "ELASTICSEARCH_PREFIX": f"test-{uuid.uuid4().hex[:10]}-"}
    return replace(workshop, variables={**workshop.variables, **search})


def test_killed_revert_is_shown_and_goes_forward_whole(killed: tuple[Workshop, str]) -> None:
    """Neither applied nor not: list and plan say so, and a run makes again what was taken away."""
    project, key = killed

    listed = project.run("showmigrations_all", "workshop").stdout
    plan = project.answer("migrate_all", "--plan")
    run = project.run("migrate_all")

    assert "[/] 0001_records" in listed
    assert f"migrate_all --revert --step {key}" in listed
    assert plan["half_reverted"] == [planned["key"] for planned in plan["steps"]] == [key]
    assert run.returncode == 0, run.stderr
    assert "undone first" in run.stderr
    assert project.answer("migrate_all", "--plan")["steps"] == []
    # Only what stands as a whole can be taken away as a whole.
    again = project.run("migrate_all", "--revert", "--step", key, "--noinput")
    assert again.returncode == 0, again.stderr


def test_killed_revert_goes_back_whole(killed: tuple[Workshop, str]) -> None:
    """The same command undoes the rest, and the step is simply not applied."""
    project, key = killed

    assert project.run("migrate_all", "--revert", "--step", key, "--noinput").returncode == 0

    (step,) = project.answer("showmigrations_all", "workshop")["steps"]
    assert (step["applied"], step["half_reverted"]) == (False, False)
    assert "Half reverted" not in project.run("showmigrations_all").stdout
