"""Squashed migrations beside Django's own command, on a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from accord import conf
from accord.clock import SystemClock
from accord.events import silent
from accord.seam.registry import Registry
from accord.seam.types import Direction
from accord.testing import make_lease
from migrator.engine.executor import Action, Executor
from migrator.engine.plan import Plan, Target
from migrator.engine.planning import plan_request
from migrator.engine.request import Request
from migrator.engine.situation import Situation, read_situation
from migrator.models import RunKind
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration

FIRST = '''"""A table."""
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])]
'''
FURTHER = '''"""A column."""
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("APP", "{needs}")]
    operations = [migrations.AddField("thing", "{column}", models.IntegerField(null=True))]
'''
TEXTS = {
    "0001_a": FIRST,
    "0002_b": FURTHER.format(needs="0001_a", column="b"),
    "0003_c": FURTHER.format(needs="0002_b", column="c"),
}
SQUASH = "0001_squashed_0003_c"
SQUASHED = '''"""All three at once."""
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    replaces = [("APP", "0001_a"), ("APP", "0002_b"), ("APP", "0003_c")]
    operations = [
        migrations.CreateModel(
            "Thing",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("b", models.IntegerField(null=True)),
                ("c", models.IntegerField(null=True)),
            ],
        ),
    ]
'''
LATER = FURTHER.format(needs=SQUASH, column="d")


class OneApp:
    """Let a database have one app, so that its history is that app's alone."""

    def __init__(self) -> None:
        self.alias = self.app = ""

    def allow_migrate(self, db: str, app_label: str, **_: object) -> bool | None:
        """Say so."""
        return app_label == self.app if db == self.alias else None


@pytest.fixture
def harness(
    tmp_path: Path,
    new_database: Callable[[], str],
    django_db_blocker: DjangoDbBlocker,
    settings: Settings,
) -> Iterator[RelationalHarness]:
    """Give an empty database and an app of three migrations."""
    router = OneApp()
    settings.DATABASE_ROUTERS = [router]
    with django_db_blocker.unblock():
        made = RelationalHarness(tmp_path, new_database(), texts=TEXTS)
        router.alias, router.app = made.alias, made.app
        yield made
        made.close()


def registry(harness: RelationalHarness) -> Registry:
    backend = "migrator.relational.store.RelationalStore"
    return Registry({harness.alias: conf.StoreSettings(alias=harness.alias, backend=backend)})


def carry_out(stores: Registry, plan: Plan) -> list[str]:
    """Run a plan as the engine does, and name its steps."""
    action = Action.REVERT if plan.direction is Direction.REVERT else Action.APPLY
    lease = make_lease(100)
    executor = Executor(stores, lease, report=silent, clock=SystemClock(), stop=lambda: False)
    done = executor.run(plan, {step.key: action for step in plan.steps})
    assert not done.failures
    return [step.key.name for step in plan.steps]


def forward(harness: RelationalHarness, to: str = "") -> list[str]:
    """Apply what is pending, and name it."""
    stores = registry(harness)
    request = Request(target=Target(app=harness.app, to=to))
    return carry_out(stores, plan_request(request, read_situation(stores), stores))


def back(harness: RelationalHarness, to: str) -> list[str]:
    """Go back to a migration of the app as `--revert --to` does, and name what was undone."""
    stores = registry(harness)
    request = Request(kind=RunKind.REVERT, revert=True, target=Target(app=harness.app, to=to))
    return carry_out(stores, plan_request(request, read_situation(stores), stores))


def situation(harness: RelationalHarness) -> Situation:
    return read_situation(registry(harness))


def by_django(harness: RelationalHarness, name: str) -> None:
    connection = connections[harness.alias]
    MigrationExecutor(connection).migrate([(harness.app, name)])
    connection.close()


def write_squash(harness: RelationalHarness) -> None:
    harness.write_revision(SQUASH, SQUASHED)
    harness.write_revision("0004_d", LATER)


def test_part_that_django_undid_is_pending_though_the_squashed_row_stayed(
    harness: RelationalHarness,
) -> None:
    """Django leaves that row, and applies the part again; so does a run of ours."""
    forward(harness)
    whole = harness.observe()
    harness.write_revision(SQUASH, SQUASHED)
    forward(harness)
    by_django(harness, "0002_b")
    assert SQUASH in harness.recorded()

    assert forward(harness) == ["0003_c"]

    assert harness.observe() == whole
    assert not situation(harness).drift


@pytest.mark.parametrize("applied_whole", [False, True], ids=["part by part", "as one"])
def test_way_back_into_a_squashed_migration(harness: RelationalHarness, applied_whole: bool) -> None:
    """Going back to its second part leaves what the two parts made, and forward again makes the rest."""
    forward(harness, to="0002_b")
    two, rows = harness.observe(), harness.recorded()
    if applied_whole:
        back(harness, "zero")
    else:
        forward(harness)
    write_squash(harness)
    forward(harness)
    everything = harness.observe()

    assert back(harness, "0002_b") == ["0004_d", "0003_c"]

    assert harness.observe() == two
    assert harness.recorded() == rows
    assert forward(harness) == ["0003_c", "0004_d"]
    assert harness.observe() == everything
    assert SQUASH in harness.recorded()


def test_squashed_row_without_any_part_is_no_squashed_migration(harness: RelationalHarness) -> None:
    """A row that stayed alone doesn't keep the migration from being applied."""
    write_squash(harness)
    forward(harness)
    whole = harness.observe()
    back(harness, "zero")
    harness.execute(
        f"INSERT INTO django_migrations (app, name, applied) VALUES ('{harness.app}', '{SQUASH}', now())"
    )

    assert forward(harness) == [SQUASH, "0004_d"]

    assert harness.observe() == whole
    assert harness.recorded() == {*TEXTS, SQUASH, "0004_d"}


def test_way_back_into_an_adopted_squashed_migration_leaves_every_part(harness: RelationalHarness) -> None:
    """Its parts were found as it was, so that neither part by part nor as a whole anything is dropped."""
    forward(harness)
    whole = harness.observe()
    harness.execute("DELETE FROM django_migrations")
    write_squash(harness)
    harness.store().record(harness.step(SQUASH), make_lease(100))

    assert back(harness, "0002_b") == ["0003_c"]
    assert harness.recorded() == {"0001_a", "0002_b"}
    assert back(harness, "zero") == ["0002_b", "0001_a"]

    assert harness.observe() == whole
    assert harness.recorded() == set()


def test_squashed_migration_of_which_a_part_was_found_is_left_whole(harness: RelationalHarness) -> None:
    """What belongs to which part can't be told apart any more."""
    forward(harness)
    harness.store().forget(harness.step("0001_a"), make_lease(100))
    harness.store().record(harness.step("0001_a"), make_lease(100))
    harness.write_revision(SQUASH, SQUASHED)
    whole = harness.observe()

    assert situation(harness).found >= {harness.key(SQUASH)}
    assert back(harness, "zero") == [SQUASH]

    assert harness.observe() == whole
    assert harness.recorded() == set()
