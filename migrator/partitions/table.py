"""What PostgreSQL's catalog says of one table: all that a partitioned one in its place has to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TABLE = """
SELECT c.oid, n.nspname, c.relname, CAST(c.relkind AS text), CAST(c.relpersistence AS text),
       quote_ident(pg_get_userbyid(c.relowner)), pg_get_userbyid(c.relowner) = current_user,
       c.relispartition, c.relrowsecurity, c.reltablespace <> 0, pg_total_relation_size(c.oid),
       greatest(c.reltuples, 0)::bigint, coalesce(pg_get_partkeydef(c.oid), ''),
       array_to_string(c.reloptions, ', '), obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(%s)
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, CAST(a.attidentity AS text),
       a.attgenerated <> '', pg_get_serial_sequence(CAST(CAST(a.attrelid AS regclass) AS text), a.attname),
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# What stands before USING has the names in it, of the index and of the table.
_INDEXES = """
SELECT x.relname, substr(d.def, position(d.head || 'USING ' IN d.def) + length(d.head)),
       i.indisunique, i.indisvalid AND i.indisready AND i.indislive,
       coalesce(CAST(k.contype AS text), ''), coalesce(pg_get_constraintdef(k.oid), ''),
       coalesce(k.condeferrable, false),
       ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey) WITH ORDINALITY AS p(num, place)
             LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = p.num
             WHERE p.place <= i.indnkeyatts ORDER BY p.place)
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_get_indexdef(i.indexrelid) AS def,
           format(' ON %%s%%I.%%I ', CASE x.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END,
                  n.nspname, t.relname) AS head
) d
LEFT JOIN pg_constraint k
    ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = %s ORDER BY x.relname
"""
_FOREIGN = """
SELECT conname, pg_get_constraintdef(oid), confrelid = conrelid FROM pg_constraint
WHERE conrelid = %s AND contype = 'f' AND conparentid = 0 ORDER BY conname
"""
_UNPROVED = """
SELECT conname FROM pg_constraint
WHERE conrelid = %s AND contype IN ('c', 'f') AND NOT convalidated ORDER BY conname
"""
# Its own constraints, indexes, defaults, sequences and statistics come along, and so does the mirror of ours.
_HANGING = """
SELECT DISTINCT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, 0)
                     ELSE pg_describe_object(CAST('pg_class' AS regclass), r.ev_class, 0) END
FROM pg_depend d
LEFT JOIN pg_rewrite r ON d.classid = CAST('pg_rewrite' AS regclass) AND r.oid = d.objid
LEFT JOIN pg_constraint k ON d.classid = CAST('pg_constraint' AS regclass) AND k.oid = d.objid
LEFT JOIN pg_class x ON d.classid = CAST('pg_class' AS regclass) AND x.oid = d.objid
LEFT JOIN pg_trigger g ON d.classid = CAST('pg_trigger' AS regclass) AND g.oid = d.objid
WHERE d.refclassid = CAST('pg_class' AS regclass) AND d.refobjid = %s
AND d.classid NOT IN (CAST('pg_attrdef' AS regclass), CAST('pg_type' AS regclass),
                      CAST('pg_statistic_ext' AS regclass))
AND NOT coalesce(k.conrelid = d.refobjid, false) AND NOT coalesce(x.relkind IN ('i', 'I', 'S', 't'), false)
AND NOT coalesce(g.tgisinternal OR g.tgname ~ '^accord_mirror', false)
ORDER BY 1
"""
_PUBLISHED = "SELECT pubname FROM pg_publication_tables WHERE schemaname = %s AND tablename = %s ORDER BY 1"


@dataclass(frozen=True, kw_only=True)
class Column:
    """
    A column.

    Attributes:
        name: Its name.
        type: As `format_type` writes it.
        required: True for NOT NULL.
        identity: `a` or `d` where the server numbers it; else empty.
        generated: Whether an expression makes it.
        sequence: Qualified name of the sequence that numbers it; empty where none does.
        default: Expression of its default.
    """

    name: str
    type: str
    required: bool
    identity: str
    generated: bool
    sequence: str
    default: str


@dataclass(frozen=True, kw_only=True)
class Index:
    """
    An index.

    Attributes:
        name: Its name.
        rest: Its definition from `USING` on.
        unique: Whether it is unique.
        usable: False for one that was left invalid.
        kind: `p`, `u` or `x` where it belongs to a constraint.
        definition: Of that constraint.
        deferrable: Whether that is.
        columns: What it goes by; an empty text for an expression.
    """

    name: str
    rest: str
    unique: bool
    usable: bool
    kind: str
    definition: str
    deferrable: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A foreign key of the table: its name, its definition, whether it refers to the table itself."""

    name: str
    definition: str
    own: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """
    A table.

    Attributes:
        oid: Its number.
        schema: Its schema.
        name: Its name.
        kind: `r`, or `p` for a partitioned one.
        persistence: `p` unless it is unlogged or temporary.
        owner: Quoted name of its owner.
        own: Whether we are its owner.
        is_partition: Whether it is a part of another one.
        secured: Whether it has row level security.
        placed: Whether it is in a tablespace of its own.
        bytes: With indexes.
        rows: As statistics say.
        divided: By what it is partitioned, as the server writes it: `RANGE (at)`.
        options: Its storage parameters.
        comment: What `COMMENT ON TABLE` says.
        columns: Its columns, in their order.
        indexes: Its indexes.
        foreign: Its foreign keys.
    """

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    owner: str
    own: bool
    is_partition: bool
    secured: bool
    placed: bool
    bytes: int
    rows: int
    divided: str
    options: str
    comment: str
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    foreign: tuple[Foreign, ...]

    @property
    def sql(self) -> str:
        """Its name as statements write it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def beside(self, name: str) -> str:
        """Return a name in the same schema as statements write it."""
        return f"{quoted(self.schema)}.{quoted(name)}"

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Columns of its primary key; none where it has none."""
        return next((index.columns for index in self.indexes if index.kind == "p"), ())

    @property
    def written(self) -> tuple[str, ...]:
        """Columns that a statement may write."""
        return tuple(column.name for column in self.columns if not column.generated)

    def column(self, name: str) -> Column | None:
        """Return a column; None where there is none of this name."""
        return next((column for column in self.columns if column.name == name), None)


class Catalog:
    """
    One database's catalog, asked in whatever transaction is open.

    Args:
        connection: Of the database.
    """

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def rows(self, sql: str, params: Sequence[Any] | None = None) -> Sequence[tuple[Any, ...]]:
        """Ask."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall()) if cursor.description else []

    def one(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """Ask for one value; None where there is no row."""
        found = self.rows(sql, params)
        return found[0][0] if found else None

    def send(self, *statements: str) -> None:
        """Send statements as they are."""
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def table(self, name: str) -> Table | None:
        """
        Read a table.

        Args:
            name: As statements write it.

        Returns:
            None while it isn't there.
        """
        found = self.rows(_TABLE, [name])
        if not found:
            return None
        oid = found[0][0]
        columns = tuple(_column(row) for row in self.rows(_COLUMNS, [oid]))
        indexes = tuple(_index(row) for row in self.rows(_INDEXES, [oid]))
        foreign = tuple(
            Foreign(name=row[0], definition=row[1], own=row[2]) for row in self.rows(_FOREIGN, [oid])
        )
        return Table(**_facts(found[0]), columns=columns, indexes=indexes, foreign=foreign)

    def hanging(self, table: Table) -> Sequence[str]:
        """Name what hangs on a table and would stay with the old one: views, triggers, others' keys."""
        return [row[0] for row in self.rows(_HANGING, [table.oid])]

    def unproved(self, table: Table) -> Sequence[str]:
        """Name the constraints that older rows were never held to."""
        return [row[0] for row in self.rows(_UNPROVED, [table.oid])]

    def published(self, table: Table) -> Sequence[str]:
        """Name the publications that the table is in."""
        return [row[0] for row in self.rows(_PUBLISHED, [table.schema, table.name])]


def quoted(name: str) -> str:
    """Return a name as statements write it."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Sequence[str], before: str = "") -> str:
    """Return names as statements list them, each behind a prefix (`NEW.`)."""
    return ", ".join(f"{before}{quoted(name)}" for name in names)


def _facts(row: Sequence[Any]) -> Mapping[str, Any]:
    names = (
        *(
            "oid",
            "schema",
            "name",
            "kind",
            "persistence",
            "owner",
            "own",
            "is_partition",
            "secured",
            "placed",
        ),
        *("bytes", "rows", "divided", "options", "comment"),
    )
    return {name: "" if value is None else value for name, value in zip(names, row, strict=True)}


def _column(row: Sequence[Any]) -> Column:
    name, kind, required, identity, generated, sequence, default = row
    return Column(
        name=name,
        type=kind,
        required=required,
        identity=identity,
        generated=generated,
        sequence=sequence or "",
        default=default or "",
    )


def _index(row: Sequence[Any]) -> Index:
    name, rest, unique, usable, kind, definition, deferrable, columns = row
    return Index(
        name=name,
        rest=rest,
        unique=unique,
        usable=usable,
        kind=kind,
        definition=definition,
        deferrable=deferrable,
        columns=tuple(columns),
    )
