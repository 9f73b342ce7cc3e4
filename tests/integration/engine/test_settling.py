"""Drift that stops a run, in every store, and the command of its message that settles it."""

from __future__ import annotations

import io
import json
import re
import shlex
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from django.contrib.auth import get_user_model
from django.core.management.base import OutputWrapper
from django.core.management.color import no_style
from pytest_django.fixtures import Settings

from accord import clock, conf
from accord.errors import ChecksumMismatch, DriftError, ExitCode, UnknownTarget, UsageError
from accord.health.runner import Finding, Level
from accord.proof import Credentials
from accord.seam.registry import Registry
from accord.testing import RecordingReporter, make_lease
from migrator import health_checks
from migrator.cli import approving, render_json, render_text
from migrator.cli.approval_options import ApprovalOptions, add_approval_arguments
from migrator.cli.options import add_migrate_arguments, request_from
from migrator.engine.api import Migrations
from migrator.engine.events import RunNoted
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.errors import LedgerOrphan, OwnPlan, WrongEnvironment
from migrator.models import PlanApproval, RunKind
from tests.fix_trail import Trail

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]
NOTHING = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("APP", "0001_artists")]
    operations = []
"""
BRANCH = """revision = "0004_branch"
down_revision = "0001_earnings"


def upgrade():
    from alembic import op

    op.execute("CREATE TABLE branched (n int)")


def downgrade():
    from alembic import op

    op.execute("DROP TABLE branched")
"""
STORES = ["relational", "documents", "alembic", "mongo", "search"]
PEOPLE = ("ada", "ben")
"""Who is there before anything is asked for: nobody newer counts as a second person."""
ASKED = {"POLICY": {"test": {"approval": True}}}


class Narrow:
    """Keeps every model at the coordinator, and every store to the app of its test."""

    apps: frozenset[str] = frozenset()

    def db_for_read(self, model: type, **hints: Any) -> str:
        return conf.load().coordinator

    db_for_write = db_for_read

    def allow_migrate(self, db: str, label: str, **hints: Any) -> bool:
        return label in self.apps if db.startswith("db_") else True


@pytest.fixture(params=STORES)
def harness(
    request: pytest.FixtureRequest, trail: Trail, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Give a store with two applied steps, beside a coordinator with the tables of governance."""
    settings.DATABASE_ROUTERS = [f"{__name__}.Narrow"]
    settings.ACCORD = {**settings.ACCORD, "ENVIRONMENT": "test"}
    trail.with_tables("auth", "migrator")
    for name in PEOPLE:
        person(name)
    made = request.getfixturevalue(f"{request.param}_harness")
    monkeypatch.setattr(Narrow, "apps", frozenset({made.app}))
    for name in made.step_names[:2]:
        made.store().apply(made.step(name), make_lease(1))
    for name in made.step_names[2:]:
        made.remove(name)
    return made


def person(name: str) -> Any:
    """Give the account of a person who may ask and decide."""
    accounts: Any = get_user_model()._default_manager
    found = accounts.filter(username=name).first()
    return found or accounts.create(username=name, is_superuser=True)


def narrowed(harness: Any) -> Any:
    """Give the store of a project of one app."""
    store = harness.store()
    read = store.steps
    store.steps = lambda: [step for step in read() if step.key.app == harness.app]
    return store


def migrations(harness: Any) -> Migrations:
    """Give the migrations of a project of one app and one store."""
    store = narrowed(harness)
    return Migrations(cast("Registry", {store.alias: store}), replace(conf.load(), environment="test"))


def command(harness: Any, line: str, monkeypatch: pytest.MonkeyPatch, name: str = "ada") -> Any:
    """Type a line of `migration_approval`, filled as a person would; give the answer's document."""
    monkeypatch.setattr(Credentials, "account", lambda *_, **__: person(name))
    parser = ArgumentParser()
    add_approval_arguments(parser)
    words = shlex.split(line.replace("USERNAME", name).replace("TEXT", '"a finished squash"'))
    asked = ApprovalOptions.read({"verbosity": 1, **vars(parser.parse_args(words))})
    made = migrations(harness)
    act = approving.Approving(
        asked=asked,
        migrations=made,
        gate=made.gate(),
        stderr=OutputWrapper(io.StringIO()),
        style=no_style(),
    )
    answer = act.carry_out()
    list(answer.lines)
    return answer.document


def named(error: DriftError) -> str:
    """Return the command of `migration_approval` that an error's hint names."""
    found = re.search(r"migration_approval ((request|approve) .*? --reason TEXT)", error.hint)
    assert found is not None, error.hint
    return found[1]


def refused(harness: Any) -> DriftError:
    """Return what stops a run."""
    with pytest.raises(DriftError) as caught:
        migrations(harness).run(Request())
    return caught.value


def edit(harness: Any, mark: int = 1, number: int = 1) -> None:
    """Edit a step, the second unless told, in a way that doesn't matter to what it does."""
    name = harness.step_names[number]
    text = (harness.revisions / f"{name}.py").read_text()
    harness.write_revision(name, re.sub(r"\n_EDITED = .*\n", "", text) + f"\n_EDITED = {mark}\n")


def take_away(harness: Any) -> None:
    """Remove the file of the second step, as a release that is rolled back does."""
    harness.remove(harness.step_names[1])


def finding(harness: Any, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """Return what the health check finds about drift."""
    store = narrowed(harness)
    monkeypatch.setattr(health_checks, "opened", lambda: nullcontext({store.alias: store}))
    [found] = [one for one in health_checks.look_at_migrations() if one.name.endswith(".drift")]
    return found


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("disturb", [edit, take_away])
def test_accepted_drift_stops_nothing_until_ledger_or_file_changes(
    harness: Any, disturb: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of the message settles it at once where the policy asks for nobody else."""
    disturb(harness)
    before = harness.observe()
    error = refused(harness)
    assert isinstance(error, ChecksumMismatch if disturb is edit else LedgerOrphan)

    document = command(harness, named(error), monkeypatch)

    situation = migrations(harness).situation()
    [found] = situation.drift
    assert found.tolerable
    assert found.acceptance is not None
    assert migrations(harness).run(Request()).exit_code is ExitCode.DONE
    assert harness.observe() == before
    told = finding(harness, monkeypatch)
    assert told.level is Level.OK
    assert f"Accepted under {document['reference'][:8]} until it changes." in told.message
    assert re.search(r"\bada\b", told.message) is None  # a reference may begin with these letters
    lines = list(render_text.drift_lines(situation, no_style()))
    assert lines[1] == f"  Accepted by ada until it changes ({document['reference'][:8]}): a finished squash"
    [shown] = render_json.drift_documents(situation)
    assert (shown["tolerable"], shown["kind"]) == (True, document["drift"][0]["drift"])
    assert shown["accepted"]["until"] is None
    assert json.dumps(shown)


def test_another_edit_and_another_ledger_are_other_drift(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted is what stood there then; the file as it was needs no acceptance at all."""
    text = (harness.revisions / f"{harness.step_names[1]}.py").read_text()
    edit(harness)
    command(harness, named(refused(harness)), monkeypatch)
    edit(harness, mark=2)

    assert isinstance(refused(harness), ChecksumMismatch)

    harness.write_revision(harness.step_names[1], text)
    assert not migrations(harness).situation().drift
    edit(harness, mark=1)
    assert not migrations(harness).situation().stops
    take_away(harness)
    assert isinstance(refused(harness), LedgerOrphan)


@pytest.mark.parametrize("harness", ["relational", "mongo"], indirect=True)
def test_another_person_accepts_where_the_policy_asks_for_one(
    harness: Any, trail: Trail, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four eyes as for a plan: the same service, the same events, and a hint that works at each stage."""
    settings.ACCORD = {**settings.ACCORD, **ASKED}
    edit(harness)
    reference = command(harness, named(refused(harness)), monkeypatch)["reference"]
    waiting = refused(harness)
    assert f"Request {reference[:8]} to accept that waits for another person." in waiting.message
    with pytest.raises(OwnPlan):
        command(harness, named(waiting), monkeypatch)

    command(harness, named(waiting), monkeypatch, "ben")

    [found] = migrations(harness).situation().drift
    assert found.acceptance is not None
    assert (found.acceptance.by_key, found.tolerable) == (str(person("ben").pk), True)
    lines = list(render_text.drift_lines(migrations(harness).situation(), no_style()))
    assert lines[1].startswith("  Accepted by ben until it changes")
    events = trail.rows("SELECT event FROM accord_auditevent WHERE object_kind = 'approval' ORDER BY seq")
    assert events == [("approval.requested",), ("approval.granted",)]
    command(harness, f"reject {reference[:8]} --as USERNAME --reason TEXT", monkeypatch, "ben")
    assert named(refused(harness)).startswith("request")


@pytest.mark.parametrize("harness", ["relational"], indirect=True)
def test_acceptance_ends(harness: Any, trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told with its end while it counts, as a warning; refused with a sentence afterwards, and renewed."""
    take_away(harness)
    ends_at = (clock.now() + timedelta(hours=1)).isoformat()
    line = named(refused(harness))
    reference = command(harness, f"{line} --until {ends_at}", monkeypatch)["reference"]
    [found] = migrations(harness).situation().drift
    assert found.acceptance is not None
    assert found.acceptance.ends_at.isoformat() == ends_at
    assert finding(harness, monkeypatch).level is Level.WARN

    # The server's clock decides, and waits for nobody: what was agreed to is cut short.
    PlanApproval.objects.using(trail.alias).filter(reference=reference).update(expires_at=clock.now())

    late = refused(harness)
    assert f"It was accepted under {reference[:8]}, which ended on" in late.message
    assert finding(harness, monkeypatch).level is Level.CRITICAL
    assert command(harness, named(late), monkeypatch)["reference"] != reference
    assert not migrations(harness).situation().stops


@pytest.mark.parametrize("harness", ["relational"], indirect=True)
def test_nothing_but_a_recorded_word_of_a_person_counts(
    harness: Any, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row without its event, or moved to another digest, stops a run as if it weren't there."""
    take_away(harness)
    command(harness, named(refused(harness)), monkeypatch)
    trail.attack("UPDATE migrator_planapproval SET digest = repeat('0', 64)")
    refused(harness)
    PlanApproval.objects.using(trail.alias).update(state="expired")
    command(harness, named(refused(harness)), monkeypatch)
    assert not migrations(harness).situation().stops
    trail.attack("UPDATE accord_auditevent SET object_ref = repeat('0', 32) WHERE object_kind = 'approval'")
    refused(harness)


@pytest.mark.parametrize("harness", ["relational"], indirect=True)
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("request --kind drift default:nothing.0001_here --as ada --reason x", UnknownTarget),
        ("request --kind drift {key} --until yesterday --as ada --reason x", UsageError),
        ("request --kind drift {key} --until 2001-01-01 --as ada --reason x", UsageError),
        ("request --kind drift {key} --revert --as ada --reason x", UsageError),
        ("request --kind drift {key} --env elsewhere --as ada --reason x", WrongEnvironment),
        ("request --kind drift {key} --as ada --reason ' '", UsageError),
        ("request --until 2099-01-01 --as ada --reason x", UsageError),
    ],
)
def test_bad_calls_are_refused_and_settle_nothing(
    harness: Any, line: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that nothing stands under, a time that is none or over, flags of a plan, no reason."""
    take_away(harness)
    key = harness.key(harness.step_names[1])

    with pytest.raises(error):
        command(harness, line.format(key=key), monkeypatch)

    refused(harness)


@pytest.mark.parametrize("harness", ["relational"], indirect=True)
def test_everything_that_stops_is_accepted_at_once_and_told_by_the_next_run(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a step's name a request is about all of it; a run that takes steps says what it passed over."""
    edit(harness, number=0)
    take_away(harness)
    document = command(harness, "request --kind drift --as USERNAME --reason TEXT", monkeypatch)
    assert [one["drift"] for one in document["drift"]] == ["edited", "missing"]
    harness.write_revision("0007_later", NOTHING)
    reporter = RecordingReporter()

    done = migrations(harness).run(Request(), report=reporter)

    assert (done.error, [one.key.name for one in done.execution.outcomes]) == (None, ["0007_later"])
    notes = [event.note for event in reporter.events if isinstance(event, RunNoted)]
    assert len([note for note in notes if f"Accepted under {document['reference'][:8]}" in note]) == 2
    with pytest.raises(UsageError, match="no drift that stops"):
        command(harness, "request --kind drift --as USERNAME --reason TEXT", monkeypatch)


@pytest.mark.parametrize("harness", ["alembic"], indirect=True)
def test_new_revision_of_alembic_waits_for_a_head_without_a_file(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted it stops no other store; beside it Alembic can place nothing, and the way out works."""
    take_away(harness)
    command(harness, named(refused(harness)), monkeypatch)
    harness.write_revision("0004_branch", BRANCH)

    back = Request(kind=RunKind.REVERT, target=Target(step=str(harness.key("0001_earnings"))))
    before = harness.observe()

    [failure] = migrations(harness).run(Request()).execution.failures
    with pytest.raises(LedgerOrphan):
        migrations(harness).run(replace(back, even_with_data=True))

    assert isinstance(failure.error, LedgerOrphan)
    assert harness.observe() == before
    parser = ArgumentParser()
    add_migrate_arguments(parser)
    words = shlex.split(failure.error.hint.split("migrate_all ", 1)[1])
    strike = request_from(vars(parser.parse_args([*words, "--noinput"])))
    assert migrations(harness).run(strike).error is None
    done = migrations(harness).run(Request())
    assert [one.key.name for one in done.execution.outcomes] == ["0004_branch"]
    assert harness.heads() == {"0004_branch"}


@pytest.mark.parametrize("harness", ["relational", "mongo", "search"], indirect=True)
def test_nothing_is_undone_below_a_step_that_has_no_file_here(
    harness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came later may need it; what came before, as the parts of a squashed step, hinders nothing."""
    take_away(harness)
    command(harness, named(refused(harness)), monkeypatch)
    before = harness.observe()
    first = Request(
        kind=RunKind.REVERT,
        target=Target(step=str(harness.key(harness.step_names[0]))),
        even_with_data=True,
    )

    with pytest.raises(LedgerOrphan, match="came after it and has no file here"):
        migrations(harness).run(first)

    assert harness.observe() == before
