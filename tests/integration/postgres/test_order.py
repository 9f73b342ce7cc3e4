"""The order of a database's steps on a real server: what Django's `migrate` makes, name by name."""

from __future__ import annotations

import importlib
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
import pytest
from django.apps import AppConfig, apps
from django.core.management import call_command
from django.db import connections
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from accord import conf
from accord.clock import SystemClock
from accord.events import silent
from accord.seam.registry import Registry
from accord.testing import make_lease
from migrator.engine.executor import Action, Executor
from migrator.engine.plan import Target, plan_forward
from migrator.engine.situation import read_situation
from tests.fix_postgres import rows_of

pytestmark = pytest.mark.integration

HEAD = """from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = {needs}
    operations = {operations}
"""
ID = '("id", models.BigAutoField(primary_key=True))'
# What only Django's walk from leaf to leaf gets right: shop_a names a model that shop_m gives up later,
# and a key that shop_m makes anew later; shop_c writes into a table of shop_z that it does not wait for.
FILES: Mapping[str, Mapping[str, tuple[object, str]]] = {
    "shop_a": {
        "0001_initial": (
            [("shop_m", "0001_initial"), ("shop_z", "0001_initial")],
            f"""[migrations.CreateModel("Order", [{ID},
            ("kind", models.ForeignKey("shop_m.Kind", models.CASCADE)),
            ("maker", models.ForeignKey("shop_m.Maker", models.CASCADE, db_constraint=False))])]""",
        ),
        "0002_without_maker": (
            [("shop_a", "0001_initial")],
            '[migrations.RemoveField("Order", "maker")]',
        ),
    },
    "shop_b": {
        "0001_initial": (
            [("shop_z", "0001_initial")],
            f'[migrations.CreateModel("Log", [{ID}, ("z", models.ForeignKey("shop_z.Z", models.CASCADE))])]',
        ),
    },
    "shop_c": {"0001_fill": ([], '[migrations.RunSQL("insert into shop_z_z default values")]')},
    "shop_m": {
        "0001_initial": (
            [],
            f"""[
            migrations.CreateModel("Kind", [("code", models.CharField(max_length=8, primary_key=True))]),
            migrations.CreateModel("Maker", [{ID}])]""",
        ),
        "0002_longer": (
            [("shop_m", "0001_initial")],
            '[migrations.AlterField("Kind", "code", models.CharField(max_length=20, primary_key=True))]',
        ),
        "0003_without_maker": (
            [("shop_m", "0002_longer")],
            '[migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Maker")])]',
        ),
    },
    "shop_z": {"0001_initial": ([], f'[migrations.CreateModel("Z", [{ID}])]')},
}
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text LIKE 'shop%' ORDER BY 1, 2
"""


class Shops:
    """Let a database have the shops alone."""

    def allow_migrate(self, db: str, app_label: str, **_: object) -> bool | None:
        """Say so."""
        return app_label in FILES if db.startswith("shops_") else None


@pytest.fixture
def shops(tmp_path: Path, settings: Settings) -> Iterator[None]:
    """Install the apps."""
    settings.DATABASE_ROUTERS = [Shops()]
    sys.path.insert(0, str(tmp_path))
    for app, files in FILES.items():
        folder = tmp_path / app / "migrations"
        folder.mkdir(parents=True)
        for package in (folder, folder.parent):
            (package / "__init__.py").touch()
        for name, (needs, operations) in files.items():
            (folder / f"{name}.py").write_text(HEAD.format(needs=needs, operations=operations))
    importlib.invalidate_caches()
    for app in FILES:
        config = AppConfig(app, importlib.import_module(app))
        config.apps, config.models = apps, {}
        apps.app_configs[app] = config
    apps.clear_cache()
    yield
    for app in FILES:
        del apps.app_configs[app]
        for module in [name for name in sys.modules if name.partition(".")[0] == app]:
            del sys.modules[module]
    apps.clear_cache()
    sys.path.remove(str(tmp_path))


@dataclass(frozen=True)
class Shop:
    """An empty database for the shops."""

    alias: str
    url: str

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask by the driver alone."""
        return rows_of(self.url, query)


@pytest.fixture
def new_shop(
    shops: None, new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[], Shop]]:
    """Give a maker of such databases."""
    made: list[str] = []

    def make() -> Shop:
        url = new_database()
        made.append(f"shops_{uuid.uuid4().hex[:8]}")
        connections.databases[made[-1]] = dict(environ.Env.db_url_config(url))
        connections.configure_settings(connections.databases)
        return Shop(alias=made[-1], url=url)

    with django_db_blocker.unblock():
        yield make
        for alias in made:
            connections[alias].close()
            del connections[alias]
            connections.databases.pop(alias)


def test_database_ends_as_django_leaves_it(new_shop: Callable[[], Shop]) -> None:
    """Steps, rows and the names of foreign keys, of a history that works in Django's order alone."""
    ours, theirs = new_shop(), new_shop()
    backend = "migrator.relational.store.RelationalStore"
    stores = Registry({ours.alias: conf.StoreSettings(alias=ours.alias, backend=backend)})
    plan = plan_forward(read_situation(stores).graph, (), Target())
    executor = Executor(stores, make_lease(100), report=silent, clock=SystemClock(), stop=lambda: False)

    done = executor.run(plan, {step.key: Action.APPLY for step in plan.steps})
    call_command("migrate", database=theirs.alias, verbosity=0)

    assert not done.failures
    for query in (
        "SELECT app, name FROM django_migrations WHERE app LIKE 'shop%' ORDER BY id",
        CONSTRAINTS,
        "SELECT * FROM shop_z_z",
    ):
        assert ours.rows(query) == theirs.rows(query)
