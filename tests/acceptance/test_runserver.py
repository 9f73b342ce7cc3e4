"""The development server of the sample project."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fix_project import Project

pytestmark = pytest.mark.acceptance


def greeting(project: Project) -> str:
    """Start the server, give what it says before it serves, and stop it."""
    process = project.start("runserver", "--noreload", "0")
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Quit the server" in line:
                return "".join(said)
        raise AssertionError("".join(said))
    finally:
        process.kill()
        process.communicate()


def test_server_tells_of_pending_steps_until_there_are_none(new_project: Callable[..., Project]) -> None:
    """Whatever is pending in any store is told with the command for all of them; afterwards nothing is."""
    project = new_project(PYTHONUNBUFFERED="1")

    before = greeting(project)
    project.manage("migrate_all")
    after = greeting(project)

    assert "run 'python manage.py migrate_all'" in before
    assert "pending" not in after
    assert "unapplied" not in after


def test_server_starts_while_a_store_is_away(new_project: Callable[..., Project]) -> None:
    """Which one is away is said, and the server serves."""
    project = new_project(PYTHONUNBUFFERED="1", ELASTICSEARCH_URL="http://127.0.0.1:9")

    assert "127.0.0.1:9" in greeting(project)
