"""What people read while servers are fetched, started and stopped: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from accord.events import Event, FetchProgressed, Reporter, ServerReady, ServerStarting, ServerStopped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_MEGABYTE = 1_000_000
_TENTHS = 10


@contextlib.contextmanager
def reporter_for(stream: TextIO, why: str = "") -> Iterator[Reporter]:
    """
    Yield a reporter that talks to people.

    Args:
        stream: Where to, usually standard error.
        why: What makes servers start, for those who did not ask for it.

    Yields:
        The reporter; it may be called until the block ends.
    """
    with contextlib.ExitStack() as stack:
        yield _Bars(stream, why, stack) if stream.isatty() else _Lines(stream, why)


def sentence(event: Event, why: str = "") -> str | None:
    """Describe an event in a line; None when there is nothing to report."""
    match event:
        case ServerStarting(store=store):
            return f"{store}: starting the embedded server{f' ({why})' if why else ''} ..."
        case ServerReady(store=store, seconds=seconds):
            return f"{store}: ready after {seconds:.1f} s"
        case ServerStopped(store=store):
            return f"{store}: stopped"
        case _:
            return None


class _Lines:
    """One line an event, and one for each tenth of a download."""

    def __init__(self, stream: TextIO, why: str) -> None:
        self._stream = stream
        self._why = why
        self._said: dict[str, int] = {}

    def __call__(self, event: Event) -> None:
        line = self._fetch_line(event) if isinstance(event, FetchProgressed) else sentence(event, self._why)
        if line:
            self._stream.write(line + "\n")
            self._stream.flush()

    def _fetch_line(self, event: FetchProgressed) -> str | None:
        done = f"{event.done / _MEGABYTE:.1f}"
        if not event.total:
            tenth, text = event.done // (20 * _MEGABYTE), f"{done} MB"
        else:
            tenth, text = event.done * _TENTHS // event.total, f"{done} of {event.total / _MEGABYTE:.1f} MB"
        if tenth <= self._said.get(event.what, -1):
            return None
        self._said[event.what] = tenth
        return f"{event.store}: fetching {event.what}: {text}"


class _Bars:
    """A bar for each download, and lines above them."""

    def __init__(self, stream: TextIO, why: str, stack: contextlib.ExitStack) -> None:
        self._lines = _Lines(stream, why)
        self._stream = stream
        self._why = why
        self._stack = stack
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, FetchProgressed):
            self._advance(event, self._shown())
        elif self._progress is None:
            self._lines(event)
        elif line := sentence(event, self._why):
            self._progress.console.print(line, markup=False, highlight=False)

    def _advance(self, event: FetchProgressed, progress: Progress) -> None:
        if event.what not in self._tasks:
            self._tasks[event.what] = progress.add_task(f"{event.store}: {event.what}", total=event.total)
        progress.update(self._tasks[event.what], completed=event.done, total=event.total)

    def _shown(self) -> Progress:
        if self._progress is None:
            self._progress = self._stack.enter_context(_bars(self._stream))
        return self._progress


def _bars(stream: TextIO) -> Progress:
    # Loaded here: every command of a project with embedded servers asks whether they run, and few fetch any.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(file=stream), transient=True)
