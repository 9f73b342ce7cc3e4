"""Reading ALTER TABLE, action by action. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from migrator.foretelling.acts import Act, Kind
from migrator.foretelling.tokens import Cursor, columns_of


def alter_table(cursor: Cursor) -> Iterator[Act]:
    """Read what follows on ALTER TABLE."""
    cursor.takes("IF", "EXISTS")
    cursor.takes("ONLY")
    table = cursor.name()
    cursor.takes("*")
    for part in cursor.parts():
        yield from _action(part, table)


def _action(part: Cursor, table: str) -> Iterator[Act]:
    for words, reader in _ACTIONS.items():
        if part.takes(*words.split()):
            yield from reader(part, table)
            return
    yield Act(kind=Kind.UNREAD, table=table)


def _add_column(part: Cursor, table: str) -> Iterator[Act]:
    lenient = part.takes("IF", "NOT", "EXISTS")
    act = column(part, table)
    yield replace(act, lenient=lenient)


_COLUMN_ENDS = (
    "NOT", "NULL", "DEFAULT", "UNIQUE", "PRIMARY", "CHECK", "REFERENCES", "CONSTRAINT", "GENERATED",
    "COLLATE", "DEFERRABLE", "INITIALLY",
)  # fmt: skip


def column(part: Cursor, table: str) -> Act:
    """Read the definition of a column."""
    act = Act(kind=Kind.ADD_COLUMN, table=table, columns=(part.name(),), type=part.rest(*_COLUMN_ENDS))
    while not part.done:
        act = _clause(part, act)
    return act


def _clause(part: Cursor, act: Act) -> Act:
    for words, change in _CLAUSES.items():
        if part.takes(*words.split()):
            return replace(act, **change(part))
    part.take()
    return act


def _references(part: Cursor) -> Mapping[str, Any]:
    target, head = part.name(), part.peek()
    columns = columns_of(part.group()) if head is not None and head.text == "(" else ()
    return {"target": target, "target_columns": columns}


def _generated(part: Cursor) -> Mapping[str, Any]:
    # One that isn't stored is computed as it is read, by a server that knows such.
    words = part.rest().upper().split()
    return {"generated": True, "stored": "STORED" in words or "IDENTITY" in words}


_CLAUSES: Mapping[str, Callable[[Cursor], Mapping[str, Any]]] = {
    "NOT NULL": lambda _: {"not_null": True},
    "DEFAULT": lambda part: {"default": part.rest(*_COLUMN_ENDS)},
    "UNIQUE": lambda _: {"unique": True},
    "PRIMARY KEY": lambda _: {"unique": True, "not_null": True},
    "REFERENCES": _references,
    "GENERATED": _generated,
    "CHECK": lambda part: {"expression": part.group()},
    "COLLATE": lambda part: {"method": part.name()},
}


# --- constraints ------------------------------------------------------------------------------------------


def _add_constraint(part: Cursor, table: str) -> Iterator[Act]:
    name = part.name()
    for words, reader in _CONSTRAINTS.items():
        if part.takes(*words.split()):
            yield reader(part, table, name)
            return
    yield Act(kind=Kind.UNREAD, table=table)


def _add_unnamed(part: Cursor, table: str) -> Iterator[Act]:
    for words, reader in _CONSTRAINTS.items():
        if part.takes(*words.split()):
            yield reader(part, table, "")
            return
    yield from _add_column(part, table)


def _unique(part: Cursor, table: str, name: str) -> Act:
    if part.takes("USING", "INDEX"):
        part.rest()
        return Act(kind=Kind.HARMLESS, table=table, name=name)
    distinct = nulls_distinct(part)
    columns = columns_of(part.group())
    part.rest()
    return Act(kind=Kind.UNIQUE, table=table, name=name, columns=columns, nulls_distinct=distinct)


def _primary(part: Cursor, table: str, name: str) -> Act:
    act = _unique(part, table, name)
    return replace(act, not_null=act.kind is Kind.UNIQUE)


def nulls_distinct(cursor: Cursor) -> bool:
    """Take NULLS [NOT] DISTINCT, if it comes next; return whether NULLs count as different."""
    if cursor.takes("NULLS", "NOT", "DISTINCT"):
        return False
    cursor.takes("NULLS", "DISTINCT")
    return True


def _check(part: Cursor, table: str, name: str) -> Act:
    expression = part.group()
    valid = "NOT VALID" not in part.rest().upper()
    return Act(kind=Kind.CHECK, table=table, name=name, expression=expression, valid=valid)


def _foreign_key(part: Cursor, table: str, name: str) -> Act:
    columns = columns_of(part.group())
    part.needs("REFERENCES")
    target = _references(part)
    valid = "NOT VALID" not in part.rest().upper()
    return Act(kind=Kind.FOREIGN_KEY, table=table, name=name, columns=columns, valid=valid, **target)


def _exclude(part: Cursor, table: str, name: str) -> Act:
    method = part.name() if part.takes("USING") else "btree"
    elements = [_compared(element) for element in Cursor(part.group()).parts()]
    part.rest("WHERE")
    where = part.group() if part.takes("WHERE") else ""
    part.rest()
    return Act(
        kind=Kind.EXCLUDE,
        table=table,
        name=name,
        columns=tuple(column for column, _ in elements),
        operators=tuple(operator for _, operator in elements),
        method=method.lower(),
        where=where,
    )


def _compared(element: Cursor) -> tuple[str, str]:
    column = element.rest("WITH")
    element.needs("WITH")
    return column, element.rest()


_CONSTRAINTS: Mapping[str, Callable[[Cursor, str, str], Act]] = {
    "UNIQUE": _unique,
    "PRIMARY KEY": _primary,
    "CHECK": _check,
    "FOREIGN KEY": _foreign_key,
    "EXCLUDE": _exclude,
}


# --- columns ------------------------------------------------------------------------------------------------


def _alter_column(part: Cursor, table: str) -> Iterator[Act]:
    column = part.name()
    if part.takes("SET", "NOT", "NULL"):
        yield Act(kind=Kind.NOT_NULL, table=table, columns=(column,))
    elif part.takes("TYPE") or part.takes("SET", "DATA", "TYPE"):
        kind = part.rest("USING", "COLLATE")
        collation = part.name() if part.takes("COLLATE") else ""
        using = part.rest() if part.takes("USING") else ""
        yield Act(
            kind=Kind.TYPE,
            table=table,
            columns=(column,),
            type=kind,
            expression=using,
            method=collation or "btree",
        )
    else:
        # Defaults, DROP NOT NULL, identity, statistics: nothing that stands is looked at.
        part.rest()
        yield Act(kind=Kind.HARMLESS, table=table, columns=(column,))


def _drop_column(part: Cursor, table: str) -> Iterator[Act]:
    lenient = part.takes("IF", "EXISTS")
    column = part.name()
    part.rest()
    yield Act(kind=Kind.DROP_COLUMN, table=table, columns=(column,), lenient=lenient)


def _rename(part: Cursor, table: str) -> Iterator[Act]:
    part.takes("COLUMN")
    first = part.name()
    if first.upper() == "TO":
        yield Act(kind=Kind.RENAME, table=table, target=part.name())
        return
    part.needs("TO")
    yield Act(kind=Kind.RENAME, table=table, columns=(first, part.name()))


def _rename_constraint(part: Cursor, table: str) -> Iterator[Act]:
    yield Act(kind=Kind.DROP_INDEX, table=table, name=part.name())
    part.needs("TO")
    yield Act(kind=Kind.HARMLESS, table=table, name=part.name())


def _validate(part: Cursor, table: str) -> Iterator[Act]:
    yield Act(kind=Kind.VALIDATE, table=table, name=part.name())


def _drop_constraint(part: Cursor, table: str) -> Iterator[Act]:
    lenient = part.takes("IF", "EXISTS")
    yield Act(kind=Kind.DROP_INDEX, table=table, name=part.name(), lenient=lenient)


def _harmless_action(part: Cursor, table: str) -> Iterator[Act]:
    part.rest()
    yield Act(kind=Kind.HARMLESS, table=table)


# The longer beginning first: the first that fits is taken.
_ACTIONS: Mapping[str, Callable[[Cursor, str], Iterator[Act]]] = {
    "ADD CONSTRAINT": _add_constraint,
    "ADD COLUMN": _add_column,
    "ADD": _add_unnamed,
    "ALTER COLUMN": _alter_column,
    "ALTER CONSTRAINT": _harmless_action,
    "ALTER": _alter_column,
    "VALIDATE CONSTRAINT": _validate,
    "DROP CONSTRAINT": _drop_constraint,
    "DROP COLUMN": _drop_column,
    "DROP": _drop_column,
    "RENAME CONSTRAINT": _rename_constraint,
    "RENAME": _rename,
    "SET SCHEMA": lambda part, table: iter([Act(kind=Kind.UNREAD, table=table, target=part.name())]),
    "SET": _harmless_action,
    "OWNER TO": _harmless_action,
}
