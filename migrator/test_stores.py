"""
The stores of tests beside Django's own test databases: made, brought up to date by the engine, removed.

The runners of :mod:`accord.test_runner` and :mod:`accord.pytest_plugin` call this once Django has made, and
before it removes, its test databases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from accord import conf, isolation
from accord.errors import DriftError, InconsistentLedger, UsageError
from accord.seam.registry import Registry, opened
from accord.seam.stores import HasTestStore
from migrator.engine.api import Migrations
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.test_steps import refuse_failure, settings_of_tests


def prepare(*, keep: bool = False) -> None:
    """
    Make the test stores of the settings, and apply every revision to them.

    Args:
        keep: Go on with what an earlier run of tests left; what doesn't fit the files any more is made anew.

    Raises:
        ConfigurationError: A store can have no test store, or what stands there is none of ours.
        AccordError: A revision failed, or a server can't be reached. No real store was touched.
    """
    aliases = tuple(conf.load().configured_stores())
    if not aliases:
        return
    isolation.refuse_real(conf.load().coordinator)
    _record_made_from_models()
    try:
        _make(aliases, keep=keep)
    except DriftError:
        if not keep:
            raise
        _make(aliases, keep=False)


def remove() -> None:
    """
    Remove the test stores. Idempotent.

    Raises:
        StoreUnavailable: A server can't be reached.
    """
    with opened() as stores:
        for store in _testable(stores, conf.load().configured_stores()):
            store.drop_test_store()


def _record_made_from_models() -> None:
    """Write down as applied what Django made from models, so that revisions may need it as ever."""
    with opened() as stores:
        for alias in sorted(isolation.made_from_models()):
            recorder = MigrationRecorder(connections[alias])
            recorder.ensure_schema()
            known = recorder.applied_migrations()
            names = {(step.key.app, step.key.name) for step in stores[alias].steps()} - known.keys()
            rows = [recorder.Migration(app=app, name=name) for app, name in sorted(names)]
            recorder.migration_qs.bulk_create(rows)


def _make(aliases: Sequence[str], *, keep: bool) -> None:
    with opened() as stores:
        for store in _testable(stores, aliases):
            store.make_test_store(keep=keep)
    with opened() as stores:
        _apply(stores, aliases)


def _testable(stores: Registry, aliases: Iterable[str]) -> Sequence[HasTestStore]:
    return [store for store in map(stores.__getitem__, aliases) if isinstance(store, HasTestStore)]


def _apply(stores: Registry, aliases: Sequence[str]) -> None:
    migrations = Migrations(stores, settings_of_tests())
    try:
        refuse_failure(migrations.run(Request(target=Target(stores=tuple(aliases)))))
    except InconsistentLedger:
        # Django migrated its databases already, also what needs a step of these stores.
        _rebuild(migrations, aliases)


def _rebuild(migrations: Migrations, aliases: Sequence[str]) -> None:
    """Apply store by store, as one that was lost is filled again, until nothing more can be applied."""
    came_on = True
    while came_on:
        came_on = False
        for alias in aliases:
            request = Request(target=Target(stores=(alias,)), rebuild=True, data_is_lost=True)
            try:
                report = migrations.run(request)
            except UsageError:
                continue  # nothing of it is pending
            refuse_failure(report)
            came_on = came_on or bool(report.execution.outcomes)
