"""Jobs in batches on a real PostgreSQL: each row once, whoever dies, freezes, or is asked to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from django.db import connections

from accord.batch_models import Place
from accord.batches import here, jobs, kinds, leases, postgres
from accord.batches.errors import BatchesFailed, BatchesStopped
from accord.batches.leases import SliceLost
from accord.batches.running import Worker
from accord.batches.work import Done
from accord.erased import tombstones
from accord.errors import ConfigurationError, Interrupted, UsageError
from tests.chance import chance, moments
from tests.fix_batches import Counted

pytestmark = pytest.mark.integration


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't come"
        time.sleep(0.02)


def await_more(counted: Counted, than: int) -> None:
    """Wait until more rows are counted than that."""
    until(lambda: counted.trail.rows("SELECT sum(n) FROM numbers") > [(than,)])


def never() -> bool:
    return False


# --- what a job does -------------------------------------------------------------------------------


def test_every_row_is_done_once_and_the_trail_tells_it(counted: Counted) -> None:
    """Each slice is done; keys in bounds and cursors are gone with the end, numbers stay."""
    job = counted.begin(rows=95)

    here.run(job, stop=never)

    assert counted.counts() == [(1, 95)]
    assert counted.slices("state, rows, bounds, cursor") == [("done", 23, {}, None)] * 3 + [
        ("done", 26, {}, None)
    ]
    assert counted.events() == ["batches.started", "batches.finished"]
    assert jobs.progress(jobs.find("count")).seconds_left == 0


def test_same_name_goes_on_and_another_work_of_that_name_is_refused(counted: Counted) -> None:
    """A job is begun once; who begins it again goes on with it, and nobody takes it for something else."""
    job = counted.begin()
    here.run(job, stop=never)

    assert counted.begin().reference == job.reference
    here.run(counted.begin(), stop=never)
    assert counted.counts() == [(1, 40)]
    with pytest.raises(UsageError, match="another work"):
        counted.begin(rows=41)


def test_kind_that_no_app_declares_is_never_imported(counted: Counted) -> None:
    """A dotted path is no kind, however right; a class that is no work isn't taken either."""
    for kind in ("tests.projects.batched.works.Counting", "os.system", "batched.unknown"):
        with pytest.raises(ConfigurationError, match="no kind of work"):
            kinds.build(kind, {"rows": 1})
    with pytest.raises(ConfigurationError, match="is no Work"):
        kinds.build("batched.unfit", {})


def test_batch_that_is_too_much_is_tried_smaller(counted: Counted) -> None:
    """Sizes fall until a batch gets through; at one row the error stands."""
    here.run(counted.begin(rows=40, size=16, fits=5), stop=never)

    assert counted.counts() == [(1, 40)]


def test_batch_of_one_that_is_too_much_fails(counted: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing smaller to try."""
    monkeypatch.setattr(leases, "MOST_TRIES", 1)

    with pytest.raises(BatchesFailed, match="TooMuchAtOnce"):
        here.run(counted.begin(rows=4, parts=1, fits=0), stop=never)

    assert counted.counts() == [(0, 4)]


def test_slice_that_fails_is_given_up_and_the_others_are_done(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a failing batch did is taken back; once its cause is mended the rest is done, each row once."""
    monkeypatch.setattr(leases, "MOST_TRIES", 2)
    job = counted.begin(rows=40, fails_at=17)

    with pytest.raises(BatchesFailed, match="slice 2: ValueError"):
        here.run(job, stop=never)

    assert counted.slices() == [("done",), ("failed",), ("done",), ("done",)]
    assert counted.counts() == [(0, 10), (1, 30)]
    counted.trail.sql("UPDATE accord_batchjob SET arguments = arguments || '{\"fails_at\": 0}'")
    assert jobs.resume(job)
    here.run(job, stop=never)
    assert counted.counts() == [(1, 40)]
    assert counted.events()[1:] == ["batches.finished", "batches.resumed", "batches.finished"]


# --- leases ------------------------------------------------------------------------------------------


def test_worker_whose_lease_went_to_another_writes_nothing(counted: Counted) -> None:
    """Its batch is rolled back with its cursor; nothing of it counts."""
    job = counted.begin(rows=10, parts=1)
    work = kinds.build(job.kind, job.arguments)
    first = leases.claim(job.reference, version=job.version, owner="first", ttl=0.0)
    assert first is not None
    worker = Worker(job=job.reference, name=job.name, work=work)
    second = leases.claim(job.reference, version=job.version, owner="second", ttl=60)
    assert second is not None
    assert second.fence == first.fence + 1

    with pytest.raises(SliceLost):
        worker._done(first, 0.0)

    assert counted.counts() == [(0, 10)]
    leases.give_back(first, error="must not count")
    assert counted.slices("state, owner, error") == [("running", "second", "")]
    leases.keep(second, Done(cursor=None), size=1, seconds=0, ttl=1)
    assert counted.slices() == [("done",)]


def test_one_slice_has_one_worker(counted: Counted) -> None:
    """Two workers never hold the same one, and a third finds none."""
    job = counted.begin(rows=10, parts=2)
    found = [leases.claim(job.reference, version=job.version, owner=str(n), ttl=60) for n in range(3)]

    assert [held and held.number for held in found] == [1, 2, None]


def test_slice_that_ends_its_workers_is_given_up(counted: Counted) -> None:
    """Lease after lease runs out without a batch: it fails, with smaller batches each time before."""
    job = counted.begin(rows=10, parts=1, size=100)
    sizes = []
    for _ in range(leases.MOST_TRIES):
        held = leases.claim(job.reference, version=job.version, owner="mortal", ttl=0)
        assert held is not None
        assert not held.failed
        sizes.append(held.size)

    last = leases.claim(job.reference, version=job.version, owner="mortal", ttl=0)

    assert last is not None
    assert last.failed
    assert sizes == [100, 25, 6, 1, 1]
    with pytest.raises(BatchesFailed, match="workers ended"):
        here.run(job, stop=never)


def test_code_of_another_version_takes_no_slice_and_gives_back_what_it_has(counted: Counted) -> None:
    """Whoever begins or resumes the job decides which code may work on it."""
    job = counted.begin(rows=10, parts=1, size=1)
    old = kinds.build(job.kind, {**job.arguments, "release": "a"})
    worker = Worker(job=job.reference, name=job.name, work=old)

    assert worker.run() == 0
    held = leases.claim(job.reference, version=job.version, owner="now", ttl=60)
    assert held is not None
    jobs.adopt(job, old, place=Place.HERE, workers=1)
    now = Worker(job=job.reference, name=job.name, work=kinds.build(job.kind, job.arguments))
    now._work_on(held)

    assert counted.slices("state, rows") == [("waiting", 0)]
    assert worker.run() == 1
    assert counted.counts() == [(1, 10)]


# --- pause, stop, throttle -----------------------------------------------------------------------------


def test_pause_resume_and_stop_are_heard_between_two_batches(counted: Counted) -> None:
    """A batch is never cut; a stop ends the command, and the job goes on where it stands."""
    job = counted.begin(rows=40, parts=1, size=4)
    worker = Worker(job=job.reference, name=job.name, work=kinds.build(job.kind, job.arguments))
    asked = iter((False, False, False, True, True))
    worker.stop = lambda: next(asked)
    worker.run()
    assert counted.slices("state, rows") == [("waiting", 8)]
    assert jobs.pause(job)
    assert not jobs.pause(job)
    worker.stop = never
    assert worker.run() == 0
    with pytest.raises(Interrupted):
        here.run(job, stop=lambda: True)
    assert jobs.stop(job)
    with pytest.raises(BatchesStopped):
        here.run(job, stop=never)
    assert jobs.resume(job)
    assert not jobs.resume(job)

    here.run(job, stop=never)

    assert counted.counts() == [(1, 40)]
    assert counted.events() == [
        "batches.started",
        *(f"batches.{word}" for word in ("paused", "stopped", "resumed", "finished")),
    ]


def test_all_workers_wait_while_the_store_is_loaded(counted: Counted) -> None:
    """One of them looks, all wait and say why, and go on when it is well."""
    job = counted.begin(rows=8, parts=2, size=1, kind="elsewhere")
    counted.trail.sql(
        "INSERT INTO pressure VALUES (0.3)",
        "UPDATE accord_batchjob SET looked_at = looked_at - interval '1 minute'",
    )
    told: list[str] = []
    worker = Worker(
        job=job.reference,
        name=job.name,
        work=kinds.build(job.kind, job.arguments),
        report=lambda event: told.append(str(event)),
    )
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        counted.trail.sql("DELETE FROM pressure")
        time.sleep(seconds)

    worker.sleep = nap
    worker.run()

    assert naps
    assert any("waits: a test loads it" in text for text in told)
    assert counted.counts() == [(1, 8)]


@pytest.mark.by_turns(3)
def test_who_waits_for_rows_of_a_batch_is_seen_on_the_server(counted: Counted) -> None:
    """The sessions of batches say who they are, and only while they write; other locks aren't ours."""
    job = counted.begin(rows=20, parts=1, size=20, wait=3)
    assert postgres.read(counted.trail.alias).waiting == 0
    counted.start("count", 60)
    until(
        lambda: (
            counted.trail.rows(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'accord batches'"
            )
            == [(1,)]
        )
    )
    with psycopg2.connect(counted.trail.url) as other, other.cursor() as cursor, ThreadPoolExecutor() as pool:
        waiting = pool.submit(cursor.execute, "UPDATE numbers SET visits = 7 WHERE id = 3")
        until(lambda: postgres.read(counted.trail.alias).waiting == 1)

        found = kinds.build(job.kind, job.arguments).pressure()

        assert found.why == "1 session waits for locks that batches have"
        waiting.result()
    other.close()
    until(lambda: postgres.read(counted.trail.alias).waiting == 0)


def test_nothing_is_written_of_people_behind_a_fence(counted: Counted) -> None:
    """A work that names its subject finds in each batch whom to leave out, also of those fenced meanwhile."""
    job = counted.begin(rows=20, parts=2, size=5, kind="sparing")
    tombstones.raise_fence(tombstones.subject_tag("batched.person", 3))
    worker = Worker(job=job.reference, name=job.name, work=kinds.build(job.kind, job.arguments))
    worker.beat = lambda: tombstones.raise_fence(tombstones.subject_tag("batched.person", 17))

    worker.run()

    assert counted.trail.rows("SELECT id FROM numbers WHERE n = 0 ORDER BY id") == [(3,), (17,)]
    assert counted.counts() == [(0, 2), (1, 18)]


def test_error_of_a_work_about_people_is_kept_by_its_class_alone(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says may be a value of the row; that of other works is kept in one line."""
    monkeypatch.setattr(leases, "MOST_TRIES", 1)

    with pytest.raises(BatchesFailed) as failed:
        here.run(counted.begin(rows=4, parts=1, kind="sparing", fails_at=2), stop=never)

    assert counted.slices("error") == [("ValueError",)]
    assert "canary" not in str(failed.value)


# --- processes that die or freeze -------------------------------------------------------------------------


@pytest.mark.by_turns(3)
def test_killed_at_any_line_no_row_is_done_twice_or_forgotten(counted: Counted) -> None:
    """SIGKILL in a seeded line of the engine; the rerun takes the lease of the dead at once."""
    counted.begin(rows=40)
    count = int(counted.start("count", 60, 0).communicate()[0])
    for line in chance("batches").sample(range(1, count), moments(60, 3)):
        counted.trail.sql(
            "UPDATE numbers SET n = 0", "DELETE FROM accord_batchslice", "DELETE FROM accord_batchjob"
        )
        counted.begin(rows=40)
        killed = counted.start("count", 60, line)
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL, line

        here.run(counted.begin(rows=40), stop=never)

        assert counted.counts() == [(1, 40)], line


def test_process_that_was_frozen_past_its_lease_changes_nothing(counted: Counted) -> None:
    """Also in the middle of a batch: the server ends its transaction, and another one does its slice."""
    job = counted.begin(rows=40, parts=2, size=5, wait=0.1)
    frozen = counted.start("count", 1)
    until(lambda: counted.counts() != [(0, 40)])
    os.kill(frozen.pid, signal.SIGSTOP)

    here.run(job, stop=never)

    assert counted.counts() == [(1, 40)]
    os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait(30) == 0
    assert counted.counts() == [(1, 40)]


def test_sessions_that_the_server_ends_are_a_delay(counted: Counted) -> None:
    """In the middle of a batch and between two: what was under way is done again, each row once."""
    job = counted.begin(rows=40, parts=2, size=5, wait=0.1)
    worker = counted.start("count", 1)
    for rows in (0, 20):
        await_more(counted, than=rows)
        counted.trail.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert worker.wait(30) == 0
    assert counted.counts() == [(1, 40)]
    connections[counted.trail.alias].close()
    assert jobs.find(job.name).state == "done"


@pytest.mark.by_turns(3)
def test_work_elsewhere_may_repeat_a_batch_and_comes_to_the_same(counted: Counted) -> None:
    """A kill repeats one batch at most of what another store was written."""
    counted.begin(rows=40, parts=2, size=5, wait=0.1, kind="elsewhere")
    killed = counted.start("count", 60)
    until(lambda: counted.counts() != [(0, 40)])
    killed.kill()
    killed.wait()

    here.run(jobs.find("count"), stop=never)

    assert counted.counts() == [(1, 40)]
    [(repeated,)] = counted.trail.rows("SELECT count(*) FROM numbers WHERE visits > 1")
    assert repeated in (0, 5)


@pytest.mark.by_turns(3)
def test_several_processes_share_a_job(counted: Counted) -> None:
    """Four at once do each row once, and all of them end."""
    counted.begin(rows=200, parts=8, size=5)
    workers = [counted.start("count", 60) for _ in range(4)]

    assert [worker.wait(60) for worker in workers] == [0] * 4
    assert counted.counts() == [(1, 200)]
    assert counted.state() == "done"
    assert counted.events() == ["batches.started", "batches.finished"]
