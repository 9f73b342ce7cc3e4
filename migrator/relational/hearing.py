"""Who hears of an operation while it goes on, and may stop it: Django hands it an editor alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from accord import stopping
from accord.errors import Interrupted
from accord.events import Reporter, StepNoted, StepProgressed
from accord.seam.types import Lease, StepKey


@dataclass(frozen=True)
class Hearing:
    """
    The run that an operation is part of.

    Attributes:
        key: The step.
        lease: The right to write.
        report: Hears of it.
    """

    key: StepKey
    lease: Lease
    report: Reporter


_NOW: ContextVar[Hearing | None] = ContextVar("hearing", default=None)


@contextmanager
def heard(hearing: Hearing) -> Iterator[None]:
    """Let operations of the body be heard."""
    token = _NOW.set(hearing)
    try:
        yield
    finally:
        _NOW.reset(token)


def is_heard() -> bool:
    """Return whether anybody hears it; a count for nothing else can be spared then."""
    return _NOW.get() is not None


def progressed(done: int, total: int | None) -> None:
    """Tell how many rows are done; under Django's own `migrate` nobody hears it."""
    if hearing := _NOW.get():
        hearing.report(StepProgressed(key=str(hearing.key), done=done, total=total))


def noted(text: str) -> None:
    """Tell something that an operator should read."""
    if hearing := _NOW.get():
        hearing.report(StepNoted(key=str(hearing.key), note=text))


def check() -> None:
    """
    Make sure, between two batches, that the next one may be done.

    Raises:
        LeaseError: The lease was lost.
        Interrupted: A person asked to stop.
    """
    hearing = _NOW.get()
    if hearing is None:
        return
    hearing.lease.check()
    if stopping.wished():
        raise Interrupted(
            f"Stopped on request between two batches of {hearing.key}; what is done stays.",
            hint="Run the same command again to continue.",
        )
