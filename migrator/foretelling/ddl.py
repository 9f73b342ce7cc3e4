"""
What a statement would do: read from its text, as Django's schema editor and Alembic write it. Pure.

What isn't understood is :attr:`~migrator.foretelling.acts.Kind.UNREAD`, and counts as if it could change
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.alter import alter_table, column, nulls_distinct
from migrator.foretelling.tokens import Cursor, columns_of, statements_of


def read(text: str) -> tuple[Act, ...]:
    """
    Read a text of SQL.

    Args:
        text: One statement, or several with semicolons between them.

    Returns:
        Their acts, in their order; none for an empty text.
    """
    return tuple(act for cursor in statements_of(text) for act in _read(cursor))


def built_beside_writers(text: str) -> tuple[Act, ...]:
    """Return the named indexes that SQL builds with `CONCURRENTLY`, which may leave useless ones."""
    found = read(text) if "concurrently" in text.lower() else ()
    return tuple(act for act in found if act.kind is Kind.INDEX and act.concurrently and act.name)


def rebuilt_beside_writers(text: str) -> tuple[str, ...]:
    """Name the indexes and tables that SQL rebuilds with `REINDEX ... CONCURRENTLY`, as it writes them."""
    if "concurrently" not in text.lower():
        return ()
    return tuple(name for cursor in statements_of(text) if (name := _rebuilt(cursor)))


def _rebuilt(cursor: Cursor) -> str:
    if not cursor.takes("REINDEX"):
        return ""
    head = cursor.peek()
    options = cursor.group() if head is not None and head.text == "(" else ""
    if not (cursor.takes("INDEX") or cursor.takes("TABLE")):
        return ""
    beside = cursor.takes("CONCURRENTLY") or "concurrently" in options.lower()
    return cursor.name() if beside and not cursor.done else ""


def _read(cursor: Cursor) -> list[Act]:
    try:
        return list(_statement(cursor))
    except LookupError:
        return [Act(kind=Kind.UNREAD)]


def _statement(cursor: Cursor) -> Iterator[Act]:
    for words, reader in _STATEMENTS.items():
        if cursor.takes(*words.split()):
            yield from reader(cursor)
            return
    yield Act(kind=Kind.UNREAD)


def _harmless(cursor: Cursor) -> Iterator[Act]:
    cursor.rest()
    yield Act(kind=Kind.HARMLESS)


def _defines(cursor: Cursor) -> Iterator[Act]:
    cursor.rest()
    yield Act(kind=Kind.DEFINES)


# --- tables --------------------------------------------------------------------------------------------


def _create_table(cursor: Cursor) -> Iterator[Act]:
    lenient = cursor.takes("IF", "NOT", "EXISTS")
    table = cursor.name()
    head = cursor.peek()
    if head is None or head.text != "(":
        # CREATE TABLE ... AS, PARTITION OF, LIKE: what it holds then isn't known.
        yield Act(kind=Kind.UNREAD, table=table)
        return
    inner = Cursor(cursor.group())
    yield Act(kind=Kind.CREATE_TABLE, table=table, name=table, lenient=lenient)
    for part in inner.parts():
        yield from (act for act in _column_types(part, table))
    if cursor.rest().upper().startswith("AS"):
        yield Act(kind=Kind.UNREAD, table=table)


def _column_types(part: Cursor, table: str) -> Iterator[Act]:
    head = part.peek()
    if head is None or head.word in _TABLE_CONSTRAINTS:
        return
    yield replace(column(part, table), valid=False)


_TABLE_CONSTRAINTS = frozenset({"CONSTRAINT", "UNIQUE", "PRIMARY", "CHECK", "FOREIGN", "EXCLUDE", "LIKE"})


def _drop_table(cursor: Cursor) -> Iterator[Act]:
    lenient = cursor.takes("IF", "EXISTS")
    for part in Cursor(cursor.text, [cursor.take() for _ in iter(lambda: cursor.done, True)]).parts():
        table = part.name()
        yield Act(kind=Kind.DROP_TABLE, table=table, name=table, lenient=lenient)


# --- indexes, extensions, rows ---


def _unique_index(cursor: Cursor) -> Iterator[Act]:
    yield replace(_index(cursor), unique=True)


def _plain_index(cursor: Cursor) -> Iterator[Act]:
    yield _index(cursor)


def _index(cursor: Cursor) -> Act:
    concurrently = cursor.takes("CONCURRENTLY")
    lenient = cursor.takes("IF", "NOT", "EXISTS")
    name = "" if cursor.takes("ON") else cursor.name()
    if name:
        cursor.needs("ON")
    cursor.takes("ONLY")
    table = cursor.name()
    method = cursor.name() if cursor.takes("USING") else "btree"
    columns = columns_of(cursor.group())
    if cursor.takes("INCLUDE"):
        cursor.group()
    distinct = nulls_distinct(cursor)
    cursor.rest("WHERE")
    where = cursor.rest() if cursor.takes("WHERE") else ""
    return Act(
        kind=Kind.INDEX,
        table=table,
        name=name,
        columns=columns,
        method=method.lower(),
        where=where,
        nulls_distinct=distinct,
        concurrently=concurrently,
        lenient=lenient,
    )


def _drop_index(cursor: Cursor) -> Iterator[Act]:
    concurrently = cursor.takes("CONCURRENTLY")
    lenient = cursor.takes("IF", "EXISTS")
    name = cursor.name()
    cursor.rest()
    yield Act(kind=Kind.DROP_INDEX, name=name, concurrently=concurrently, lenient=lenient)


def _alter_index(cursor: Cursor) -> Iterator[Act]:
    lenient = cursor.takes("IF", "EXISTS")
    name = cursor.name()
    if cursor.takes("RENAME", "TO"):
        yield Act(kind=Kind.DROP_INDEX, name=name, lenient=lenient)
        yield Act(kind=Kind.HARMLESS, name=cursor.name())
    else:
        yield from _harmless(cursor)


def _extension(cursor: Cursor) -> Iterator[Act]:
    lenient = cursor.takes("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.rest()
    yield Act(kind=Kind.EXTENSION, name=name, lenient=lenient)


def _collation(cursor: Cursor) -> Iterator[Act]:
    lenient = cursor.takes("IF", "NOT", "EXISTS")
    name = cursor.name()
    cursor.rest()
    yield Act(kind=Kind.COLLATION, name=name, lenient=lenient)


def _update(cursor: Cursor) -> Iterator[Act]:
    cursor.takes("ONLY")
    table = cursor.name()
    cursor.needs("SET")
    assigned = cursor.rest("WHERE", "FROM", "RETURNING")
    where = cursor.rest() if cursor.takes("WHERE") else ""
    columns = tuple(part.name() for part in Cursor(assigned).parts())
    yield Act(kind=Kind.UPDATE, table=table, columns=columns, expression=assigned, where=where)


def _rows(cursor: Cursor) -> Iterator[Act]:
    cursor.takes("ONLY")
    table = cursor.name()
    cursor.rest()
    yield Act(kind=Kind.ROWS, table=table)


_SHAPES = (
    "COMMENT ON", "SET CONSTRAINTS", "SET LOCK_TIMEOUT", "SET LOCAL LOCK_TIMEOUT", "SET STATEMENT_TIMEOUT",
    "SET LOCAL STATEMENT_TIMEOUT", "BEGIN", "COMMIT", "CREATE SEQUENCE", "ALTER SEQUENCE", "DROP SEQUENCE",
    "DROP VIEW", "DROP TRIGGER", "DROP FUNCTION", "CREATE TRIGGER",
    "CREATE OR REPLACE TRIGGER",
    "CREATE VIEW", "CREATE OR REPLACE VIEW", "GRANT", "REVOKE", "ANALYZE", "SELECT SETVAL",
)  # fmt: skip
"""Beginnings of statements that change no row, and that no row could refuse."""
_DEFINITIONS = (
    "CREATE TYPE", "CREATE DOMAIN", "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", "CREATE OPERATOR",
    "CREATE SCHEMA", "DROP EXTENSION", "DROP COLLATION", "DROP TYPE",
)  # fmt: skip
"""Beginnings of statements that change which names there are."""

_STATEMENTS: Mapping[str, Callable[[Cursor], Iterator[Act]]] = {
    "CREATE TABLE": _create_table,
    "CREATE UNIQUE INDEX": _unique_index,
    "CREATE INDEX": _plain_index,
    "CREATE EXTENSION": _extension,
    "CREATE COLLATION": _collation,
    "DROP TABLE": _drop_table,
    "DROP INDEX": _drop_index,
    "ALTER TABLE": alter_table,
    "ALTER INDEX": _alter_index,
    "UPDATE": _update,
    "INSERT INTO": _rows,
    "DELETE FROM": _rows,
    **dict.fromkeys(_SHAPES, _harmless),
    **dict.fromkeys(_DEFINITIONS, _defines),
}
