"""Fill the sample service with people, music and habits that are the same on every machine."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser

from accord import conf
from accord.command import AnsweringCommand
from accord.errors import ExitCode, NotConfirmed, UsageError
from examples.streaming.models import Listener
from examples.streaming.seeding.chance import Chance
from examples.streaming.seeding.seeder import Amounts, Progress, Seeder, totals
from migrator.engine.api import Migrations
from migrator.engine.request import Request
from migrator.errors import WrongEnvironment

REAL_ENVIRONMENTS = frozenset({"staging", "production"})
# Keys of documents hold the number of a listener in four bytes.
MOST = 2**32 - 1


class Command(AnsweringCommand):
    """`manage.py streaming_seed`."""

    help = (
        "Fills PostgreSQL, MongoDB and the search indexes with sample data. "
        "The same seed gives the same data; what is there already stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        parser.add_argument(
            "--listeners", type=whole_number, default=1000, help="How many listeners (default: 1000)."
        )
        parser.add_argument(
            "--tracks", type=positive_number, default=400, help="How many tracks (default: 400)."
        )
        parser.add_argument("--venues", type=whole_number, default=42, help="How many venues (default: 42).")
        parser.add_argument("--seed", type=int, default=42, help="What decides everything (default: 42).")
        parser.add_argument(
            "--batch-size",
            type=positive_number,
            default=1000,
            help="How many listeners are held in memory at once (default: 1000).",
        )
        parser.add_argument(
            "--noinput", "--no-input", action="store_false", dest="interactive", help="Never ask a question."
        )
        parser.add_argument(
            "--format",
            choices=("text", "json"),
            default="text",
            help="How to write the answer (default: text).",
        )

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Check that the stores are ready, write, and sum up."""
        refuse_real_environment()
        refuse_pending_steps()
        before = totals()
        if options["interactive"] and has_real_listeners():
            confirm()
        amounts = Amounts(**{name: options[name] for name in ("listeners", "tracks", "venues", "batch_size")})
        started = time.monotonic()
        with progress(options["verbosity"]) as report:
            Seeder(Chance(options["seed"]), amounts, report).run()
        self._sum_up(before, totals(), time.monotonic() - started, options)
        return ExitCode.DONE

    def _sum_up(
        self, before: Mapping[str, int], after: Mapping[str, int], seconds: float, options: dict[str, Any]
    ) -> None:
        added = {place: after[place] - before[place] for place in after}
        if options["format"] == "json":
            document = {
                "schema": "accord.sample.seed/1",
                "seed": options["seed"],
                "seconds": round(seconds, 3),
                "added": added,
                "totals": dict(after),
            }
            self.stdout.write(json.dumps(document, indent=2))
            return
        width = max(map(len, after))
        for place, total in after.items():
            self.stdout.write(f"{place:<{width}}  {total:>9,}  ({added[place]:,} added)")
        self.stdout.write(f"Seed {options['seed']}: {sum(added.values()):,} added in {seconds:.1f} s.")


def whole_number(text: str) -> int:
    """
    Read a number from 0 on.

    Raises:
        ArgumentTypeError: It isn't one.
    """
    if not text.isdecimal() or int(text) > MOST:
        raise ArgumentTypeError(f"“{text}” is no whole number from 0 to {MOST}")
    return int(text)


def positive_number(text: str) -> int:
    """
    Read a number from 1 on.

    Raises:
        ArgumentTypeError: It isn't one.
    """
    number = whole_number(text)
    if number == 0:
        raise ArgumentTypeError("0 is too few")
    return number


def refuse_real_environment() -> None:
    """
    Keep invented people out of an environment that real people use.

    Raises:
        WrongEnvironment: The settings describe such a one.
    """
    environment = conf.load().environment
    if environment in REAL_ENVIRONMENTS:
        raise WrongEnvironment(
            f"The settings describe “{environment}”; sample data have no place there.",
            hint="Use an environment for development or tests.",
        )


def refuse_pending_steps() -> None:
    """
    Make sure that every table, collection and index is there.

    Raises:
        UsageError: Steps are pending.
    """
    migrations = Migrations()
    pending = migrations.plan(Request(), migrations.situation()).steps
    if pending:
        raise UsageError(
            f"{len(pending)} steps are pending, the first is {pending[0].key}.",
            hint="Run this first: python manage.py migrate_all",
        )


def has_real_listeners() -> bool:
    """Tell whether there is a listener that no seed made."""
    return Listener.objects.exclude(email__endswith="@example.com").exists()


def confirm() -> None:
    """
    Ask before adding to somebody's listeners, if a person is there to be asked.

    Raises:
        NotConfirmed: The answer was not yes.
    """
    if not sys.stdin.isatty():
        return
    sys.stderr.write("There are listeners of your own; sample data will be added to them. Continue? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmed("Not confirmed; nothing was changed.")


@contextmanager
def progress(verbosity: int) -> Iterator[Progress]:
    """Show on standard error how far the work is: a bar on a terminal, a line each tenth elsewhere."""
    if verbosity == 0:
        yield _nothing
    elif not sys.stderr.isatty():
        yield _lines()
    else:
        with _bars() as report:
            yield report


def _nothing(what: str, done: int, total: int) -> None:
    """Say nothing."""


def _lines() -> Progress:
    tenths: dict[str, int] = {}

    def report(what: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > tenths.get(what, 0):
            tenths[what] = tenth
            sys.stderr.write(f"{what}: {done:,} of {total:,}\n")
            sys.stderr.flush()

    return report


@contextmanager
def _bars() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    tasks: dict[str, TaskID] = {}
    with Bars(console=Console(stderr=True), transient=True) as bars:

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield report
