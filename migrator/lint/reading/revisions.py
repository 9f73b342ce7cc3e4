"""Revisions of other stores as subjects: what can be told from the file alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from accord.seam.types import Step
from migrator.lint.reading.functions import parsed
from migrator.lint.subject import Family, Spot, Subject


def read(steps: Sequence[Step]) -> Iterator[Subject]:
    """Read revisions."""
    for step in steps:
        yield Subject(
            key=step.key,
            family=Family.REVISION,
            path=step.source.path,
            text=step.source.text,
            tree=parsed(str(step.source.path)),
            phase=step.phase,
            one_way=[Spot(what=step.key.name)] if step.irreversible else [],
            explained=step.irreversible if _says_so(step) else "",
        )


def _says_so(step: Step) -> bool:
    """Return whether the file itself says why it can't be undone."""
    nodes = (node for node in ast.walk(parsed(str(step.source.path))) if isinstance(node, ast.Assign))
    return any(
        isinstance(target, ast.Name) and target.id == "irreversible"
        for node in nodes
        for target in node.targets
    )
