"""A request, written as the flags of migrate_all that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

from accord.seam.types import Direction
from migrator.engine.request import Request
from migrator.models import RunKind


def flags_of(request: Request) -> Iterator[str]:
    """Write a request as the flags that ask for it."""
    target = request.target
    if request.kind is RunKind.FORGET:
        yield f"--forget {target.step}"
        return
    if request.kind in (RunKind.BASELINE, RunKind.FAKE):
        yield f"--{request.kind.value}"
    if request.trust_unproved:
        yield "--trust-unproved"
    if request.direction is Direction.REVERT:
        yield "--revert"
    if target.app:
        yield target.app
    yield from (f"--store {alias}" for alias in target.stores)
    named = {"to": target.to, "phase": target.phase or "", "step": target.step, "run": target.run_id}
    named["to-tag"] = target.tag
    yield from (f"--{name} {value}" for name, value in named.items() if value)
    if request.tag:
        yield f"--tag {request.tag}"


def command_of(request: Request) -> str:
    """Write the command that asks for the same again."""
    flags = [_rebuilding(request)] if request.rebuild else list(flags_of(request))
    return " ".join(["migrate_all", *flags])


def _rebuilding(request: Request) -> str:
    [store] = request.target.stores
    what = f"--rebuild {store}:{request.target.app}" if request.target.app else f"--rebuild {store}"
    return f"{what} --data-is-lost" if request.data_is_lost else what
