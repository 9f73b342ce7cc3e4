"""What a person sees while a run goes on: one line a step, and a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from accord import process
from accord.cli.printable import harmless
from accord.events import Event, LeaseAwaited, Reporter, StepNoted, StepProgressed, StepWaited
from accord.seam.types import Direction, Origin, Step, StepOutcome
from accord.words import duration
from migrator.engine.events import RunNoted, StepBroke, StepFinished, StepSkipped, StepStarted

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_VERBS = {Direction.APPLY: "applied", Direction.REVERT: "reverted"}


def line_for(event: Event, verbosity: int) -> str | None:
    """
    Put an event into one line.

    Args:
        event: Any event.
        verbosity: 0 says failures only, 1 every step, 2 notes too.

    Returns:
        None when it is not worth a line.
    """
    match event:
        case StepFinished() if verbosity > 0:
            return _finished(event)
        case StepBroke():
            return f"{event.step.key}  FAILED after {event.seconds:.2f} s"
        case StepSkipped():
            return f"{event.step.key}  left out: it needs {event.because.key}"
        case _:
            return _note(event) if verbosity > 0 else None


def _note(event: Event) -> str | None:
    match event:
        case StepNoted():
            return f"{event.key}  {event.note}"
        case StepWaited():
            return f"{event.key}  {event.words}"
        case RunNoted():
            return event.note
        case _:
            return None


def _finished(event: StepFinished) -> str:
    width = len(str(event.total))
    verb = _verb(event.outcome)
    changed = f", {event.outcome.changed:,} changed" if event.outcome.changed else ""
    detail = f" ({event.outcome.detail})" if event.outcome.detail else ""
    return (
        f"[{event.position:>{width}}/{event.total}] {event.step.key}  "
        f"{verb} in {event.seconds:.2f} s{changed}{detail}"
    )


def _verb(outcome: StepOutcome) -> str:
    if outcome.already:
        return "was there already" if outcome.direction is Direction.APPLY else "was not touched"
    return "recorded" if outcome.origin is Origin.RECORDED else _VERBS[outcome.direction]


class Pace:
    """
    Tells how long steps will take, from how far they came since they were first heard of.

    Args:
        clock: Seconds that pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: dict[str, tuple[float, int]] = {}

    def left(self, event: StepProgressed) -> float | None:
        """Return the seconds that are left of a step; None while that can't be known."""
        at, done = self._began.setdefault(event.key, (self._clock(), event.done))
        if event.total is None or event.done <= done:
            return None
        return (event.total - event.done) * (self._clock() - at) / (event.done - done)


class PlainProgress:
    """
    Writes lines, for logs and pipes.

    Args:
        stream: Where to.
        verbosity: As in :func:`line_for`.
    """

    def __init__(self, stream: TextIO, verbosity: int) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._heard = True
        self._awaited = ""
        self._tenths: dict[str, int] = {}
        self._pace = Pace()

    def __call__(self, event: Event) -> None:
        """Write a line about an event that deserves one."""
        line = self._special(event) or line_for(event, self._verbosity)
        if line is not None and self._heard:
            self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._stream.write(f"{harmless(line)}\n")
            self._stream.flush()
        except BrokenPipeError:
            # Who stops listening (`2>&1 | head`) does not stop the work.
            self._heard = False

    def _special(self, event: Event) -> str | None:
        """Report a wait once, and progress in tenths: a log is no place for a thousand lines."""
        if isinstance(event, LeaseAwaited) and event.run_id != self._awaited and self._verbosity:
            self._awaited = event.run_id
            return waiting_line(event)
        if isinstance(event, StepProgressed) and event.total and self._verbosity:
            left = self._pace.left(event)
            tenth = 10 * event.done // event.total
            if tenth > self._tenths.get(event.key, 0):
                self._tenths[event.key] = tenth
                time_left = f", {duration(left)} left" if left else ""
                return f"{event.key}  {event.done:,} of {event.total:,}{time_left}"
        return None


def waiting_line(event: LeaseAwaited) -> str:
    """Describe who holds the lease."""
    holder = f"run {event.run_id} ({process.describe(event.owner)}, since {event.age:.0f} s)"
    return f"Waiting for {holder}; giving up in {event.left:.0f} s."


@contextmanager
def progress(verbosity: int, stream: TextIO | None = None) -> Iterator[Reporter]:
    """
    Show a run's progress on standard error: a bar on a terminal, lines elsewhere.

    Args:
        verbosity: 0 shows failures only.
        stream: Where to; standard error by default.

    Yields:
        The reporter to hand to the engine.
    """
    stream = stream or sys.stderr
    if verbosity == 0:
        yield PlainProgress(stream, 0)
    elif not stream.isatty():
        yield PlainProgress(stream, verbosity)
    else:
        with _bar(verbosity, stream) as reporter:
            yield reporter


@contextmanager
def _bar(verbosity: int, stream: TextIO) -> Iterator[Reporter]:
    """Show a bar for the run, one for each store that is at a step, and a line for each step that is over."""
    # Loaded here: a run in a pipeline never draws, and should not pay for it.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    text, times = TextColumn("{task.description}"), (TimeElapsedColumn(), TimeRemainingColumn())
    columns = (text, BarColumn(), MofNCompleteColumn(), *times)
    with Progress(*columns, console=Console(file=stream), transient=True) as bar:
        yield _Bars(bar, verbosity)


class _Bars:
    """Draws a run; stores may be at a step at the same time."""

    def __init__(self, bar: Progress, verbosity: int) -> None:
        self._bar = bar
        self._verbosity = verbosity
        self._run = bar.add_task("waiting", total=None)
        self._over = 0
        self._stores: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Move the bars, and write the line of an event that deserves one."""
        match event:
            case LeaseAwaited():
                self._bar.update(self._run, description=_escaped(waiting_line(event)))
            case StepStarted():
                self._bar.update(self._run, description="steps", total=event.total)
                self._bar.reset(self._of(event.step), description=str(event.step.key), visible=True)
            case StepProgressed():
                store = event.key.partition(":")[0]
                self._bar.update(self._stores[store], completed=event.done, total=event.total)
            case StepFinished() | StepBroke() | StepSkipped():
                self._over += 1
                self._bar.update(self._run, completed=self._over)
                self._bar.update(self._of(event.step), visible=False)
        line = line_for(event, self._verbosity)
        if line is not None:
            colour = "red" if isinstance(event, StepBroke) else "green"
            self._bar.console.print(f"[{colour}]{_escaped(line)}[/]", highlight=False)

    def _of(self, step: Step) -> TaskID:
        if step.key.store not in self._stores:
            self._stores[step.key.store] = self._bar.add_task("", total=None, visible=False)
        return self._stores[step.key.store]


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(harmless(text))
