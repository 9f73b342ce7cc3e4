"""What a statement would do, act by act. Frozen values; :mod:`migrator.foretelling.ddl` reads them."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from migrator.foretelling.tokens import plain


class Kind(enum.StrEnum):
    """What one act of a statement is."""

    CREATE_TABLE = "create table"
    ADD_COLUMN = "add column"
    NOT_NULL = "set not null"
    TYPE = "alter type"
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN_KEY = "foreign key"
    EXCLUDE = "exclude"
    VALIDATE = "validate"
    """What stands is looked at for a constraint that only new rows kept until then."""
    INDEX = "index"
    DROP_COLUMN = "drop column"
    DROP_TABLE = "drop table"
    DROP_INDEX = "drop index"
    RENAME = "rename"
    EXTENSION = "extension"
    COLLATION = "collation"
    UPDATE = "update"
    ROWS = "rows"
    """Rows of one table are written or deleted."""
    HARMLESS = "harmless"
    """The shape alone changes, and nothing that stands could refuse it."""
    NULLABLE = "drop not null"
    DEFAULT = "set default"
    REINDEX = "reindex"
    REWRITE = "rewrite"
    """A table is written anew as it is: CLUSTER, VACUUM FULL, another tablespace."""
    ATTACH = "attach partition"
    DETACH = "detach partition"
    PARTITION = "create partition"
    TRUNCATE = "truncate"
    DROP_SCHEMA = "drop schema"
    ENUM_VALUE = "enum value"
    TRANSACTION = "transaction"
    """A transaction is begun or ended by hand."""
    DEFINES = "defines"
    """Types, functions or operators come or go; no row changes."""
    UNREAD = "unread"
    """Not understood: it may change anything."""


ANALYZED = "analyze"
"""Name of the harmless act that has the server look at what rows hold."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """
    One thing that a statement does.

    Attributes:
        kind: What.
        table: The table, as written; empty where there is none.
        columns: Columns or expressions, as written.
        name: Name of what is made or dropped, as written.
        type: New type of a column.
        expression: Condition of a check, conversion of a type, what an UPDATE assigns.
        where: Condition of a partial index, or of an UPDATE.
        target: Table that a foreign key points at; new name, or new schema, of a table.
        target_columns: Its columns.
        method: Access method of an index.
        operators: Of an exclusion, which operator compares each of the columns.
        default: Default of a new column.
        not_null: A new column takes no NULL.
        unique: A new column, or an index, is unique.
        nulls_distinct: NULLs don't count as equal.
        concurrently: Built beside writers.
        valid: What stands is looked at.
        generated: A new column is computed from others, or counted up.
        stored: Its values are written.
        lenient: Says IF EXISTS or IF NOT EXISTS.
        cascade: Takes along whatever depends on it.
    """

    kind: Kind
    table: str = ""
    columns: tuple[str, ...] = ()
    name: str = ""
    type: str = ""
    expression: str = ""
    where: str = ""
    target: str = ""
    target_columns: tuple[str, ...] = ()
    method: str = "btree"
    operators: tuple[str, ...] = ()
    default: str = ""
    not_null: bool = False
    unique: bool = False
    nulls_distinct: bool = True
    concurrently: bool = False
    valid: bool = True
    generated: bool = False
    stored: bool = True
    lenient: bool = False
    cascade: bool = False

    @property
    def made(self) -> str:
        """Return the name of what it makes; an index or a constraint stands in the schema of its table."""
        schema, placed, _ = plain(self.table).rpartition(".")
        name = plain(self.name)
        return f"{schema}.{name}" if placed and self.kind is not Kind.CREATE_TABLE else name

    @property
    def place(self) -> str:
        """Return what it is about, for people."""
        single = [plain(column) for column in self.columns if re.fullmatch(r'"[^"]+"|\w+', column)]
        if self.kind in (Kind.ADD_COLUMN, Kind.NOT_NULL, Kind.TYPE, Kind.DROP_COLUMN) and single:
            return f"{plain(self.table)}.{single[0]}"
        return plain(self.name or self.table)
