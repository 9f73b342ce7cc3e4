"""Every exit of a run: its report, its row in the journal, and its papers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import Model
from pytest_django.fixtures import Settings

from accord import conf, lease
from accord.acting import signed_in
from accord.audit.verification import verify
from accord.clock import SystemClock
from accord.errors import AccordError, ExitCode, Interrupted, StepFailed, StoreRefused
from accord.events import Reporter
from accord.seam.registry import Registry
from accord.seam.types import Direction, Lease, Step, StepKey, StepOutcome
from accord.testing import MemoryServer, MemoryStore, RecordingReporter, make_step
from migrator.engine import abandoned
from migrator.engine.api import Migrations
from migrator.engine.events import RunFinished, RunNoted
from migrator.engine.plan import Plan, Target
from migrator.engine.request import Request
from migrator.errors import BaselineMismatch, PlanNotApproved
from migrator.governance.approvals import Approvals
from migrator.governance.policy import Policy
from migrator.governance.work import PlannedWork
from migrator.models import ApprovalState, Attestation, PlanApproval, Run, RunKind, StepRun
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration
STEPS = [
    make_step("mem:shop.0001_a"),
    make_step("mem:shop.0002_b", "mem:shop.0001_a"),
    make_step("mem:shop.0003_c", "mem:shop.0002_b"),
]
KEYS = [str(step.key) for step in STEPS]
NOTHING: Mapping[str, Callable[[], None]] = {}


class Hooked(MemoryStore):
    """A store that does something of its own before and after a run, and when it reverts."""

    def __init__(
        self,
        steps: Sequence[Step] = STEPS,
        *,
        effects: Mapping[str, Callable[[], None]] = NOTHING,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        server: MemoryServer | None = None,
    ) -> None:
        super().__init__("mem", steps, effects=effects, server=server)
        self._before = before
        self._after = after

    def before_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        self._before()

    def after_run(self, steps: Sequence[Step], direction: Direction, report: Reporter) -> None:
        self._after()

    def revert(self, step: Step, lease: Lease, report: Reporter | None = None) -> StepOutcome:
        self._effects.get(f"revert {step.key.name}", lambda: None)()
        return super().revert(step, lease)


def raising(error: BaseException) -> Callable[[], None]:
    """Make code that fails."""

    def fail() -> None:
        raise error

    return fail


class OneDatabase:
    """Sends every model to the coordinator, as in a project that has no other database."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return conf.load().coordinator

    db_for_write = db_for_read


@pytest.fixture
def journal(trail: Trail, settings: Settings) -> Trail:
    """Give a coordinating database with the tables of the journal and of governance."""
    settings.DATABASE_ROUTERS = [f"{__name__}.OneDatabase"]
    return trail.with_tables("migrator")


def migrations(store: MemoryStore, **settings: Any) -> Migrations:
    """Give the migrations of a project with one store."""
    stores = cast("Registry", {"mem": store})
    return Migrations(stores, replace(conf.load(), environment="test", lock_wait=5.0, **settings))


def drop_connections(trail: Trail) -> Callable[[], None]:
    """Make code that ends every other session, as a restart or a load balancer does."""

    def drop() -> None:
        trail.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )

    return drop


def runs(trail: Trail) -> list[tuple[Any, ...]]:
    """Read how the runs ended."""
    return trail.rows(
        "SELECT outcome, finished_at IS NOT NULL, error_code FROM migrator_run ORDER BY started_at"
    )


def steps(trail: Trail) -> list[tuple[Any, ...]]:
    """Read how their steps ended."""
    return trail.rows(
        "SELECT s.name, s.direction, s.outcome FROM migrator_steprun s "
        "JOIN migrator_run r ON r.id = s.run_id ORDER BY r.started_at, s.position"
    )


DONE = [(step.key.name, "apply", "succeeded") for step in STEPS]


# --- hooks and signals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StepFailed("A receiver of post_migrate failed on “mem”."), "ACC-400"),
        (ValueError("no such luck"), "ACC-400"),
        (BaselineMismatch("whatever the suite raises"), "ACC-304"),
    ],
)
@pytest.mark.parametrize("hook", ["before", "after"])
def test_failing_hook_is_a_failure_inside_the_report(
    journal: Trail, hook: str, error: Exception, code: str
) -> None:
    """What was applied is told, with what failed; the run is over in the journal."""
    store = Hooked(**{hook: raising(error)})  # type: ignore[arg-type]  # one of the two hooks
    told = RecordingReporter()

    report = migrations(store).run(Request(), report=told)

    assert report.error is not None
    assert report.error.code == code
    assert report.exit_code == report.error.exit_code
    assert [str(one.key) for one in report.execution.outcomes] == (KEYS if hook == "after" else [])
    assert runs(journal) == [("failed", True, code)]
    assert steps(journal) == (DONE if hook == "after" else [])
    assert [event.outcome for event in told.of(RunFinished)] == ["failed"]


def test_hook_that_holds_is_no_failure(journal: Trail) -> None:
    """The neighbour: hooks that do their work leave a run that succeeded."""
    report = migrations(Hooked()).run(Request())

    assert report.error is None
    assert runs(journal) == [("succeeded", True, "")]
    assert steps(journal) == DONE


@pytest.mark.parametrize("where", ["before", "step", "after"])
def test_interrupt_at_once_is_told_with_what_was_done(journal: Trail, where: str) -> None:
    """A second Ctrl-C, wherever it lands, ends the run; nothing is shown as running afterwards."""
    stop = raising(KeyboardInterrupt())
    store = Hooked(
        before=stop if where == "before" else lambda: None,
        after=stop if where == "after" else lambda: None,
        effects={"0002_b": stop} if where == "step" else NOTHING,
    )

    report = migrations(store).run(Request())

    assert isinstance(report.error, Interrupted)
    assert len(report.execution.outcomes) == {"before": 0, "step": 1, "after": 3}[where]
    assert runs(journal) == [("interrupted", True, "ACC-403")]
    assert [outcome for _, _, outcome in steps(journal)] == {
        "before": [],
        "step": ["succeeded", "interrupted"],
        "after": ["succeeded"] * 3,
    }[where]


def test_what_no_report_can_hold_still_ends_the_run(journal: Trail) -> None:
    """A step that leaves the process (`sys.exit()`) is heard outside, and closed in the journal."""
    with pytest.raises(SystemExit):
        migrations(Hooked(effects={"0002_b": raising(SystemExit(9))})).run(Request())

    assert runs(journal) == [("interrupted", True, "ACC-403")]
    assert [outcome for _, _, outcome in steps(journal)] == ["succeeded", "interrupted"]


def test_after_a_failed_hook_the_next_run_has_nothing_to_do(journal: Trail) -> None:
    """The steps stand; once the receiver is mended, it is called again."""
    server, called = MemoryServer(), []
    migrations(Hooked(server=server, after=raising(ValueError()))).run(Request())

    again = migrations(Hooked(server=server, after=lambda: called.append(1))).run(Request())

    assert (again.error, again.plan.steps, called) == (None, (), [1])


# --- a dropped connection ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "0001_a", "0002_b", "0003_c", "after", "everywhere"])
def test_dropped_connection_of_the_coordinator_is_opened_again(journal: Trail, where: str) -> None:
    """The run goes on, and the journal misses nothing."""
    drop = drop_connections(journal)
    everywhere = where == "everywhere"
    store = Hooked(
        before=drop if everywhere or where == "before" else lambda: None,
        after=drop if everywhere or where == "after" else lambda: None,
        effects={step.key.name: drop for step in STEPS if everywhere or step.key.name == where},
    )

    report = migrations(store).run(Request())

    assert report.error is None
    assert [str(one.key) for one in report.execution.outcomes] == KEYS
    assert runs(journal) == [("succeeded", True, "")]
    assert steps(journal) == DONE


def test_journal_that_can_not_be_written_stops_nothing(journal: Trail) -> None:
    """The ledgers are the truth: without the journal's tables the run ends as it would."""
    store = Hooked(effects={"0002_b": lambda: journal.sql("ALTER TABLE migrator_steprun RENAME TO gone")})

    report = migrations(store).run(Request())

    assert report.error is None
    assert [str(one.key) for one in report.execution.outcomes] == KEYS


def test_renewal_of_the_lease_survives_a_dropped_connection(journal: Trail) -> None:
    """A holder whose heartbeat fell behind asks once more before it believes that all is lost."""
    with lease.hold("test", alias=journal.alias, run_id="mine", ttl=0.9, wait=0) as held:
        heartbeat = cast("Any", held.guard).__self__
        heartbeat.stop()
        drop_connections(journal)()
        behind = heartbeat._renewed_at = heartbeat._renewed_at - 100

        held.check()

        assert heartbeat._renewed_at > behind


def test_lease_whose_answer_was_lost_is_granted_again(journal: Trail) -> None:
    """A run doesn't wait for itself; another run still does."""
    connection = lease.LeaseConnection(journal.alias)
    connection.ensure_table()
    first = lease._try_to_acquire(connection, "test", run_id="mine", ttl=60)

    again = lease._try_to_acquire(connection, "test", run_id="mine", ttl=60)
    other = lease._try_to_acquire(connection, "test", run_id="other", ttl=60)

    assert first is not None
    assert again is not None
    assert again > first
    assert other is None
    connection.close()


# --- runs whose process is gone ----------------------------------------------------------------------------


def left_behind(trail: Trail, run_id: str = "killed") -> None:
    """Leave a run with a step as a SIGKILL leaves them."""
    now = SystemClock().now()
    run = Run(
        id=run_id, kind="apply", environment="test", digest="0" * 64, fence=1, owner="gone", planned=1,
        started_at=now,
    )  # fmt: skip
    run.save(using=trail.alias, force_insert=True)
    StepRun.objects.using(trail.alias).create(
        run=run, position=1, store="mem", app="shop", name="0001_a", direction="apply", started_at=now
    )


def outcome(trail: Trail, run_id: str = "killed") -> list[tuple[Any, ...]]:
    return trail.rows(
        "SELECT r.outcome, s.outcome FROM migrator_run r JOIN migrator_steprun s ON s.run_id = r.id "
        f"WHERE r.id = '{run_id}'"
    )


def test_killed_run_is_closed_by_a_run_with_nothing_to_do(journal: Trail) -> None:
    """The next command closes it, whether or not it has steps to take."""
    left_behind(journal)

    assert migrations(Hooked([])).run(Request()).plan.steps == ()

    assert outcome(journal) == [("interrupted", "interrupted")]


def witnessed(trail: Trail) -> list[tuple[Any, ...]]:
    """Read what the audit trail says of runs."""
    return trail.rows(
        "SELECT event, outcome, counters FROM accord_auditevent WHERE event LIKE 'run.%' ORDER BY seq"
    )


def test_run_is_in_the_audit_trail_with_its_end(journal: Trail) -> None:
    """How many steps there were and what became of them; a run with nothing to do leaves nothing."""
    server = MemoryServer()
    failing = Hooked(server=server, effects={"0002_b": raising(ValueError())})
    migrations(failing).run(Request())
    migrations(Hooked(server=server)).run(Request())
    migrations(Hooked(server=server)).run(Request())

    assert witnessed(journal) == [
        ("run.started", "done", {"steps": 3}),
        ("run.finished", "failed", {"steps": 3, "done": 1, "failed": 1, "skipped": 1}),
        ("run.started", "done", {"steps": 2}),
        ("run.finished", "done", {"steps": 2, "done": 2, "failed": 0, "skipped": 0}),
    ]
    assert verify(using=journal.alias).intact


def steps_of(trail: Trail) -> list[tuple[Any, ...]]:
    """Read what the audit trail says of steps, and whether each is of a run that it knows."""
    return trail.rows(
        "SELECT event, outcome, counters, object_ref IN (SELECT object_ref FROM accord_auditevent "
        "WHERE event = 'run.started') FROM accord_auditevent WHERE object_kind = 'step' ORDER BY seq"
    )


def test_each_step_is_in_the_audit_trail_between_start_and_end(journal: Trail) -> None:
    """By its place in the plan: what was applied, what failed, what was undone; one left out never began."""
    server = MemoryServer()
    failing = Hooked(server=server, effects={"0002_b": raising(ValueError())})
    migrations(failing).run(Request())
    migrations(Hooked(server=server)).run(Request(kind=RunKind.REVERT, target=Target(to="zero")))

    assert steps_of(journal) == [
        ("step.applied", "done", {"position": 1, "affected": 1}, True),
        ("step.failed", "failed", {"position": 2, "affected": 0}, True),
        ("step.reverted", "done", {"position": 1, "affected": 0}, True),
    ]
    kinds = [event for (event,) in journal.rows("SELECT event FROM accord_auditevent ORDER BY seq LIMIT 4")]
    assert kinds == ["run.started", "step.applied", "step.failed", "run.finished"]
    assert verify(using=journal.alias).intact


def test_step_that_was_recorded_is_no_step_that_was_applied(journal: Trail) -> None:
    """An auditor sees that nothing was done: it was found there."""
    server = MemoryServer()
    migrations(Hooked(server=server)).run(Request())
    server.ledger.clear()
    migrations(Hooked(server=server)).run(Request(kind=RunKind.BASELINE))

    events = [event for event, *_ in steps_of(journal)]
    assert events == ["step.applied"] * 3 + ["step.recorded"] * 3


def test_who_runs_it_is_in_the_audit_trail(journal: Trail) -> None:
    """The account of whoever is signed in to the machine; Accord itself where there is none."""
    call_command("migrate", "auth", database=journal.alias, verbosity=0, skip_checks=True)
    migrations(Hooked(STEPS[:1])).run(Request())
    user = get_user_model()
    account = user._default_manager.using(journal.alias).create(**{user.USERNAME_FIELD: signed_in()})
    left_behind(journal)
    migrations(Hooked(STEPS)).run(Request())

    by = journal.rows(
        "SELECT DISTINCT event, actor_kind, coalesce(key, '') FROM accord_auditevent "
        "LEFT JOIN accord_actorreference ON ref = actor_ref WHERE event IN ('run.started', 'step.applied') "
        "ORDER BY 1, 2"
    )
    assert by == [
        (event, *who)
        for event in ("run.started", "step.applied")
        for who in (("person", str(account.pk)), ("system", ""))
    ]


def test_trail_of_an_earlier_version_has_the_run_without_its_steps(journal: Trail) -> None:
    """Its words are checked by the database: the run that is to bring new ones may fail before it does."""
    journal.sql(
        "ALTER TABLE accord_auditevent ADD CONSTRAINT early CHECK (event NOT LIKE 'step.%' OR event IS NULL)"
    )
    migrations(Hooked()).run(Request())

    assert [event for event, _, _ in witnessed(journal)] == ["run.started", "run.finished"]
    assert steps_of(journal) == []


def test_killed_run_has_one_end_in_the_audit_trail(journal: Trail) -> None:
    """Whoever closes it, and however often they look: started and finished stand there once."""
    left_behind(journal)
    for _ in range(2):
        abandoned.close_dead(conf.load())
    migrations(Hooked([])).run(Request())

    assert witnessed(journal) == [
        ("run.started", "done", {"steps": 1}),
        ("run.finished", "partial", {"steps": 1, "done": 0, "failed": 0, "skipped": 0}),
    ]


def test_run_before_the_trail_has_its_tables_is_written_once_they_are_there(journal: Trail) -> None:
    """The first run of a project makes them itself."""
    journal.sql("ALTER TABLE accord_auditevent RENAME TO not_yet")
    back = "ALTER TABLE not_yet RENAME TO accord_auditevent"

    migrations(Hooked(effects={"0002_b": lambda: journal.sql(back)})).run(Request())

    assert [event for event, _, _ in witnessed(journal)] == ["run.started", "run.finished"]


def test_trail_that_can_not_be_written_stops_no_run(journal: Trail) -> None:
    """The run succeeds and the journal has it; the log tells what the trail hasn't."""
    journal.sql(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; "
        "CREATE TRIGGER no BEFORE INSERT ON accord_auditevent FOR EACH ROW EXECUTE FUNCTION no()"
    )

    report = migrations(Hooked()).run(Request())

    assert report.error is None
    assert runs(journal) == [("succeeded", True, "")]
    assert witnessed(journal) == []


def test_refused_run_is_in_the_audit_trail(journal: Trail) -> None:
    """With the plan's size and the exit code that its caller saw; it never started."""
    with pytest.raises(PlanNotApproved):
        migrations(Hooked(), policy={"test": {"approval": True}}).run(Request())

    assert witnessed(journal) == [("run.refused", "refused", {"steps": 3, "exit_code": 5})]


def test_killed_run_is_closed_by_whoever_looks(journal: Trail) -> None:
    """Health check, admin and API hold no lease; nobody else holds it either."""
    left_behind(journal)

    abandoned.close_dead(conf.load())

    assert outcome(journal) == [("interrupted", "interrupted")]


def test_run_that_holds_the_lease_is_left_alone(journal: Trail) -> None:
    """The neighbour: a living run is running, and a killed one beside it is not."""
    left_behind(journal)
    left_behind(journal, "living")
    settings = conf.load()

    with lease.hold(abandoned.lease_scope(settings), alias=journal.alias, run_id="living", ttl=30, wait=0):
        abandoned.close_dead(settings)

    assert outcome(journal, "living") == [("running", "running")]
    assert outcome(journal) == [("interrupted", "interrupted")]


def test_looking_without_a_journal_finds_nothing(trail: Trail) -> None:
    """On a database without the tables nobody is closed, nothing fails, and no table is made."""
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    before = trail.rows(tables)

    abandoned.close_dead(conf.load())

    assert trail.rows(tables) == before


# --- reverts and baselines ---------------------------------------------------------------------------------


def test_step_left_out_of_a_revert_is_journalled_as_one(journal: Trail) -> None:
    """Its direction is that of its run; so it is for a step left out of an apply."""
    server = MemoryServer()
    broken = {"0002_b": raising(ValueError()), "revert 0002_b": raising(ValueError())}
    migrations(Hooked(server=server, effects=broken)).run(Request())
    migrations(Hooked(server=server)).run(Request())

    migrations(Hooked(server=server, effects=broken)).run(
        Request(kind=RunKind.REVERT, target=Target(to="zero"))
    )

    assert steps(journal)[:3] == [
        ("0001_a", "apply", "succeeded"),
        ("0002_b", "apply", "failed"),
        ("0003_c", "apply", "skipped"),
    ]
    assert steps(journal)[-3:] == [
        ("0003_c", "revert", "succeeded"),
        ("0002_b", "revert", "failed"),
        ("0001_a", "revert", "skipped"),
    ]


@pytest.mark.parametrize("lost", ["0001_a", "0002_b", "0003_c"])
def test_baseline_records_nothing_that_is_gone_under_the_lease(journal: Trail, lost: str) -> None:
    """Another run reverted a step between the question and the lease: nothing is recorded."""
    server = MemoryServer()
    migrations(Hooked(server=server)).run(Request())
    server.ledger.clear()

    def meanwhile(_plan: Plan) -> None:
        server.objects.pop(lost)

    with pytest.raises(BaselineMismatch) as caught:
        migrations(Hooked(server=server)).run(Request(kind=RunKind.BASELINE), confirm=meanwhile)

    assert lost in caught.value.message
    assert server.ledger == {}


def test_baseline_records_what_still_stands(journal: Trail) -> None:
    """The neighbour: where nothing changed meanwhile, everything is recorded."""
    server = MemoryServer()
    migrations(Hooked(server=server)).run(Request())
    server.ledger.clear()

    report = migrations(Hooked(server=server)).run(Request(kind=RunKind.BASELINE))

    assert report.error is None
    assert set(server.ledger) == {StepKey.parse(key) for key in KEYS}


# --- papers ------------------------------------------------------------------------------------------------


@pytest.fixture
def accounts(journal: Trail) -> None:
    """Keep the accounts of two people who may do everything, before anything is asked for."""
    call_command("migrate", "auth", database=journal.alias, verbosity=0, skip_checks=True)
    for key in (1, 2):
        person(key).save(using=journal.alias)


def person(key: int) -> Any:
    """Give an account that may do everything."""
    return get_user_model()(pk=key, username=f"person {key}", is_superuser=True)


def approvals(settings: conf.AccordSettings) -> Approvals:
    return Approvals(settings, Policy(approval=True))


def at_nothing(approval: PlanApproval) -> None:
    """Approve without a look: these plans drop nothing."""


def work_of(steps: Sequence[Step]) -> PlannedWork:
    return PlannedWork(kind=RunKind.APPLY, direction=Direction.APPLY, steps=tuple(steps))


@pytest.mark.usefixtures("accounts")
def test_failed_hook_strikes_the_approval_and_attests_nothing(journal: Trail) -> None:
    """What was done is struck off, so that it is not done twice; a failed run is nobody's word."""
    policy = {"test": {"approval": True}, "production": {"attestation": "test"}}
    made = migrations(Hooked(after=raising(ValueError())), policy=policy)
    book = made.gate().approvals
    approval = book.request(work_of(STEPS), person(1), "release")
    book.approve(approval.reference, person(2), "read", at_nothing)
    told = RecordingReporter()

    report = made.run(Request(), report=told)

    approval = book.find(approval.reference)
    assert report.error is not None
    assert (approval.state, approval.remaining) == (ApprovalState.USED, [])
    assert approval.run_id == report.run_id
    assert Attestation.objects.using(journal.alias).count() == 0
    assert any("migration_approval attest" in getattr(event, "note", "") for event in told.events)


def test_run_that_succeeds_is_attested(journal: Trail) -> None:
    """The neighbour: the same run with hooks that hold."""
    made = migrations(Hooked(), policy={"production": {"attestation": "test"}})

    made.run(Request())

    assert Attestation.objects.using(journal.alias).count() == 1


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("state", [ApprovalState.REJECTED, ApprovalState.EXPIRED, ApprovalState.REQUESTED])
def test_approval_is_found_behind_any_number_of_newer_requests(journal: Trail, state: ApprovalState) -> None:
    """Sixty newer requests of whatever state hide nothing."""
    settings = replace(conf.load(), environment="test")
    book = approvals(settings)
    wanted = book.request(work_of(STEPS), person(1), "release")
    book.approve(wanted.reference, person(2), "read", at_nothing)
    for number in range(60):
        other = book.request(work_of([make_step(f"mem:other.0001_n{number}")]), person(1), "noise")
        PlanApproval.objects.using(journal.alias).filter(pk=other.pk).update(
            state=state,
            **(
                {"approver_ref": "0" * 32, "approver_key": "2", "decided_at": SystemClock().now()}
                if state is ApprovalState.REJECTED
                else {}
            ),
        )

    assert book.covering(work_of(STEPS)).reference == wanted.reference
    assert book.covering(work_of(STEPS[1:])).reference == wanted.reference


@pytest.mark.usefixtures("accounts")
def test_without_an_approval_the_refusal_says_how_far_the_request_is(journal: Trail) -> None:
    """The neighbour: what isn't approved stays refused, with what the person should know."""
    book = approvals(replace(conf.load(), environment="test"))
    with pytest.raises(PlanNotApproved, match="Nobody has asked"):
        book.covering(work_of(STEPS))
    asked = book.request(work_of(STEPS), person(1), "release")
    with pytest.raises(PlanNotApproved, match=f"{asked.short} waits"):
        book.covering(work_of(STEPS))
    book.reject(asked.reference, person(2), "no")
    with pytest.raises(PlanNotApproved, match="is rejected"):
        book.covering(work_of(STEPS))


class Standby(Hooked):
    """A store that takes no mark, as a standby that has every step already."""

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        raise StoreRefused("The store “mem” takes no writes.", hint="Point the setting at the primary.")


def test_store_that_takes_no_mark_is_told_and_stops_no_run(journal: Trail) -> None:
    """What can't be written to needs no protection from us; one that can is marked, and stays as it is."""
    server, heard = MemoryServer(), RecordingReporter()
    standby = migrations(Standby(server=server)).run(Request(), report=heard)
    assert standby.exit_code is ExitCode.DONE
    assert [note.note for note in heard.of(RunNoted) if "keeps no mark" in note.note]
    assert server.marks == {}

    assert migrations(Hooked(server=server)).run(Request()).exit_code is ExitCode.DONE
    marked = dict(server.marks)
    assert sorted(marked) == ["environment", "outside"]
    assert migrations(Standby(server=server)).run(Request()).exit_code is ExitCode.DONE
    assert server.marks == marked


def test_attestations_are_verified_as_far_as_they_are_needed(
    journal: Trail, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The newest that names the steps is enough; older ones, and those of other steps, aren't looked at."""
    settings.ACCORD = {**settings.ACCORD, "ENVIRONMENT": "test"}
    server, seen = MemoryServer(), []
    policy = {"production": {"attestation": "test"}}
    for number in range(1, 4):
        migrations(Hooked(STEPS[:number], server=server), policy=policy).run(Request())
    book = migrations(Hooked()).gate().attestations
    check = book.check

    def counted(*said: Any) -> Any:
        seen.append(said)
        return check(*said)

    monkeypatch.setattr(book, "check", counted)

    book.require(work_of(STEPS), "test", {})
    assert len(seen) == 1
    with pytest.raises(AccordError, match="not attested"):
        book.require(work_of([make_step("mem:shop.0009_other")]), "test", {})
    assert len(seen) == 1
    with pytest.raises(AccordError, match="not attested"):
        book.require(work_of([make_step("mem:shop.0001_a", text="edited")]), "test", {})
    with pytest.raises(AccordError, match="not attested"):
        book.require(work_of(STEPS), "staging", {})
    assert Attestation.objects.using(journal.alias).count() == 3


@pytest.mark.usefixtures("accounts")
def test_plan_that_ran_out_of_time_stays_so_where_the_machine_is_set_back(
    journal: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server of the row says what time it is."""
    book = approvals(replace(conf.load(), environment="test"))
    asked = book.request(work_of(STEPS), person(1), "release")
    book.approve(asked.reference, person(2), "read", at_nothing)
    rows = PlanApproval.objects.using(journal.alias)
    assert book.covering(work_of(STEPS)).reference == asked.reference
    rows.filter(pk=asked.pk).update(expires_at=SystemClock().now())
    monkeypatch.setattr("accord.clock.now", lambda: datetime(2001, 1, 1, tzinfo=UTC))

    assert book.state_of(book.find(asked.reference)) is ApprovalState.EXPIRED
    with pytest.raises(PlanNotApproved, match="is expired"):
        book.covering(work_of(STEPS))
