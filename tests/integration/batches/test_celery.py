"""Jobs on Celery workers over a real Redis: whatever happens to either, each row is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from celery import Celery
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from accord.batch_models import Place
from accord.batches import jobs, kinds, steering
from accord.batches.settings import TASK
from accord.errors import StoreUnavailable
from tests.fix_batches import Broker, Counted

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

COMMAND = ("-m", "django", "batch_jobs")
APP = "tests.projects.batched.celery_app"
POOL = (
    *("worker", "-Q", "batched", "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)


@pytest.fixture
def spread(counted: Counted, broker: Broker) -> Counted:
    """Give rows to be counted by Celery workers."""
    return replace(counted, extra={"BATCHED_BROKER": broker.url})


def workers(spread: Counted, *, count: int = 4, app: str = APP, **extra: str) -> subprocess.Popen[str]:
    """Start a pool of worker processes."""
    made = replace(spread, extra={**spread.extra, **extra})
    return made.start("-A", app, *POOL, "--concurrency", count, program=("-m", "celery"))


def ended(command: subprocess.Popen[str], pool: subprocess.Popen[str]) -> str:
    """Wait for a command to be done, end the workers, and return what the command told."""
    out, told = command.communicate(timeout=90)
    pool.terminate()
    pool.wait(30)
    assert command.returncode == 0, out + told
    return told


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it didn't come"
        time.sleep(0.05)


def owners(spread: Counted) -> set[int]:
    """Return the processes that work on a slice at the moment."""
    rows = spread.trail.rows(
        "SELECT (owner::json ->> 'pid')::int FROM accord_batchslice WHERE state = 'running'"
    )
    return {pid for (pid,) in rows}


def test_four_workers_share_a_job_whatever_else_is_in_the_broker(spread: Counted, broker: Broker) -> None:
    """Tasks of another project, messages that can't be read, and ours many times over change nothing."""
    job = spread.begin(rows=160, parts=8, size=5, wait=0.05)
    app = Celery(broker=broker.url)
    app.send_task("shop.send_letter", args=[1], queue="batched")
    with app.connection() as connection, connection.Producer() as producer:
        producer.publish("no task at all", exchange="batched", routing_key="batched")
    for reference in [job.reference] * 8 + ["ff" * 16]:
        app.send_task(TASK, kwargs={"job": reference}, queue="batched")
    app.send_task(TASK, kwargs={"job": job.reference, "work": "os.system"}, queue="batched")
    pool = workers(spread)

    told = ended(spread.start("run", "count", "--workers", "celery", "--jobs", 4, program=COMMAND), pool)

    assert spread.counts() == [(1, 160)], told
    assert spread.state() == "done"
    [(hands,)] = spread.trail.rows("SELECT count(DISTINCT owner) FROM accord_batchslice")
    assert hands == 4


def test_worker_that_is_killed_or_frozen_repeats_and_loses_nothing(spread: Counted) -> None:
    """What a killed one was at is taken at once, what a frozen one was at when its lease is over."""
    spread.begin(rows=200, parts=8, size=5, wait=0.1)
    pool = workers(spread)
    command = spread.start("run", "count", "--workers", "celery", "--jobs", 4, program=COMMAND)
    until(lambda: len(owners(spread)) == 4)
    killed, frozen, *_ = sorted(owners(spread))
    os.kill(frozen, signal.SIGSTOP)
    os.kill(killed, signal.SIGKILL)

    out, told = command.communicate(timeout=90)

    assert command.returncode == 0, out + told
    assert spread.counts() == [(1, 200)]
    os.kill(frozen, signal.SIGCONT)
    time.sleep(0.5)
    assert spread.counts() == [(1, 200)]
    pool.terminate()
    pool.wait(30)


def test_broker_that_loses_everything_is_a_delay(spread: Counted, broker: Broker) -> None:
    """Emptied, eaten by a worker that knows nothing of us, gone and back: workers are asked anew."""
    spread.begin(rows=60, parts=6, size=5, wait=0.05)
    eater = workers(spread, count=1, app="tests.projects.batched.foreign")
    command = spread.start("run", "count", "--workers", "celery", "--jobs", 2, program=COMMAND)
    until(lambda: spread.trail.rows("SELECT asked_at IS NOT NULL FROM accord_batchjob") == [(True,)])
    time.sleep(1)
    eater.kill()
    eater.wait()
    assert spread.counts() == [(0, 60)]
    broker.stop()
    time.sleep(1.5)
    broker.start()
    with broker.client() as client:
        client.flushall()
    pool = workers(spread, count=2)

    told = ended(command, pool)

    assert "workers are asked anew" in told
    assert spread.counts() == [(1, 60)]


def test_workers_of_another_version_leave_the_job_to_those_of_its_own(spread: Counted) -> None:
    """They pass the message on, and touch no slice; in the background nobody waits, and cron tends."""
    spread.begin(rows=40, parts=4, size=5)
    old = workers(spread, count=1, BATCHED_RELEASE="a")
    handed = spread.start("run", "count", "--workers", "celery", "--background", program=COMMAND)
    assert handed.communicate(timeout=60)[0].count("4 waiting") == 1
    assert handed.returncode == 0
    time.sleep(1)
    assert spread.slices("state, fence") == [("waiting", 0)] * 4
    old.kill()
    old.wait()
    pool = workers(spread, count=1)
    until(
        lambda: (
            spread.trail.rows("SELECT asked_at < now() - interval '1 second' FROM accord_batchjob")
            == [(True,)]
        )
    )

    tended = spread.start("tend", program=COMMAND)

    assert "count: workers are asked anew" in tended.communicate(timeout=60)[0]
    until(lambda: spread.state() == "done")
    assert spread.counts() == [(1, 40)]
    assert jobs.find("count").place == "celery"
    pool.terminate()
    pool.wait(30)


def test_broker_that_is_away_is_told_before_anything_is_waited_for(spread: Counted, broker: Broker) -> None:
    """The job stays as it is, and can go on without it."""
    spread.begin()
    broker.stop()

    away = spread.start("run", "count", "--workers", "celery", program=COMMAND)

    told = away.communicate(timeout=60)[1]
    assert (away.returncode, "ACC-601" in told) == (8, True), told
    broker.start()
    here = spread.start("run", "count", program=COMMAND)
    assert here.wait(60) == 0
    assert spread.counts() == [(1, 40)]


def test_resuming_asks_the_workers_again(counted: Counted, broker: Broker, settings: Settings) -> None:
    """From the admin or a command; where the broker is away the job runs all the same, and that is told."""
    settings.CELERY_BROKER_URL = broker.url
    workers = {"APP": f"{APP}.app", "QUEUE": "batched"}
    settings.ACCORD = {**settings.ACCORD, "WORKERS": workers}
    job = counted.begin()
    jobs.adopt(job, kinds.build(job.kind, job.arguments), place=Place.CELERY, workers=3)
    person = User(pk=1, username="officer", is_active=True, is_superuser=True)
    steering.steer(job, "pause", person)

    steering.steer(job, "resume", person)

    with broker.client() as client:
        assert client.llen("batched") == 3
    steering.steer(job, "pause", person)
    broker.stop()
    with pytest.raises(StoreUnavailable, match="broker"):
        steering.steer(job, "resume", person)
    assert counted.state() == "running"
    broker.start()


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"BATCHED_APP": "tests.projects.batched.nothing.app"}, "can't be imported"),
        ({"BATCHED_APP": "tests.projects.batched.works.KNOWN"}, "is no Celery app"),
    ],
)
def test_check_tells_that_the_workers_cannot_be_used(
    spread: Counted, environment: dict[str, str], text: str
) -> None:
    """A path that leads nowhere, or to something else: accord.E007."""
    made = replace(spread, extra={**spread.extra, **environment})

    checked = made.start("check", program=("-m", "django"))

    told = checked.communicate(timeout=60)[1]
    assert checked.returncode == 1
    assert "accord.E007" in told
    assert text in told


def test_check_passes_an_app(spread: Counted) -> None:
    """The project's own app passes the check."""
    checked = spread.start("check", program=("-m", "django"))

    out, told = checked.communicate(timeout=60)
    assert checked.returncode == 0, out + told
