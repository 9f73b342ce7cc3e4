"""What plain `migrate` and `alembic upgrade` apply after a run of ours is seen, and can be put on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.harness_alembic import AlembicHarness
from tests.fix_project import Project
from tests.fix_workshop import ROOT, Workshop
from tests.forks import run_python

pytestmark = pytest.mark.acceptance


def findings(workshop: Workshop) -> dict[str, dict[str, Any]]:
    """Ask health about what is applied where."""
    done = workshop.run("health_check", "--format", "json", "--only", "migrations")
    return {one["name"]: one for one in json.loads(done.stdout)["findings"]}


def levels(workshop: Workshop, *stores: str) -> list[str]:
    """Name how health finds stores."""
    found = findings(workshop)
    return [found[f"migrations.{store}"]["level"] for store in stores]


def done(workshop: Workshop, *arguments: str) -> None:
    """Run a command that must succeed."""
    ran = workshop.run(*arguments)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_plain_migrate_after_our_run_is_told_until_it_is_on_record(workshop: Workshop) -> None:
    """Which steps, and the command that records them; what stood before our first run isn't told."""
    workshop.django("0001_first", "First")
    workshop.mongo("0001_one", "one")
    done(workshop, "migrate", "--verbosity", "0")
    done(workshop, "migrate_all", "--noinput")
    assert levels(workshop, "default", "mongodb") == ["ok", "ok"]

    workshop.django("0002_second", "Second", needs="0001_first")
    workshop.django("0003_third", "Third", needs="0002_second")
    done(workshop, "migrate", "--verbosity", "0")
    told = findings(workshop)["migrations.default"]
    assert told["level"] == "warn"
    assert "default:workshop.0002_second, default:workshop.0003_third" in told["message"]
    assert "0001_first" not in told["message"]
    assert levels(workshop, "mongodb", "mongodb.drift", "default.drift") == ["ok"] * 3
    # A run of something else puts nothing on record by the way.
    workshop.mongo("0002_two", "two", needs="0001_one")
    done(workshop, "migrate_all", "--noinput")
    assert levels(workshop, "default", "mongodb") == ["warn", "ok"]

    command = told["hint"].rpartition("migrate_all ")[2].split()
    done(workshop, "migrate_all", *command, "--noinput")
    assert levels(workshop, "default", "mongodb") == ["ok", "ok"]
    steps = {one["key"]: one for one in workshop.answer("showmigrations_all")["steps"]}
    assert steps["default:workshop.0003_third"]["origin"] == "adopted"
    assert steps["default:workshop.0002_second"]["run"]
    assert not steps["default:workshop.0001_first"]["run"]


def test_what_differs_is_not_put_on_record(workshop: Workshop) -> None:
    """A baseline looks: a step whose effect is gone stays told."""
    workshop.django("0001_first", "First")
    done(workshop, "migrate_all", "--noinput")
    workshop.django("0002_second", "Second", needs="0001_first")
    done(workshop, "migrate", "--fake", "--verbosity", "0")

    refused = workshop.run("migrate_all", "--baseline", "--step", "default:workshop.0002_second", "--noinput")

    assert refused.returncode == 6, refused.stderr
    assert "ACC-304" in refused.stderr
    assert levels(workshop, "default") == ["warn"]


def test_alembic_upgrade_after_our_run_is_told_until_it_is_on_record(
    workshop: Workshop, new_database: Callable[[], str], tmp_path: Path
) -> None:
    """The same for a history of Alembic's, in which nothing has a time."""
    history = AlembicHarness(tmp_path / "history", new_database())
    history.remove("0003_final")
    ini = str(history.folder / "alembic.ini")
    own = {"WORKSHOP_HISTORY": ini, "WORKSHOP_HISTORY_URL": history.url}
    both = replace(workshop, variables={**workshop.variables, **own})
    upgrade(history, ini, "0001_earnings")
    done(both, "migrate_all", "--noinput", "--to", "history:workshop.0001_earnings")
    assert levels(both, "history.environment") == ["ok"]

    upgrade(history, ini, "0002_amounts")
    told = findings(both)["migrations.history"]
    assert told["level"] == "warn"
    assert "history:workshop.0002_amounts" in told["message"]
    assert "0001_earnings" not in told["message"]

    command = told["hint"].rpartition("migrate_all ")[2].split()
    done(both, "migrate_all", *command, "--noinput")
    assert levels(both, "history") == ["ok"]


def upgrade(history: AlembicHarness, ini: str, revision: str) -> None:
    """Let Alembic itself go to a revision."""
    url = "postgresql+psycopg2://" + history.url.partition("://")[2]
    code = (
        "from alembic import command, config\n"
        f"found = config.Config({ini!r})\nfound.set_main_option('sqlalchemy.url', {url!r})\n"
        f"command.upgrade(found, {revision!r})"
    )
    ran = run_python(("-c", code), env={"PATH": "/usr/bin"}, cwd=ROOT, timeout=60)
    assert ran.returncode == 0, ran.stderr


def test_alembic_by_hand_goes_where_our_runs_do(migrated: Project) -> None:
    """The command as it stands in the sample's ini: no address but that of the settings, back and forward."""
    ini = ("-c", "examples/streaming/royalties/alembic.ini")
    alembic = ("-m", "alembic")
    before = migrated.run(*ini, "current", program=alembic)
    assert before.stdout.count("(head)") == 1, before.stderr
    back = migrated.run(*ini, "downgrade", "-1", program=alembic)
    assert back.returncode == 0, back.stderr
    pending = migrated.answer("migrate_all", "--plan")["steps"]
    assert {step["store"] for step in pending} == {"alembic"}
    forward = migrated.run(*ini, "upgrade", "head", program=alembic)
    assert forward.returncode == 0, forward.stderr
    assert migrated.run(*ini, "current", program=alembic).stdout == before.stdout
    assert migrated.answer("migrate_all", "--plan")["steps"] == []
