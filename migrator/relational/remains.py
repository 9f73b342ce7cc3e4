"""Does what an earlier run did of a migration still stand? Asked before the rest of it is done or undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections

from accord.errors import ConflictingState
from accord.seam.differences import DifferenceKind
from accord.seam.types import Step
from migrator.relational.catalog import TABLE, Catalog
from migrator.relational.probe import Owners
from migrator.relational.traces import Traces

if TYPE_CHECKING:
    from migrator.relational.unrolled import Substep


def refuse_gone(step: Step, done: Sequence[Substep], begun: Sequence[Substep] = ()) -> None:
    """
    Make sure that nobody undid by hand what is done of a step.

    Args:
        step: The step.
        done: Its substeps that are done, in their order.
        begun: The one that may be done by half.

    Raises:
        ConflictingState: Something of them isn't there.
    """
    gone = list(_gone(step, done, begun)) if done else []
    if gone:
        raise ConflictingState(
            f"Step {step.key} is half done, and what is done of it doesn't stand: {' '.join(gone)}",
            hint="Put that back as the migration made it. Where all of it was undone by hand, strike its "
            f'line, so that it begins anew: migrate_all --forget {step.key} --reason "WHY"',
        )


def _gone(step: Step, done: Sequence[Substep], begun: Sequence[Substep]) -> Iterator[str]:
    alias, name = step.key.store, (step.key.app, step.key.name)
    connection = connections[alias]
    owners, traces = Owners(), Traces(alias, connection.ops.max_name_length())
    for number, substep in enumerate((*done, *begun)):
        outer = substep.of or substep.operation
        if number < len(done) and (substep.of is None or substep.ends):
            owners.note(name, outer)
            traces.note(name, outer, substep.before)
        else:
            _leave_out(owners, name[0], outer)
    state = done[-1].after
    owners.keep_only({name}, state)
    for finding in Catalog(alias, state).findings(owners.by_item):
        # What belongs to the table as a whole may be another migration's.
        own = finding.item != TABLE and finding.item in owners.by_item[finding.model]
        if own and finding.kind is DifferenceKind.MISSING and owners.judges(finding):
            yield finding.difference.text
    yield from (difference.text for _, difference in traces.amiss(connection))


def _leave_out(owners: Owners, app: str, operation: Any) -> None:
    """Judge nothing that an operation is about which is under way: it may be as before or as after it."""
    made = getattr(operation, "index", None) or getattr(operation, "constraint", None)
    model = str(getattr(operation, "model_name", "") or getattr(operation, "name", ""))
    items = owners.by_item.get((app, model.lower()), {})
    for item in (getattr(operation, "name", ""), getattr(made, "name", "")):
        items.pop(item, None)
