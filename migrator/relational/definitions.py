"""
Tables by PostgreSQL's own definitions: those that are there, and those that Django would make now.

Names and columns don't tell a partial index from a whole one, or `CHECK (n > 5)` from `CHECK (n > 0)`.
So the models are made once more in a schema of their own, inside a transaction that is rolled back,
and the server describes both sides in its own words (`pg_get_constraintdef`, `pg_get_indexdef`,
`format_type`). No table that is there is locked: foreign keys refer to the copies.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import truncate_name
from django.db.models import Model

from migrator.relational.tables import oids

_COLUMNS = """
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.attidentity <> '', a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid),
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text ELSE '' END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT c.conrelid, c.conname, pg_get_constraintdef(c.oid),
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey))
FROM pg_constraint c WHERE c.conrelid = ANY(%s) AND c.contype IN ('p', 'u', 'f', 'c', 'x')
"""
_INDEXES = """
SELECT i.indrelid, x.relname, pg_get_indexdef(i.indexrelid), i.indisunique, i.indisvalid AND i.indisready,
       ARRAY(SELECT a.attname::text FROM pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey))
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE i.indrelid = ANY(%s) AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid
                                           AND c.conrelid = i.indrelid)
"""
# Of a partitioned table, the columns that decide where a row goes, as a definition lists them.
_DIVIDING = """
SELECT p.partrelid,
       ARRAY(SELECT quote_ident(a.attname) FROM unnest(p.partattrs) WITH ORDINALITY AS k(num, place)
             JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.num ORDER BY k.place)
FROM pg_partitioned_table p WHERE p.partrelid = ANY(%s)
"""
_LONGEST = 63
_TARGET = re.compile(r"REFERENCES ([^(]+)\(")
_SEQUENCE = re.compile(r"^nextval\(")
_INDEX_TARGET = re.compile(r"^CREATE (UNIQUE )?INDEX .*? ON (ONLY )?.*? USING ", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """
    A column.

    Attributes:
        type: As `format_type` writes it, with a collation of its own.
        required: True for NOT NULL.
        default: Its default or generating expression; `(sequence)` for serial and identity columns alike.
        generated: True where the expression generates it.
    """

    type: str
    required: bool
    default: str
    generated: bool


@dataclass(frozen=True)
class Rule:
    """
    A constraint or an index.

    Attributes:
        name: Its name.
        definition: What the server says it is, without name and table.
        columns: The columns that it mentions, by name.
        usable: False for an index that was left invalid.
    """

    name: str
    definition: str
    columns: tuple[str, ...]
    usable: bool = True


@dataclass(frozen=True)
class Table:
    """
    What the server says of one table.

    Attributes:
        columns: Its columns by name.
        constraints: Its constraints.
        indexes: Its indexes that belong to none.
        divided_by: Quoted columns by which it is partitioned; none for an ordinary one.
    """

    columns: Mapping[str, Column]
    constraints: tuple[Rule, ...]
    indexes: tuple[Rule, ...]
    divided_by: tuple[str, ...] = ()


def live(alias: str, names: Sequence[str]) -> Mapping[str, Table]:
    """
    Describe tables as they are.

    Args:
        alias: A PostgreSQL database.
        names: Names of tables as models write them: found by the search path, or with a schema in them.

    Returns:
        Those that are there.
    """
    found = {oid: name for name, oid in oids(connections[alias], names).items()}
    with connections[alias].cursor() as cursor:
        return _described(cursor, found)


def declared(alias: str, models: Iterable[type[Model]]) -> Mapping[str, Table]:
    """
    Describe the tables that Django would make for models. Nothing is left behind.

    Args:
        alias: A PostgreSQL database.
        models: Models of one project state, with everything that they refer to.

    Returns:
        Their tables, and those that Django makes for many-to-many fields; without those of models
        that Django can't make from that state.

    Raises:
        DatabaseError: The account may not create a schema, or the server refuses a table.
    """
    connection: Any = connections[alias]
    schema = f"accord_{uuid4().hex}"
    wanted = list(models)
    with transaction.atomic(using=alias):
        before = transaction.savepoint(using=alias)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE SCHEMA "{schema}"')
                cursor.execute("SELECT current_setting('search_path')")
                cursor.execute(f'SET LOCAL search_path TO "{schema}", {cursor.fetchone()[0]}')
                with _in_one_schema(wanted) as plain, connection.schema_editor(atomic=False) as editor:
                    made = _make(editor, wanted)
                    names = {table: plain.get(table, table) for table in made}
                cursor.execute(
                    "SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = %s::regnamespace "
                    "AND c.relkind IN ('r', 'p')",
                    [f'"{schema}"'],
                )
                copies = {oid: names[table] for oid, table in cursor.fetchall() if table in names}
                return _described(cursor, copies)
        finally:
            transaction.savepoint_rollback(before, using=alias)


@contextmanager
def _in_one_schema(models: Sequence[type[Model]]) -> Iterator[Mapping[str, str]]:
    """Let tables that a model places in a schema (`"audit"."log"`) have plain names; yield the true ones."""
    links: list[Any] = [
        field.remote_field.through for model in models for field in model._meta.local_many_to_many
    ]
    metas = {id(each): each for each in (model._meta for model in (*models, *links))}.values()
    placed = [(meta, meta.db_table) for meta in metas if '"' in meta.db_table]
    try:
        for meta, table in placed:
            meta.db_table = _plain(table)
        yield {_plain(table): table for _, table in placed}
    finally:
        for meta, table in placed:
            meta.db_table = table


def _plain(table: str) -> str:
    """Return a name without quotes, short enough for one identifier."""
    return truncate_name(table.replace('"', ""), _LONGEST)


def _make(editor: BaseDatabaseSchemaEditor, models: Sequence[type[Model]]) -> Collection[str]:
    """
    Create the tables, then what Django puts off; what would refer to a table that is there stays out.

    Returns:
        Names of the tables that were made.
    """
    made: set[str] = set()
    for model in models:
        if _is_made(editor, model):
            made |= {model._meta.db_table}
            made |= {_link_table(field) for field in model._meta.local_many_to_many}
    for statement in editor.deferred_sql:
        if _refers_only_to(statement, made):
            editor.execute(statement, None)
    editor.deferred_sql.clear()
    return made


def _link_table(field: Any) -> str:
    return str(field.remote_field.through._meta.db_table)


def _is_made(editor: BaseDatabaseSchemaEditor, model: type[Model]) -> bool:
    """
    Create a table; return False where Django can't.

    A rule or an expression may go on naming a field that was renamed since: the server's own follows it,
    the one in Django's state does not.
    """
    put_off = len(editor.deferred_sql)
    try:
        with transaction.atomic(using=editor.connection.alias):
            editor.create_model(model)
    except (FieldError, FieldDoesNotExist, DatabaseError):
        del editor.deferred_sql[put_off:]
        return False
    return True


def _refers_only_to(statement: Any, tables: Collection[str]) -> bool:
    parts = getattr(statement, "parts", {})
    target = parts.get("to_table")
    return target is None or getattr(target, "table", str(target).strip('"')) in tables


def _described(cursor: Any, tables: Mapping[int, str]) -> Mapping[str, Table]:
    columns: dict[int, dict[str, Column]] = {oid: {} for oid in tables}
    constraints: dict[int, list[Rule]] = {oid: [] for oid in tables}
    indexes: dict[int, list[Rule]] = {oid: [] for oid in tables}
    cursor.execute(_COLUMNS, [list(tables)])
    for oid, name, *details in cursor.fetchall():
        columns[oid][name] = _column(details)
    cursor.execute(_CONSTRAINTS, [list(tables)])
    for oid, name, definition, named in cursor.fetchall():
        # The name of a table in another schema is quoted in parts there, and as a whole in the copy.
        text = _TARGET.sub(lambda found: found[0].replace('"', ""), definition)
        constraints[oid].append(Rule(name, text, tuple(named)))
    cursor.execute(_INDEXES, [list(tables)])
    for oid, name, definition, unique, usable, named in cursor.fetchall():
        text = ("UNIQUE " if unique else "") + _INDEX_TARGET.sub("", definition)
        indexes[oid].append(Rule(name, text, tuple(named), usable))
    cursor.execute(_DIVIDING, [list(tables)])
    divided = {oid: tuple(named) for oid, named in cursor.fetchall()}
    return {
        name: Table(columns[oid], tuple(constraints[oid]), tuple(indexes[oid]), divided.get(oid, ()))
        for oid, name in tables.items()
    }


def _column(details: Sequence[Any]) -> Column:
    """Make a column; a serial one of an older Django counts as the identity column of a newer one."""
    column_type, required, identity, generated, default, collation = details
    counts = identity or _SEQUENCE.match(default or "") is not None
    return Column(
        type=f"{column_type} COLLATE {collation}" if collation else column_type,
        required=required,
        default="(sequence)" if counts else default or "",
        generated=generated,
    )
