"""A request, written as the flags of migrate_all that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

from accord.seam.types import Direction
from migrator.engine.plan import Target
from migrator.engine.request import Request
from migrator.models import RunKind


def flags_of(request: Request) -> Iterator[str]:
    """Write a request as the flags that ask for it."""
    if request.kind is RunKind.FORGET:
        yield f"--forget {request.target.step}"
    elif request.rebuild:
        yield from _rebuilding(request)
    else:
        yield from _acting(request)
        yield from _reaching(request.target)
        yield from (f"--unsafe-ddl={key}" for key in request.unsafe_ddl)
        if request.tag:
            yield f"--tag {request.tag}"


def _acting(request: Request) -> Iterator[str]:
    if request.kind in (RunKind.BASELINE, RunKind.FAKE):
        yield f"--{request.kind.value}"
    if request.trust_unproved:
        yield "--trust-unproved"
    if request.direction is Direction.REVERT:
        yield "--revert"
    if request.even_with_data and request.kind is RunKind.REVERT:
        yield "--even-with-data"


def _reaching(target: Target) -> Iterator[str]:
    if target.app:
        yield target.app
    yield from (f"--store {alias}" for alias in target.stores)
    named = {"to": target.to, "phase": target.phase or "", "step": target.step, "run": target.run_id}
    named["to-tag"] = target.tag
    yield from (f"--{name} {value}" for name, value in named.items() if value)


def command_of(request: Request) -> str:
    """Write the command that asks for the same again."""
    why = ['--reason "WHY"'] if request.unsafe_ddl else []
    return " ".join(["migrate_all", *flags_of(request), *why])


def _rebuilding(request: Request) -> Iterator[str]:
    [store] = request.target.stores
    yield f"--rebuild {store}:{request.target.app}" if request.target.app else f"--rebuild {store}"
    if request.data_is_lost:
        yield "--data-is-lost"
