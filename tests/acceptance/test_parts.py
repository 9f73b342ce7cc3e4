"""A step that would lock a large table, from what the commands say of it to the page of its run."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

EVERY = {"WORKSHOP_ENVIRONMENT": "qa", "WORKSHOP_POLICY": json.dumps({"qa": {"rewriting": "every"}})}
SECOND = "default:workshop.0002_index"
FIRST = """
class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Item", [("id", models.BigAutoField(primary_key=True)), ("code", models.TextField())]
        ),
    ]
"""
INDEX = """
class Migration(migrations.Migration):
    dependencies = [("workshop", "0001_item")]
    operations = [migrations.AddIndex("item", models.Index(fields=["code"], name="by_code"))]
"""
BUILT = "SELECT 1 FROM pg_indexes WHERE indexname = 'by_code'"


@pytest.fixture
def waiting(workshop: Workshop) -> Workshop:
    """Give a project with an index to build."""
    workshop = replace(workshop, variables={**workshop.variables, **EVERY})
    workshop.write("migrations/0001_item.py", FIRST)
    assert workshop.run("migrate_all").returncode == 0
    workshop.write("migrations/0002_index.py", INDEX)
    return workshop


def test_what_is_shown_is_what_is_sent(waiting: Workshop) -> None:
    """The dry run shows the parts, and its lock; the run tells of them, and the revert goes the same way."""
    shown = waiting.run("migrate_all", "--dry-run")
    done = waiting.run("migrate_all")
    back = waiting.run("migrate_all", "--revert", "--step", SECOND, "--dry-run")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert 'CREATE INDEX CONCURRENTLY "by_code"' in shown.stdout
    assert "SHARE UPDATE EXCLUSIVE: nobody waits" in shown.stdout
    assert done.returncode == 0, done.stderr
    assert "1 part: nobody waits long" in done.stderr
    assert waiting.rows(BUILT)
    assert "DROP INDEX CONCURRENTLY" in back.stdout


def test_step_is_sent_as_it_stands_with_a_reason_alone(waiting: Workshop) -> None:
    """Refused without one, and for a step that there isn't; then the reason is told."""
    plainly = ("migrate_all", "--unsafe-ddl", SECOND)
    silent = waiting.run(*plainly)
    unknown = waiting.run(*plainly[:2], "default:workshop.0003", "--reason", "why")
    shown = waiting.run(*plainly, "--dry-run")
    done = waiting.run(*plainly, "--reason", "the shop is closed")

    assert silent.returncode == 2
    assert "A reason is missing" in silent.stderr
    assert unknown.returncode == 2
    assert "No step is called" in unknown.stderr
    assert "CONCURRENTLY" not in shown.stdout
    assert done.returncode == 0, done.stderr
    assert "the shop is closed" in done.stderr
    assert waiting.rows(BUILT)


ITEMS = """
class Migration(migrations.Migration):
    atomic = False
    operations = [
        migrations.CreateModel(
            "Item", [("id", models.BigAutoField(primary_key=True)), ("code", models.TextField())]
        ),
        migrations.RunSQL("INSERT INTO workshop_item (code) SELECT n FROM generate_series(1, 5000) n", ""),
        BeginColumnChange("item", "code", "title", models.TextField()),
        CopyColumn("item", "code", "title"),
    ]
"""


@pytest.mark.by_turns(3)
def test_copying_tells_how_far_it_is(workshop: Workshop) -> None:
    """A line for each tenth at most, where no terminal draws a bar."""
    ours = "from migrator.operations import BeginColumnChange, CopyColumn\n"
    workshop.write("migrations/0001_item.py", f"{ours}{ITEMS}")

    done = workshop.run("migrate_all", "workshop")

    assert done.returncode == 0, done.stderr
    told = re.findall(r"0001_item  ([^ ]* of [^ ,]*,[^ ,\n]*)", done.stderr)
    assert told == ["2,000 of 5,000", "4,000 of 5,000", "5,000 of 5,000"]
