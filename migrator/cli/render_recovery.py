"""The plan of recovery after a failed run, as text and as a part of the JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from accord.seam.types import Direction
from accord.words import counted
from migrator.engine.recovery import Recovery, Share

_DONE = {Direction.APPLY: "applied", Direction.REVERT: "reverted"}


def recovery_lines(recovery: Recovery) -> Iterator[str]:
    """Say what stands where, and the commands that lead on and back."""
    yield "What this run left:"
    width = max(len(share.store) for share in recovery.shares)
    for share in recovery.shares:
        yield f"  {share.store:<{width}}  {_share(share, recovery.direction)}"
    yield f"Go on by:   {recovery.go_on}"
    if recovery.go_back:
        yield f"Go back by: {recovery.go_back}"
    for step in recovery.irreversible:
        yield f"No way back: {step.key} can't be undone ({step.irreversible})."


def _share(share: Share, direction: Direction) -> str:
    total = counted(len(share.done) + len(share.failed) + len(share.left), "step")
    parts = [f"{len(share.done)} of {total} {_DONE[direction]}"]
    if share.done:
        parts[0] += f", the last {share.done[-1].key}"
    parts += [f"failed: {step.key}" for step in share.failed]
    if share.left:
        parts.append(f"not run: {len(share.left)}, the first {share.left[0].key}")
    return "; ".join(parts)


def recovery_document(recovery: Recovery | None) -> dict[str, Any] | None:
    """Describe the plan of recovery, a part of `accord.run/1`; null for a run that did everything."""
    if recovery is None:
        return None
    return {
        "stores": [
            {
                "store": share.store,
                "done": [str(step.key) for step in share.done],
                "failed": [str(step.key) for step in share.failed],
                "left": [str(step.key) for step in share.left],
            }
            for share in recovery.shares
        ],
        "go_on": recovery.go_on,
        "go_back": recovery.go_back or None,
        "irreversible": [
            {"key": str(step.key), "reason": step.irreversible} for step in recovery.irreversible
        ],
    }
