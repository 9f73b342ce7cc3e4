"""
Steps in tests of a project: go to one, put rows there as they were then, go on, and look what became of them.

What the fixture `migrations` of :mod:`accord.pytest_plugin` gives. Only test stores are touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.apps import apps
from django.apps.registry import Apps
from django.db import connections
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from accord import conf, isolation
from accord.seam.registry import opened
from accord.seam.types import StepKey
from migrator.engine import live, live_settings
from migrator.engine.api import Migrations
from migrator.engine.plan import ZERO, Target, find_step
from migrator.engine.request import Request, RunReport
from migrator.errors import UnknownApp
from migrator.models import RunKind


class StepsInTests:
    """The migrations of every test store, for one test."""

    def to(self, step: str) -> Apps:
        """
        Bring the stores to where a step has just been applied: forward, or back over all that came after it.

        Args:
            step: `store:app.name`, or `app.name` of the coordinating database; a beginning of the name is
                enough where no other begins so.

        Returns:
            The models of the coordinating database as its migrations describe them there, by
            `get_model("app", "Model")`; models of the code may be ahead of their tables.

        Raises:
            AccordError: There is no such step, one can't be undone, or one failed.
        """
        key = self._found(step)
        self._run(Request(target=Target(to=str(key))))
        self._run(Request(kind=RunKind.REVERT, target=Target(to=str(key)), even_with_data=True))
        return self.models()

    def latest(self) -> Apps:
        """Apply everything that is pending, in every store; returns as :meth:`to` does."""
        self._run(Request())
        return self.models()

    def there_and_back(self, app: str = "") -> None:
        """
        Undo an app's steps in every store, and what needs them, and apply all again.

        The stores then have to be what their steps describe.

        Args:
            app: Label of the app; without one the whole plan is undone, the suite's own tables among it.

        Raises:
            AccordError: A step can't be undone, or failed.
            AssertionError: A store is not what its steps describe.
        """
        self.latest()
        self._run(Request(kind=RunKind.REVERT, target=Target(app=app, to=ZERO), even_with_data=True))
        self.latest()
        self.assert_as_described()

    def assert_matches_models(self, *labels: str) -> None:
        """
        Hold the models of the code against the migrations, and every store against those.

        Args:
            labels: The apps whose models are looked at; without any all that have migrations.

        Raises:
            UnknownApp: An app has no migrations.
            AssertionError: A change of a model has no migration, or a store differs; each is named.
        """
        _refuse_unknown(labels)
        self.latest()
        found = unwritten()
        told = [one for app in sorted(found) if not labels or app in labels for one in found[app]]
        if told:
            raise AssertionError("No migration says what the models say:\n" + "\n".join(told))
        self.assert_as_described()

    def assert_as_described(self) -> None:
        """
        Compare every store with what its applied steps describe.

        Raises:
            AssertionError: Something differs, or a store can't be asked; each is named.
        """
        settings = settings_of_tests()
        with opened() as stores:
            situation = Migrations(stores, settings).situation()
            found = live.look_live(stores, situation, Target(), live_settings.load(settings))
        told = [f"{one.store}: {one.difference.text}" for one in found.differences]
        told += [f"{store}: it can't be asked." for store in found.unasked]
        if told:
            raise AssertionError("The stores are not what their steps describe:\n" + "\n".join(told))

    def models(self) -> Apps:
        """Return the models of the coordinating database as its applied migrations describe them."""
        loader = MigrationLoader(connections[conf.load().coordinator])
        applied = [name for name in loader.applied_migrations if name in loader.graph.nodes]
        return loader.project_state(applied).apps

    def _found(self, step: str) -> StepKey:
        with opened() as stores:
            graph = Migrations(stores, settings_of_tests()).situation().graph
        return find_step(graph, step if ":" in step else f"{conf.load().coordinator}:{step}")

    def _run(self, request: Request) -> None:
        isolation.refuse_real(conf.load().coordinator)
        with opened() as stores:
            refuse_failure(Migrations(stores, settings_of_tests()).run(request))


def _refuse_unknown(labels: Sequence[str]) -> None:
    known = MigrationLoader(None, ignore_no_migrations=True).migrated_apps
    for label in labels:
        if label not in known:
            raise UnknownApp(f"No app “{label}” has migrations.", hint=f"Apps: {', '.join(sorted(known))}.")


def unwritten() -> Mapping[str, Sequence[str]]:
    """Name what `makemigrations` would write, by app."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    before, now = loader.project_state(), ProjectState.from_apps(apps)
    changes = MigrationAutodetector(before, now).changes(graph=loader.graph)
    return {
        app: [f"{app}: {operation.describe()}" for migration in some for operation in migration.operations]
        for app, some in changes.items()
    }


def settings_of_tests() -> conf.AccordSettings:
    """Return the suite's settings; nobody has to approve what runs in a test, whatever they are for."""
    return replace(conf.load(), environment="test", policy={})


def refuse_failure(report: RunReport) -> None:
    """
    Raise what a run met.

    Args:
        report: What it came to.

    Raises:
        AccordError: It ended early, or a step failed.
    """
    if report.error is not None:
        raise report.error
    for failure in report.execution.failures:
        raise failure.error
