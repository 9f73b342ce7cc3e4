"""Revisions of other stores as subjects: what can be told from the file alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from accord.seam.types import Step
from migrator.lint.reading.functions import tree_of
from migrator.lint.subject import Family, Spot, Subject


def read(steps: Sequence[Step]) -> Iterator[Subject]:
    """Read revisions."""
    return map(subject_of, steps)


def subject_of(step: Step) -> Subject:
    """Return what can be told of any revision."""
    return Subject(
        key=step.key,
        family=Family.REVISION,
        path=step.source.path,
        text=step.source.text,
        tree=tree_of(step.source.text),
        phase=step.phase,
        one_way=[Spot(what=step.key.name)] if step.irreversible else [],
        explained=step.irreversible if _says_so(step) else "",
    )


def _says_so(step: Step) -> bool:
    """Return whether the file itself says why it can't be undone."""
    nodes = (node for node in ast.walk(tree_of(step.source.text)) if isinstance(node, ast.Assign))
    return any(
        isinstance(target, ast.Name) and target.id == "irreversible"
        for node in nodes
        for target in node.targets
    )
