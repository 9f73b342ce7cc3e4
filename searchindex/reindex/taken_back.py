"""A copy that was begun, and that its revision doesn't ask for any more: nothing of it is left."""

from __future__ import annotations

from accord.errors import ChecksumMismatch
from accord.revisions.entry import Facts
from searchindex.context import Context
from searchindex.reindex.block import BlockWrites, is_blocked
from searchindex.reindex.marks import found_mark
from searchindex.reindex.strategy import Copy
from searchindex.requests import Request
from searchindex.transport import at


def take_back(context: Context, facts: Facts) -> bool:
    """
    Stop the copy, let the old index take writes again, and remove the half filled one.

    Args:
        context: What operations act with.
        facts: What the copy had put away when it began.

    Returns:
        True when something of it stood.

    Raises:
        ChecksumMismatch: The alias has moved already: undoing that is a decision of people.
    """
    copy = Copy(
        source=facts["source"],
        target=_target(context, facts),
        definition={},
        blocked_before=facts["blocked"],
    )
    there = context.index(copy.target)
    if there is not None and there.get("aliases"):
        raise ChecksumMismatch(
            f"{context.deployment.key} was edited after its copy {copy.target} had taken the place of "
            f"{copy.source}.",
            hint="Restore that operation and run again, or revert the step; then write the other one: "
            f"migrate_all --revert --step {context.deployment.key}",
        )
    stood = there is not None or (not copy.blocked_before and is_blocked(context, copy.source))
    BlockWrites().abandon(context, copy)
    # Only what bears the mark of a copy under way is ours to remove.
    if there is not None and found_mark(there):
        context.remove(Request("DELETE", at(copy.target)))
    return stood


def _target(context: Context, facts: Facts) -> str:
    """Return the index that was being filled; earlier versions kept its source alone."""
    title = str(facts.get("title", ""))
    return str(facts.get("target") or context.deployment.physical(title.removeprefix("reindex ")))
