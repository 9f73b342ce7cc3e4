"""The remedy that messages name for a step without a file, carried out as it is written, in every store."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, cast

import pytest
from django.apps import apps
from pytest_django.fixtures import Settings

from accord import conf
from accord.errors import AccordError, ExitCode
from accord.health.runner import Finding, Level
from accord.seam.registry import Registry
from accord.seam.stores import read_ledger
from accord.testing import make_lease
from migrator import health_checks
from migrator.cli.options import add_migrate_arguments, request_from
from migrator.engine.api import Migrations
from migrator.engine.drift import Drift
from migrator.engine.request import Request, RunReport
from migrator.errors import LedgerOrphan
from tests.fix_trail import Trail

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]
STORES = ["relational", "documents", "alembic", "mongo", "search"]
HALF = "0004_half"


class Narrow:
    """Keeps the coordinator's models there, and every store to the app of its test."""

    apps: frozenset[str] = frozenset()

    def db_for_read(self, model: type, **hints: Any) -> str:
        return conf.load().coordinator

    db_for_write = db_for_read

    def allow_migrate(self, db: str, label: str, **hints: Any) -> bool:
        return label in self.apps if db.startswith("db_") else True


@pytest.fixture
def journal(trail: Trail, settings: Settings) -> Trail:
    """Give a coordinating database with the tables of the journal and of governance."""
    settings.DATABASE_ROUTERS = [f"{__name__}.Narrow"]
    return trail.with_tables("migrator")


@pytest.fixture
def harness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    made = request.getfixturevalue(f"{request.param}_harness")
    monkeypatch.setattr(Narrow, "apps", frozenset({made.app}))
    return made


def narrowed(harness: Any) -> Any:
    """Give the store of a project of one app."""
    store = harness.store()
    read = store.steps
    store.steps = lambda: [step for step in read() if step.key.app == harness.app]
    return store


def migrations(harness: Any) -> Migrations:
    """Give the migrations of a project of one app and one store."""
    store = narrowed(harness)
    settings = replace(conf.load(), environment="test", lock_wait=5.0)
    return Migrations(cast("Registry", {store.alias: store}), settings)


def orphan(harness: Any) -> Drift:
    """Return the one disagreement of files and ledger that is about a missing file."""
    [found] = [one for one in migrations(harness).situation().drift if isinstance(one.error, LedgerOrphan)]
    return found


def carry_out(harness: Any, hint: str) -> RunReport:
    """Do what a hint says, as the command would."""
    parser = ArgumentParser()
    add_migrate_arguments(parser)
    words = shlex.split(hint.split("migrate_all ", 1)[1])
    return migrations(harness).run(request_from(vars(parser.parse_args([*words, "--noinput"]))))


@pytest.mark.parametrize("harness", STORES, indirect=True)
def test_remedy_for_an_applied_step_without_a_file_works(journal: Trail, harness: Any) -> None:
    """Its line goes, nothing else moves, and the next run has no more to say about it."""
    for name in harness.step_names[:2]:
        harness.store().apply(harness.step(name), make_lease(1))
    before = harness.observe()
    for name in reversed(harness.step_names[1:]):
        harness.remove(name)

    report = carry_out(harness, orphan(harness).error.hint)

    assert report.error is None
    assert [str(one.key) for one in report.execution.outcomes] == [str(harness.key(harness.step_names[1]))]
    assert report.execution.outcomes[0].detail == "struck from the ledger only: WHY"
    assert harness.observe() == before
    left = {key.name for key in harness.store().applied() if key.app == harness.app}
    assert left == {harness.step_names[0]}
    assert not migrations(harness).situation().drift
    assert journal.rows("SELECT kind, outcome FROM migrator_run") == [("forget", "succeeded")]
    assert journal.rows("SELECT detail FROM migrator_steprun") == [("struck from the ledger only: WHY",)]
    told = journal.rows("SELECT plan_digest FROM accord_auditevent WHERE event = 'ledger.struck'")
    assert told == [(report.plan.digest,)]


def switch_off(harness: Any, settings: Settings, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the app of a harness out of these settings, in one of the ways that there are."""
    if how == "not installed":
        monkeypatch.delitem(apps.app_configs, harness.app)
        apps.clear_cache()
    elif how == "MIGRATION_MODULES":
        settings.MIGRATION_MODULES = {harness.app: None}
    monkeypatch.setattr(Narrow, "apps", {"contenttypes", "" if how == "router" else harness.app})


@pytest.mark.parametrize(
    ("harness", "how"),
    [
        ("relational", "not installed"),
        ("relational", "MIGRATION_MODULES"),
        ("relational", "router"),
        ("documents", "not installed"),
        ("mongo", "not installed"),
        ("search", "not installed"),
    ],
    indirect=["harness"],
)
def test_app_that_these_settings_leave_out_stops_nothing_and_its_remedy_works(
    journal: Trail, harness: Any, how: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning where `migrate` would go on; the app may come back, or be struck for good."""
    for name in harness.step_names[:2]:
        harness.store().apply(harness.step(name), make_lease(1))
    before = harness.observe()
    with monkeypatch.context() as patch:
        switch_off(harness, settings, how, patch)
        found = orphan(harness)
        nothing = migrations(harness).run(Request())
        levels = [(one.level, one.ready) for one in findings(harness, patch)]
    settings.MIGRATION_MODULES = {}
    apps.clear_cache()
    assert found.tolerable
    assert f"2 steps of “{harness.app}”, which" in found.error.message
    assert how in found.error.message
    assert (nothing.exit_code, len(nothing.plan)) == (ExitCode.DONE, 0)
    assert levels == [(Level.OK, True), (Level.WARN, True)]
    assert not migrations(harness).situation().drift

    with monkeypatch.context() as patch:
        switch_off(harness, settings, how, patch)
        report = carry_out(harness, found.error.hint)
        left = migrations(harness).situation().drift
    settings.MIGRATION_MODULES = {}
    apps.clear_cache()

    assert report.error is None
    assert not left
    assert harness.observe() == before
    assert not [key for key in harness.store().applied() if key.app == harness.app]


@pytest.mark.parametrize("harness", ["mongo", "search"], indirect=True)
def test_remedy_for_what_another_release_began_works(journal: Trail, harness: Any) -> None:
    """Half applied there, its file is not here: a run forward goes on all the same."""
    harness.write_revision(HALF, harness.half.begun)
    with pytest.raises(AccordError):
        harness.store().apply(harness.step(HALF), make_lease(1))
    harness.remove(HALF)
    before = harness.observe()
    found = orphan(harness)

    report = carry_out(harness, found.error.hint)

    assert found.tolerable
    assert report.error is None
    assert harness.observe() == before
    assert not read_ledger(harness.store()).begun


def findings(harness: Any, monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """Look as the health check and `/readyz` do."""
    store = narrowed(harness)
    monkeypatch.setattr(health_checks, "opened", lambda: nullcontext({store.alias: store}))
    found = health_checks.look_at_migrations()
    # These stores are filled without a run, which is what would mark them.
    return [one for one in found if not one.name.endswith(".environment")]


@pytest.mark.parametrize("harness", ["mongo", "search"], indirect=True)
def test_failed_step_of_the_next_release_leaves_the_running_one_ready(
    journal: Trail, harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused at once it changed nothing; half applied it is a warning. Either way requests go on."""
    for name in harness.step_names:
        harness.store().apply(harness.step(name), make_lease(1))
    levels = []
    for text in (harness.refused, harness.half.begun):
        harness.write_revision(HALF, text)
        with pytest.raises(AccordError):
            harness.store().apply(harness.step(HALF), make_lease(1))
        assert not all(found.ready for found in findings(harness, monkeypatch))
        harness.remove(HALF)
        found = findings(harness, monkeypatch)
        levels.append([one.level for one in found])
        assert all(one.ready for one in found)

    assert levels == [[Level.OK, Level.OK], [Level.OK, Level.WARN]]


def test_head_of_alembic_moves_to_what_lies_below(journal: Trail, alembic_harness: Any) -> None:
    """What is below stays applied; where that isn't known, nothing is struck."""
    harness = alembic_harness
    for name in harness.step_names[:2]:
        harness.store().apply(harness.step(name), make_lease(1))
    step = harness.step(harness.step_names[1])
    for name in reversed(harness.step_names[1:]):
        harness.remove(name)
    harness.rows("DELETE FROM accord_ledger_alembic WHERE revision = %s", [harness.step_names[0]])

    with pytest.raises(LedgerOrphan, match="below it isn't known"):
        harness.store().forget(step, make_lease(1))

    assert harness.heads() == {harness.step_names[1]}
    assert set(harness.ledger_entries()) == {harness.step_names[1]}
