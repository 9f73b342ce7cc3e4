"""Tags by commands: taken once, listed, gone back to."""

from __future__ import annotations

from tests.fix_project import Project


def test_tag_is_taken_once_and_led_back_to(migrated: Project) -> None:
    """Only what was applied after the tag is undone; an unknown tag names those that are."""
    last = migrated.answer("showmigrations_all", "--store", "search")["steps"][-1]["key"]
    migrated.manage("migrate_all", "--revert", "--step", last, "--noinput")
    migrated.manage("migrate_all", "--tag", "v1", "--store", "mongodb")
    before = migrated.answer("showmigrations_all")["steps"]
    applied = [step["key"] for step in before if step["applied"]]
    migrated.manage("migrate_all")
    taken = migrated.run("migrate_all", "--tag", "v1")
    unknown = migrated.run("migrate_all", "--revert", "--to-tag", "v2", "--noinput")
    back = migrated.answer("migrate_all", "--revert", "--to-tag", "v1", "--noinput")
    [tag] = migrated.answer("showmigrations_all", "--tags")["tags"]

    assert taken.returncode == 2
    assert "taken" in taken.stderr
    assert unknown.returncode == 2
    assert "ACC-103" in unknown.stderr
    assert "Tags: v1." in unknown.stderr
    assert last in [item["key"] for item in back["done"]]
    assert sorted(tag["steps"]) == sorted(applied)
    after = migrated.answer("showmigrations_all")["steps"]
    assert [step["key"] for step in after if step["applied"]] == applied


def test_tag_of_a_run_with_nothing_to_do_is_refused_once_a_step_of_it_is_gone(migrated: Project) -> None:
    """The tag is kept without a run's id; a way back to it that would not reach it is refused."""
    last = migrated.answer("showmigrations_all", "--store", "search")["steps"][-1]["key"]
    migrated.manage("migrate_all", "--tag", "whole")
    # A run that was killed before it could answer is started again with the same words.
    assert "names where every store stands" in migrated.manage("migrate_all", "--tag", "whole")
    [tag] = migrated.answer("showmigrations_all", "--tags")["tags"]
    migrated.manage("migrate_all", "--revert", "--step", last, "--noinput")
    refused = migrated.run("migrate_all", "--revert", "--to-tag", "whole", "--noinput")

    assert tag["run"] is None
    assert last in tag["steps"]
    assert refused.returncode == 2
    assert "ACC-103" in refused.stderr
    assert last in refused.stderr
    assert "Tags: whole." in refused.stderr


KILLED = """
import os, signal
import django; django.setup()
from django.core.management import execute_from_command_line
from migrator.engine import tags
tags.keep = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
execute_from_command_line(["manage.py", "migrate_all", "--tag", "v1"])
"""


def test_killed_between_the_last_step_and_the_tag_the_same_command_keeps_it(migrated: Project) -> None:
    """Until then there is no tag, and a way back to it is refused; afterwards it names what the run left."""
    last = migrated.answer("showmigrations_all", "--store", "search")["steps"][-1]["key"]
    migrated.manage("migrate_all", "--revert", "--step", last, "--noinput")
    killed = migrated.run("-c", KILLED, program=())
    refused = migrated.run("migrate_all", "--revert", "--to-tag", "v1", "--noinput")
    again = migrated.manage("migrate_all", "--tag", "v1")
    [tag] = migrated.answer("showmigrations_all", "--tags")["tags"]
    back = migrated.answer("migrate_all", "--revert", "--to-tag", "v1", "--noinput")

    assert (killed.returncode, refused.returncode) == (-9, 2), killed.stderr
    assert "There is no tag “v1”" in refused.stderr
    assert "names where every store stands" in again
    assert last in tag["steps"]
    assert back["done"] == []
    [(ended,)] = migrated.rows("SELECT outcome FROM migrator_run ORDER BY started_at DESC LIMIT 1")
    assert ended == "succeeded"
