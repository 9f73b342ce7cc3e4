"""What `partition` answers: for people, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from accord.cli.answer import Answer
from accord.errors import ExitCode
from accord.words import counted
from migrator.partitions.duties import Duties
from migrator.partitions.standing import State
from migrator.partitions.upkeep import Kept

_SCHEMA = "accord.partition/1"
_STATES = {
    State.PLAIN: "not divided",
    State.BEGUN: "being divided; the old table is in use",
    State.CONVERTED: "divided; the old table is kept in step, as the way back",
    State.FINISHED: "divided",
}
_DISK = "Until the old table is dropped, its server needs as much disk again; what is free can't be asked."


@dataclass(frozen=True, kw_only=True)
class Seen:
    """
    What was seen of one table.

    Attributes:
        model: Label of the model.
        table: The table, as statements write it.
        state: How far it is.
        rows: As statistics say.
        bytes: With indexes.
        reasons: Why it can't be divided as declared.
        losses: What it doesn't give any more afterwards.
        statements: What a conversion would send.
        duties: What its partitions ask for; None where it isn't divided.
        detached: Tables that were partitions.
    """

    model: str
    table: str
    state: State
    rows: int
    bytes: int
    reasons: Sequence[str]
    losses: Sequence[str]
    statements: Sequence[str]
    duties: Duties | None
    detached: Sequence[str]


def plan_answer(seen: Sequence[Seen]) -> Answer:
    """Answer `plan`; it fails where a table can't be divided as declared."""
    refused = any(one.reasons for one in seen)
    return Answer(
        document={"schema": _SCHEMA, "tables": [_seen_document(one) for one in seen]},
        lines=[line for one in seen for line in _seen_lines(one)],
        code=ExitCode.FAILED if refused else ExitCode.DONE,
    )


def _seen_document(one: Seen) -> dict[str, Any]:
    document = {name: value for name, value in asdict(one).items() if name != "duties"}
    return {**document, "state": one.state.value, **_duties_document(one.duties)}


def _duties_document(found: Duties | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "missing": [part.name for part in found.missing],
        "over": [part.name for part in found.over],
        "pending": [part.name for part in found.pending],
    }


def _seen_lines(one: Seen) -> Iterator[str]:
    size = f"about {counted(one.rows, 'row')}, {one.bytes:,} bytes"
    yield f"{one.model}  {one.table}, {size}: {_STATES[one.state]}"
    yield from (f"  refused: {reason}" for reason in one.reasons)
    yield from (f"  given up: {loss}" for loss in one.losses)
    if one.statements:
        yield f"  {_DISK}"
        yield from (f"  {statement.strip()};" for statement in one.statements)
    if one.duties is not None:
        yield from _duties_lines(one.duties)
    yield from (f"  {name}: let go, and still there" for name in one.detached)


def _duties_lines(found: Duties) -> Iterator[str]:
    yield from (f"  to make: {part.name} {part.bounds}" for part in found.missing)
    yield from (f"  to let go: {part.name} {part.bounds}" for part in found.over)
    yield from (f"  half let go: {part.name}" for part in found.pending)


def state_answer(model: str, act: str, state: State) -> Answer:
    """Answer an act that changes how far a table is."""
    return Answer(
        document={"schema": _SCHEMA, "model": model, "act": act, "state": state.value},
        lines=[f"{model}  {_STATES[state]}"],
    )


def upkeep_answer(kept: Mapping[str, Kept]) -> Answer:
    """Answer `maintain`; part of it is left where rows are in the way, or a table isn't divided."""
    left = any(found.left for found in kept.values())
    return Answer(
        document={"schema": _SCHEMA, "kept": {model: asdict(found) for model, found in kept.items()}},
        lines=[line for model, found in kept.items() for line in _kept_lines(model, found)],
        code=ExitCode.PARTIAL if left else ExitCode.DONE,
    )


def _kept_lines(model: str, found: Kept) -> Iterator[str]:
    yield from (f"{model}  made {name}" for name in found.made)
    if found.moved:
        yield f"{model}  moved {counted(found.moved, 'row')} out of the default partition"
    yield from (f"{model}  let go {name}" for name in found.detached)
    yield from (f"{model}  dropped {name}" for name in found.dropped)
    yield from (f"{model}  {name} is let go, and still there" for name in found.waiting)
    yield from (f"{model}  left: {reason}" for reason in found.left)
    if not (found.made or found.detached or found.dropped or found.left):
        yield f"{model}  nothing to do"
