"""Does what an earlier run did of a migration still stand? Asked before the rest of it is done or undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from django.db import connections
from django.db.migrations import RemoveIndex

from accord.errors import ConflictingState
from accord.seam.differences import DifferenceKind
from accord.seam.types import Step
from migrator.relational.catalog import TABLE, Catalog
from migrator.relational.probe import Owners
from migrator.relational.safety.parts import Reversed
from migrator.relational.traces import Traces

if TYPE_CHECKING:
    from migrator.relational.unrolled import Substep


def refuse_gone(step: Step, done: Sequence[Substep], begun: Sequence[Substep] = ()) -> None:
    """
    Make sure that nobody undid by hand what is done of a step.

    Args:
        step: The step.
        done: Its substeps that are done, in their order.
        begun: The one that may be done by half: what it takes away isn't missed.

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
        # What is about to be taken away isn't missed; what was taken away has to be gone only then.
        outer, going = substep.of or substep.operation, isinstance(substep.operation, Reversed | RemoveIndex)
        is_done = number < len(done) and (substep.of is None or substep.ends)
        if going or is_done:
            owners.note(name, outer)
        if is_done:
            traces.note(name, outer, substep.before)
    state = done[-1].after
    owners.keep_only({name}, state)
    for finding in Catalog(alias, state).findings(owners.by_item):
        # What belongs to the table as a whole may be another migration's.
        own = finding.item != TABLE and finding.item in owners.by_item[finding.model]
        if own and finding.kind is DifferenceKind.MISSING and owners.judges(finding):
            yield finding.difference.text
    yield from (difference.text for _, difference in traces.amiss(connection))
