"""How an operation that works in batches says how far it is; under plain `migrate` nobody listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from accord.events import Reporter, StepProgressed
from accord.seam.types import Lease, Step

_listener: ContextVar[Callable[[int, int], None] | None] = ContextVar("migrator_progress", default=None)


@contextmanager
def heard(step: Step, lease: Lease, report: Reporter) -> Iterator[None]:
    """
    Report what goes on inside; work ends between two batches where the lease is lost.

    Args:
        step: The step.
        lease: Whose right it is.
        report: Whom to tell.
    """

    def listen(done: int, total: int) -> None:
        lease.check()
        report(StepProgressed(key=str(step.key), done=done, total=total))

    before = _listener.set(listen)
    try:
        yield
    finally:
        _listener.reset(before)


def is_heard() -> bool:
    """Return whether anybody listens; who doesn't count for anything else can spare it."""
    return _listener.get() is not None


def went_on(done: int, total: int) -> None:
    """
    Say how far work is; between two batches, where nothing is half done.

    Args:
        done: Rows that are done, those of an earlier, killed run included.
        total: Rows that there are, about.
    """
    if listener := _listener.get():
        listener(done, max(done, total))
