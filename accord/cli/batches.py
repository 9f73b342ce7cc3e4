"""What `batch_jobs` does, one function a verb, and what it answers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from accord.batch_models import BatchJob, JobState, Place
from accord.batches import asking, celery_workers, here, jobs, kinds, processes, steering
from accord.batches.settings import required
from accord.cli.answer import Answer
from accord.cli.arguments import add_acting, add_format, add_noinput
from accord.display import day
from accord.errors import ExitCode, UsageError
from accord.events import Event, Reporter, StepNoted, StepProgressed
from accord.proof import Credentials
from accord.words import counted, duration

SCHEMA = "accord.batch_job/1"


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """
    What a call asks for.

    Attributes:
        verb: What to do.
        name: Of the job.
        count: How many work on it at a time; 1 for this process alone.
        place: Where they do.
        background: Whether nobody waits for it.
        state: The list shows jobs in this state alone; empty for all.
        who: What is said of who acts.
        as_json: Whether the answer is a JSON document.
    """

    verb: str
    name: str
    count: int
    place: Place
    background: bool
    state: str
    who: Credentials
    as_json: bool

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> BatchOptions:
        """
        Read what the command line gave.

        Raises:
            UsageError: What the verb needs is missing.
        """
        asked = cls(
            verb=options["verb"],
            name=options["name"],
            count=options["count"],
            place=place_of(options["workers"], options["count"]),
            background=options["background"],
            state=options["state"],
            who=Credentials.read(options),
            as_json=options["format"] == "json",
        )
        if asked.background and asked.place is not Place.CELERY:
            raise UsageError("Nothing works in the background without workers.", hint="Add --workers celery.")
        if asked.verb not in ("list", "tend") and not asked.name:
            raise UsageError("Name the job.", hint="batch_jobs list shows them.")
        return asked


def add_batch_arguments(parser: ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument("verb", choices=("list", "show", "run", *steering.ACTS, "tend"), help="What to do.")
    parser.add_argument("name", nargs="?", default="", help="The job, or the beginning of its reference.")
    add_workers(parser, of="run: ")
    parser.add_argument(
        "--background", action="store_true", help="run: ask the workers, and don't wait for them."
    )
    parser.add_argument(
        "--state", choices=JobState.values, default="", help="list: jobs in this state alone."
    )
    add_acting(parser)
    add_noinput(parser)
    add_format(parser)


def carry_out(asked: BatchOptions, report: Reporter, stop: Callable[[], bool]) -> Answer:
    """
    Do what is asked for.

    Args:
        asked: That.
        report: Hears how far a job is.
        stop: Whether to end after the batch.

    Raises:
        AccordError: It can't be done, or a slice of the job failed.
    """
    if asked.verb == "list":
        return _list(asked)
    if asked.verb == "tend":
        return _tended()
    job = jobs.find(asked.name)
    if asked.verb == "run":
        _run(job, asked, report, stop)
    elif asked.verb in steering.ACTS:
        return _steered(job, asked)
    return _shown(job)


def add_workers(parser: ArgumentParser, of: str = "") -> None:
    """
    Add the flags that say who works.

    Args:
        parser: Takes them.
        of: What their help begins with: the verb that they belong to.
    """
    many = "in this many processes of this machine, or by this many workers."
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        dest="count",
        metavar="N",
        help=of + many if of else many.capitalize(),
    )
    who = "who works (default: here)."
    parser.add_argument(
        "--workers",
        choices=("here", "celery"),
        default="here",
        help=of + who if of else who.capitalize(),
    )


def place_of(workers: str, count: int) -> Place:
    """
    Return where a job runs by what `--workers` and `--jobs` say.

    Raises:
        UsageError: Nobody would work.
    """
    if count < 1:
        raise UsageError("At least one worker works.", hint="Give --jobs a number from 1 on.")
    if workers == "celery":
        return Place.CELERY
    return Place.HERE if count == 1 else Place.PROCESSES


def _list(asked: BatchOptions) -> Answer:
    found = list(jobs.all_of_them().filter(**({"state": asked.state} if asked.state else {})))
    return Answer(
        document={"schema": "accord.batch_jobs/1", "jobs": [_document(job) for job in found]},
        lines=[_line(job) for job in found] or ["There are no jobs in batches."],
    )


def _run(job: BatchJob, asked: BatchOptions, report: Reporter, stop: Callable[[], bool]) -> None:
    if job.state == JobState.DONE:
        return
    jobs.adopt(job, kinds.build(job.kind, job.arguments), place=asked.place, workers=asked.count)
    # Who runs it says by that that it goes on, whoever stopped it; a pause is somebody's wish for now.
    if job.state in jobs.ENDED:
        jobs.resume(job)
    if asked.background:
        asking.ask(job, required())
    else:
        work_on(job, report, stop)
    job.refresh_from_db()


def work_on(job: BatchJob, report: Reporter, stop: Callable[[], bool]) -> None:
    """
    Work on a job until it is done, where it says that it runs.

    Args:
        job: The job.
        report: Hears how far it is.
        stop: Whether to end after the batch.

    Raises:
        BatchesFailed, BatchesStopped, Interrupted: As :func:`accord.batches.here.run`.
    """
    if job.place == Place.HERE:
        here.run(job, report=report, stop=stop)
    elif job.place == Place.PROCESSES:
        processes.run(job, count=job.workers, report=report, stop=stop)
    else:
        celery_workers.run(job, report=report, stop=stop)


def _tended() -> Answer:
    """Ask workers anew for jobs that nobody works on."""
    workers = required()
    asked = [job for job in asking.waiting(workers.patience) if asking.ask_again(job, workers)]
    return Answer(
        document={"schema": "accord.batch_jobs/1", "jobs": [_document(job) for job in asked]},
        lines=[f"{job.name}: workers are asked anew." for job in asked] or ["No job waits for workers."],
    )


def _steered(job: BatchJob, asked: BatchOptions) -> Answer:
    changed = steering.steer(job, asked.verb, asked.who.account(deciding=True))
    shown = _shown(job)
    if changed:
        return shown
    return Answer(
        document=shown.document,
        lines=[f"{job.name} is {job.state}; nothing was changed."],
        code=ExitCode.BLOCKED,
    )


def _shown(job: BatchJob) -> Answer:
    far = jobs.progress(job)
    states = ", ".join(f"{number:,} {state}" for state, number in far.slices.items())
    lines = [
        _line(job),
        f"{counted(far.count, 'slice')}: {states or 'none'}",
        f"{counted(far.rows, 'row')}, {far.speed:,.0f} a second, {duration(far.seconds_left)} left",
    ]
    error = jobs.first_error(job)
    return Answer(document={"schema": SCHEMA, **_document(job)}, lines=[*lines, *([error] if error else [])])


def _line(job: BatchJob) -> str:
    return f"{job.reference[:8]}  {job.state:<8}  {day(job.made_at)}  {job.name}  {job.held_why}".rstrip()


def _document(job: BatchJob) -> dict[str, Any]:
    far = jobs.progress(job)
    return {
        "reference": job.reference,
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "place": job.place,
        "slices": dict(far.slices),
        "rows": far.rows,
        "bytes": far.bytes,
        "expected": None if far.expected is None else round(far.expected),
        "rows_per_second": round(far.speed, 1),
        "seconds_left": None if far.seconds_left is None else round(far.seconds_left, 1),
        "waits_for": job.held_why or None,
        "error": jobs.first_error(job) or None,
        "made_at": job.made_at.isoformat(timespec="seconds"),
        "ended_at": None if job.ended_at is None else job.ended_at.isoformat(timespec="seconds"),
    }


def telling(write: Callable[[str], object]) -> Reporter:
    """
    Return a reporter that writes notes, and progress in tenths.

    Args:
        write: Takes a line.
    """
    tenths = 0

    def report(event: Event) -> None:
        nonlocal tenths
        if isinstance(event, StepNoted):
            write(f"{event.key}  {event.note}")
        if isinstance(event, StepProgressed) and event.total:
            now = 10 * event.done // event.total
            if now > tenths:
                tenths = now
                write(f"{event.key}  {event.done:,} of {event.total:,}")

    return report
