"""Which rows refuse what a step demands of them: asked after it failed, told by their keys alone."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connections

from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Step
from migrator.foretelling.foreteller import Foreteller
from migrator.relational.foretelling import asker
from migrator.relational.loader import DiskLoader
from migrator.relational.statements import Explanation
from migrator.relational.vendors import vendor_of


def offenders(step: Step) -> str:
    """
    Name rows that a step is refused by, as sentences that follow its error; empty where none are found.

    A look before the run refuses most of these. What is told here came meanwhile, or was made by the step.

    Args:
        step: A step that failed, and of which nothing of the failed operation stands.
    """
    told = [f"{item.what}: {item.text} Rows: {'; '.join(item.keys)}." for item in _found(step) if item.keys]
    return "".join(f" {sentence}" for sentence in told)


def _found(step: Step) -> Iterator[Foretold]:
    alias = step.key.store
    if vendor_of(connections[alias]).describes_tables:
        rendered = Explanation(alias, DiskLoader(), [step]).render(Direction.APPLY)
        yield from Foreteller(asker(alias)).foretell(list(rendered))
