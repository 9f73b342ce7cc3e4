"""Why a table can't be converted, or what is given up when it is: told before anything is made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrator.partitions.declaration import ByTime, Partitioned
from migrator.partitions.layout import TIMES
from migrator.partitions.table import Index, Table

_RANDOM = "uuid"


@dataclass(frozen=True, kw_only=True)
class Bystanders:
    """
    What is about a table, and not in it.

    Attributes:
        hanging: What hangs on it: views, triggers, foreign keys of other tables, policies.
        unproved: Constraints that older rows were never held to.
        published: Publications that it is in.
        nulls: Whether a row's key is NULL.
    """

    hanging: Sequence[str] = ()
    unproved: Sequence[str] = ()
    published: Sequence[str] = ()
    nulls: bool = False


def primary_key(table: Table, key: str) -> tuple[str, ...]:
    """Return the columns of the primary key that the partitioned table has."""
    own = table.primary_key
    return own if key in own else (*own, key)


def refusals(table: Table, declared: Partitioned, key: str, others: Bystanders) -> Iterator[str]:
    """
    Yield why a table can't be converted as declared; each a sentence with the way on.

    Args:
        table: As it stands.
        declared: What is wanted.
        key: Column of the partition key.
        others: What is about it.
    """
    yield from _of_its_kind(table)
    yield from _of_its_key(table, declared, key, others)
    yield from _of_its_primary_key(table, declared, key)
    yield from _of_its_indexes(table, key)
    if others.hanging:
        yield (
            f"On it hang: {', '.join(others.hanging)}. They would stay with the old table. Drop them in a "
            "migration before, and make them again in one after; a foreign key of another table comes back "
            "only where it refers to the whole primary key, as after dividing by hash of that key."
        )
    if others.unproved:
        yield (
            f"Older rows were never held to: {', '.join(others.unproved)} (NOT VALID). Validate them first, "
            "since the new table can't hold rows that break them."
        )
    if others.published:
        yield (
            f"Publications send it to subscribers: {', '.join(others.published)}. These would go on hearing "
            "of the old table; take it out of them first."
        )


def losses(table: Table, key: str) -> Iterator[str]:
    """
    Yield what a table that can be converted doesn't give any more afterwards.

    Args:
        table: As it stands.
        key: Column of the partition key.
    """
    own = table.primary_key
    if key not in own:
        yield (
            f"The primary key becomes ({', '.join((*own, key))}): that {', '.join(own)} is unique over all "
            "rows is kept by how its values are made, and by nothing else. What names it as conflict target "
            f"(bulk_create with unique_fields) has to name {key}, too."
        )
        yield f"No foreign key can refer to ({', '.join(own)}) alone."
    yield f"A query that doesn't name {key} looks into every partition."


def _of_its_kind(table: Table) -> Iterator[str]:
    if table.kind == "p":
        yield "It is partitioned already, and not as declared."
    elif table.kind != "r" or table.persistence != "p":
        yield "It is no ordinary table: only one that is kept and logged can be divided."
    if table.is_partition:
        yield "It is a part of another table."
    if table.secured:
        yield "It has row level security, and its policies would stay with the old table."
    if table.placed:
        yield "It is in a tablespace of its own, which its partitions wouldn't be in."


def _of_its_key(table: Table, declared: Partitioned, key: str, others: Bystanders) -> Iterator[str]:
    column = table.column(key)
    if column is None:
        yield f"It has no column {key}."
        return
    if not column.required:
        found = "Some rows have none there" if others.nulls else "No row has none at present"
        yield (
            f"{key} may be NULL, and no primary key holds that. {found}: fill them, and let the field be "
            "required (null=False)."
        )
    if column.generated:
        yield f"{key} is generated, and PostgreSQL doesn't divide by such a column."
    if isinstance(declared.by, ByTime) and column.type not in TIMES:
        yield f"{key} is {column.type}, which is no time: date and timestamp are."


def _of_its_primary_key(table: Table, declared: Partitioned, key: str) -> Iterator[str]:
    own = table.primary_key
    if not own:
        yield "It has no primary key."
        return
    if any(index.deferrable for index in table.indexes if index.kind == "p"):
        yield "Its primary key is deferrable, and rows can't be kept in step by such a one."
    if key in own:
        return
    if not declared.widen_primary_key:
        yield (
            f"Its primary key ({', '.join(own)}) hasn't got {key} in it, and PostgreSQL keeps no key unique "
            f"over partitions without that. It can become ({', '.join((*own, key))}): declare "
            "widen_primary_key=True, and read in the how-to what is lost; or divide it by hash of the key."
        )
    elif not _is_unique_by_itself(table, own):
        yield (
            f"Nothing would keep {', '.join(own)} unique over partitions: neither sequence nor UUID makes "
            "it. Divide it by hash of the key, or give it such a key first."
        )


def _is_unique_by_itself(table: Table, own: Sequence[str]) -> bool:
    columns = [table.column(name) for name in own]
    return any(column is not None and (column.sequence or column.type == _RANDOM) for column in columns)


def _of_its_indexes(table: Table, key: str) -> Iterator[str]:
    for index in table.indexes:
        if not index.usable:
            yield f"Its index {index.name} isn't usable. Drop it, or build it again."
        if index.kind == "x":
            yield f"{index.name} excludes rows by others, which PostgreSQL doesn't do over partitions."
        elif index.unique and index.kind != "p" and (key not in index.columns or "" in index.columns):
            yield (
                f"{index.name} is unique over ({_columns(index)}): over partitions PostgreSQL keeps it only "
                f"where {key} is among plain columns, and unique in each partition isn't the same."
            )
    for foreign in table.foreign:
        if foreign.own:
            yield f"{foreign.name} refers to the table itself, whose rows would be two for a while."


def _columns(index: Index) -> str:
    return ", ".join(name or "an expression" for name in index.columns)
