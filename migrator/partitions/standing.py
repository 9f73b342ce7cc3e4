"""How far the table of a model is on its way, read from the catalog."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from migrator.errors import NotPartitionable
from migrator.partitions.table import Catalog, Table
from migrator.partitions.wanted import Wanted


class State(enum.StrEnum):
    """How far the table of a model is."""

    PLAIN = "plain"
    """It isn't partitioned, and nothing is under way."""
    BEGUN = "begun"
    """A conversion is under way, or was killed; the old table is in use."""
    CONVERTED = "converted"
    """It is partitioned; the old table is kept in step, as the way back."""
    FINISHED = "finished"
    """It is partitioned, and there is no way back."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """
    What stands.

    Attributes:
        state: How far it is.
        table: The table in use.
        other: The one in the making, or the old one; None where there is neither.
    """

    state: State
    table: Table
    other: Table | None


def probe(catalog: Catalog, wanted: Wanted) -> Found:
    """
    Look how far a table is.

    Raises:
        NotPartitionable: It isn't there.
    """
    table = catalog.table(wanted.table)
    if table is None:
        raise NotPartitionable(
            f"{wanted.declared.model} has no table {wanted.name} in this database.",
            hint="Run migrate_all first; or name the database that has it by --database.",
        )
    if wanted.is_divided(table):
        old = catalog.table(wanted.old)
        return Found(state=State.CONVERTED if old else State.FINISHED, table=table, other=old)
    new = catalog.table(wanted.new)
    return Found(state=State.BEGUN if new else State.PLAIN, table=table, other=new)
