"""A revert says with numbers what it drops that holds data, and does it on a person's word only."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fix_project import Project
from tests.fix_sample import asked

pytestmark = pytest.mark.acceptance


def fill(project: Project) -> None:
    """Put two documents into the index of the tracks, beside what the revisions wrote by themselves."""
    for number in (1, 2):
        asked(project, "PUT", f"/{project.prefix}tracks/_doc/{number}?refresh=true", {})


def told(project: Project, *how: str) -> dict[str, Any]:
    """Return what a revert would drop, by its name."""
    found = project.answer("migrate_all", "--revert", *how, "--plan")["losses"]
    return {loss["what"].replace(project.prefix, ""): loss for loss in found}


def test_plan_of_a_revert_counts_what_every_store_would_lose(migrated: Project) -> None:
    """Rows, documents and indexed documents, each with the step that drops them."""
    fill(migrated)
    found = told(migrated, "--to", "zero")

    assert {"table royalties_rate", "collection playlists"} <= found.keys()
    assert found["table royalties_rate"]["held"] == "rows"
    assert found["collection playlists"]["key"] == "mongodb:streaming.0001_playlists"
    indexes = {what: loss for what, loss in found.items() if what.startswith("index tracks")}
    assert any(loss["number"] == 2 for loss in indexes.values()), indexes
    assert "django_content_type" not in str(found)
    shown = migrated.run("migrate_all", "--revert", "--to", "zero", "--plan").stdout
    assert f"table royalties_rate: {found['table royalties_rate']['number']} rows" in shown


def test_revert_that_drops_data_needs_a_word_without_a_terminal(migrated: Project) -> None:
    """Nothing is undone, the numbers are told, and the flag that is named lets it go on."""
    how = ("migrate_all", "--revert", "--to", "alembic:royalties.0001", "--noinput")
    refused = migrated.run(*how)

    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "ACC-407" in refused.stderr
    assert "table royalties_rate: " in refused.stderr
    assert migrated.rows("SELECT count(*) > 0 FROM royalties_rate") == [(True,)]

    assert "--even-with-data" in refused.stderr
    assert migrated.run(*how, "--even-with-data").returncode == 0
    assert migrated.rows("SELECT to_regclass('royalties_rate') IS NULL") == [(True,)]


def test_revert_of_what_is_empty_asks_for_nothing(migrated: Project) -> None:
    """A table without rows goes as before."""
    assert told(migrated, "--to", "default:streaming.0012") == {}
    back = migrated.run("migrate_all", "--revert", "--to", "default:streaming.0012", "--noinput")
    assert back.returncode == 0, back.stderr


PAGES = """
import json
import django; django.setup()
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.urls import reverse
from accord.seam.registry import opened
from accord.seam.types import Direction
from migrator.engine.api import Migrations
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.governance.work import PlannedWork
from migrator.models import PlanApproval, RunKind

asker, second = (get_user_model().objects.create_superuser(name) for name in ("asker", "second"))
request = Request(kind=RunKind.REVERT, target=Target(to="alembic:royalties.0001"))
with opened() as stores:
    migrations = Migrations(stores)
    plan = migrations.plan(request, migrations.situation(request))
    work = PlannedWork(
        kind=RunKind.REVERT, direction=Direction.REVERT, steps=tuple(plan.steps),
        target="--revert --to alembic:royalties.0001", applied=frozenset(),
    )
    asked = migrations.gate().approvals.request(work, asker, "A rehearsal")
client = Client(SERVER_NAME="localhost")
client.force_login(second)
with connection.cursor() as cursor:
    cursor.execute("UPDATE accord_ledger_alembic SET how = 'adopted' WHERE revision LIKE '0004%'")
address = reverse("admin:migrator_planapproval_approve", args=[asked.pk])
page = client.get(address).content.decode()
unticked = client.post(address, {"reason": "Read it"}).content.decode()
between = PlanApproval.objects.get(pk=asked.pk).state
client.post(address, {"reason": "Read it", "seen": "on"})
after = PlanApproval.objects.get(pk=asked.pk).state
print(json.dumps([page, unticked, between, after, asked.digest]))
"""


def test_who_approves_a_revert_sees_what_goes_and_says_so(migrated: Project) -> None:
    """The page names direction, digest, numbers, and what stays; no tick, no decision."""
    done = migrated.run(program=("-c", PAGES))
    assert done.returncode == 0, done.stderr
    page, unticked, between, after, digest = json.loads(done.stdout.splitlines()[-1])

    assert "UNDO" in page
    assert digest in page
    assert "table royalties_rate: " in page
    assert 'name="seen"' in page
    assert "alembic:royalties.0004" in page.partition("plan-left")[2].partition("</ul>")[0]
    assert "required" in unticked
    assert (between, after) == ("requested", "approved")
