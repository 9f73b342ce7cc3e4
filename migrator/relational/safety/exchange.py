"""The statements by which a column and its twin change places, made of what the server has of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from migrator.relational.safety.catalogued import Catalogued, Index, Standing, indexes_of, of_others
from migrator.relational.safety.widths import RANGES, Wide, index_name


def kept_in_step(wide: Wide, kind: str, editor: Any) -> str:
    """
    Return the statement that makes the function of the trigger, anew where it is there.

    Args:
        wide: The column.
        kind: Type of the twin; what it can't hold is NULL there, rather than refused.
        editor: Django's schema editor.
    """
    least, most = RANGES[kind]
    column, twin = editor.quote_name(wide.name), editor.quote_name(wide.twin)
    value = f"CASE WHEN NEW.{column} BETWEEN {least} AND {most} THEN NEW.{column} END"
    body = f"BEGIN NEW.{twin} := {value}; RETURN NEW; END"
    return f"CREATE OR REPLACE FUNCTION {twin}() RETURNS trigger LANGUAGE plpgsql AS $accord$ {body} $accord$"


def index_of_twin(index: Index, columns: Sequence[Wide], editor: Any) -> str:
    """Return the statement that builds the like of an index of some columns for their twins."""
    quote, table = editor.quote_name, columns[0].table
    tail = of_others(index.definition, {wide.name: quote(wide.twin) for wide in columns})
    words = "CREATE UNIQUE INDEX" if index.is_unique else "CREATE INDEX"
    return f"{words} {quote(index_name(table, index.name))} ON {quote(table)}{tail}"


def exchanged(columns: Sequence[Wide], editor: Any, names: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """
    Yield the statements, in their order.

    Args:
        columns: Columns of one table.
        editor: Django's schema editor.
        names: Of table and column that refer to one of them, the name that the key is to have.
    """
    known, quote = {wide: Catalogued(editor, wide) for wide in columns}, editor.quote_name
    indexes, table = indexes_of(editor, columns), columns[0]
    keys = list(dict.fromkeys(key for each in known.values() for key in each.references(names)))
    # Of several on one column Django leaves one, too.
    again = {(key.table, key.becomes): key for key in keys}.values()
    standing = {wide: each.standing() for wide, each in known.items()}
    counting = [sql for wide in columns for sql in _counting(wide, standing[wide], known[wide], editor)]
    yield from (f"ALTER TABLE {key.table} DROP CONSTRAINT {quote(key.name)}" for key in keys)
    for index in indexes:
        own = f"DROP CONSTRAINT {quote(index.constraint)}"
        yield _altered(table, editor, own) if index.constraint else f"DROP INDEX {index.place}"
    for wide in columns:
        yield from _bared(wide, standing[wide], editor)
        yield from _renamed(wide, editor)
        if standing[wide].required:
            yield _altered(wide, editor, f"ALTER COLUMN {quote(wide.name)} SET NOT NULL")
        yield _altered(wide, editor, f"DROP CONSTRAINT IF EXISTS {quote(wide.guard)}")
        yield kept_in_step(wide, wide.old, editor)
    yield from _indexed(columns, indexes, known[table].schema(), editor)
    yield from counting
    for key in again:
        yield f"ALTER TABLE {key.table} ADD CONSTRAINT {quote(key.becomes)} {key.definition} NOT VALID"


def _bared(wide: Wide, standing: Standing, editor: Any) -> Iterator[str]:
    """Yield what takes from the column whatever its twin is to have."""
    column = f"ALTER COLUMN {editor.quote_name(wide.name)}"
    if standing.identity:
        yield _altered(wide, editor, f"{column} DROP IDENTITY")
    if standing.default:
        yield _altered(wide, editor, f"{column} DROP DEFAULT")
    if standing.required:
        yield _altered(wide, editor, f"{column} DROP NOT NULL")


def _renamed(wide: Wide, editor: Any) -> Iterator[str]:
    quote = editor.quote_name
    aside = f"{wide.twin}_old"
    for old, new in ((wide.name, aside), (wide.twin, wide.name), (aside, wide.twin)):
        yield _altered(wide, editor, f"RENAME COLUMN {quote(old)} TO {quote(new)}")


def _indexed(columns: Sequence[Wide], indexes: Sequence[Index], schema: str, editor: Any) -> Iterator[str]:
    quote, table = editor.quote_name, columns[0]
    for index in indexes:
        own = quote(index_name(table.table, index.name))
        # The columns of an index keep their names as those of its table get others.
        for wide in columns:
            if wide.name in index.named:
                yield f"ALTER TABLE {schema}.{own} RENAME COLUMN {quote(wide.twin)} TO {quote(wide.name)}"
        if index.constraint:
            kind = "PRIMARY KEY" if index.kind == "p" else "UNIQUE"
            yield _altered(
                table, editor, f"ADD CONSTRAINT {quote(index.constraint)} {kind} USING INDEX {own}"
            )
        else:
            yield f"ALTER INDEX {schema}.{own} RENAME TO {quote(index.name)}"


def _counting(wide: Wide, standing: Standing, catalogued: Catalogued, editor: Any) -> Iterator[str]:
    """Yield what gives the twin default, sequence and comment; read before the column loses them."""
    column = f"ALTER COLUMN {editor.quote_name(wide.name)}"
    place = standing.sequence
    if standing.identity:
        start, step, least, most, cache, cycles, last, is_called = catalogued.sequence(place)
        limit = "" if most == RANGES[wide.old][1] else f" MAXVALUE {most}"
        how = "ALWAYS" if standing.identity == "a" else "BY DEFAULT"
        yield _altered(
            wide,
            editor,
            f"{column} ADD GENERATED {how} AS IDENTITY (SEQUENCE NAME {place} START {start} INCREMENT {step} "
            f"MINVALUE {least}{limit} CACHE {cache}{' CYCLE' if cycles else ''})",
        )
        yield f"SELECT setval('{place}', {last}, {str(is_called).lower()})"
        yield from catalogued.grants(place)
    elif place:
        table, name = editor.quote_name(wide.table), editor.quote_name(wide.name)
        yield f"ALTER SEQUENCE {place} AS {wide.new} OWNED BY {table}.{name}"
    if standing.default:
        yield _altered(wide, editor, f"{column} SET DEFAULT {standing.default}")
    if standing.comment:
        text = standing.comment.replace("'", "''")
        yield f"COMMENT ON COLUMN {editor.quote_name(wide.table)}.{editor.quote_name(wide.name)} IS '{text}'"


def _altered(wide: Wide, editor: Any, change: str) -> str:
    return f"ALTER TABLE {editor.quote_name(wide.table)} {change}"
