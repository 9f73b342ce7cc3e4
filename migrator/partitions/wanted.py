"""A declaration beside the table that it is about: names, keys and statements that follow from both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from migrator.partitions.declaration import Partitioned
from migrator.partitions.layout import Part
from migrator.partitions.mirror import Mirror
from migrator.partitions.refusals import primary_key
from migrator.partitions.table import Index, Table, listed, quoted
from migrator.relational.copies import new_name, old_name


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """
    What is wanted of one table.

    Attributes:
        declared: The declaration.
        schema: Schema of the table.
        name: Its name.
        key: Column of the partition key.
    """

    declared: Partitioned
    schema: str
    name: str
    key: str

    @cached_property
    def table(self) -> str:
        """The table's name as statements write it."""
        return self.at(self.name)

    @cached_property
    def new(self) -> str:
        """The one in the making."""
        return self.at(new_name(self.name))

    @cached_property
    def old(self) -> str:
        """The one whose place it has taken."""
        return self.at(old_name(self.name))

    @property
    def divided(self) -> str:
        """By what it is partitioned, as the server writes it for plain names."""
        return f"{self.declared.by.method} ({quoted(self.key)})"

    @property
    def digest(self) -> str:
        """Hash of what was declared: a conversion that was begun goes on under the same words alone."""
        return hashlib.sha256(repr((self.declared.by, self.key)).encode()).hexdigest()

    def at(self, name: str) -> str:
        """Return a name in the table's schema as statements write it."""
        return f"{quoted(self.schema)}.{quoted(name)}"

    def is_divided(self, table: Table) -> bool:
        """Return whether a table is partitioned as declared."""
        plain = f"{self.declared.by.method} ({self.key})"
        return table.kind == "p" and table.divided in (self.divided, plain)

    def mirror(self, source: Table, target: str, keys: Sequence[str]) -> Mirror:
        """Return what has the table's writes done to another one as well."""
        return Mirror(
            source=self.table, target=target, schema=quoted(self.schema), columns=source.written, keys=keys
        )


def statements(wanted: Wanted, table: Table, parts: Sequence[Part], grants: Sequence[str]) -> Iterator[str]:
    """
    Yield what makes an empty partitioned table like another one.

    Its indexes stand from the beginning: those of one partition are small, and an index that is built later,
    beside writers, waits for every transaction of the database, once for each partition.

    Args:
        wanted: What is wanted.
        table: As it stands.
        parts: The partitions.
        grants: Statements that give others the rights that they have on the table.
    """
    options = f" WITH ({table.options})" if table.options else ""
    yield (
        f"CREATE TABLE {wanted.new} (LIKE {wanted.table} INCLUDING ALL EXCLUDING INDEXES) "
        f"PARTITION BY {wanted.divided}"
    )
    for part in parts:
        bounds = "DEFAULT" if part.is_default else f"FOR VALUES {part.bounds}"
        yield f"CREATE TABLE {wanted.at(part.name)} PARTITION OF {wanted.new} {bounds}{options}"
    for index in table.indexes:
        yield _index(wanted, table, index)
    yield from grants


def _index(wanted: Wanted, table: Table, index: Index) -> str:
    name = quoted(new_name(index.name))
    if index.kind == "p":
        columns = listed(primary_key(table, wanted.key))
        return f"ALTER TABLE {wanted.new} ADD CONSTRAINT {name} PRIMARY KEY ({columns})"
    if index.kind:
        return f"ALTER TABLE {wanted.new} ADD CONSTRAINT {name} {index.definition}"
    return f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {name} ON {wanted.new} {index.rest}"
