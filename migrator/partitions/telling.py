"""What a conversion would send, and why it would be refused: told before anything is made."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.errors import NotPartitionable
from migrator.partitions import making, refusals
from migrator.partitions.table import Catalog, Table, quoted
from migrator.partitions.wanted import Wanted


def refuse(catalog: Catalog, wanted: Wanted, table: Table) -> None:
    """
    Check that a table can be converted as declared.

    Raises:
        NotPartitionable: It can't; each reason is told.
    """
    others = making.bystanders(catalog, wanted, table)
    found = [*refusals.refusals(table, wanted.declared, wanted.key, others)]
    if found:
        raise NotPartitionable(
            f"{wanted.name} can't be partitioned as declared. {' '.join(found)}",
            hint="Nothing was changed. See docs/howto/partition-a-large-table.md.",
        )


def sql_of(catalog: Catalog, wanted: Wanted, table: Table) -> Iterator[str]:
    """Yield the statements that a conversion would send, batches and windows once for all."""
    mirror = wanted.mirror(table, wanted.new, refusals.primary_key(table, wanted.key))
    yield from making.making(catalog, wanted, table)
    yield from mirror.begin()
    yield (
        f"-- in batches: INSERT INTO {wanted.new} SELECT ... FROM {wanted.table} ... FOR SHARE "
        "ON CONFLICT DO NOTHING"
    )
    for key in table.foreign:
        named = f"{quoted(key.name)} {key.definition}"
        yield f"-- proved in each part first: ALTER TABLE {wanted.new} ADD CONSTRAINT {named}"
    yield f"ANALYZE {wanted.new}"
    yield "-- in windows: both tables are held against each other; then, in one transaction,"
    yield f"-- {wanted.new} becomes {wanted.table}; that becomes {wanted.old}, kept in step as the way back"
