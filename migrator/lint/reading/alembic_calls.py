"""Alembic's calls as acts: `op.add_column(...)` and its kind, by their syntax alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrator.foretelling.acts import Act, Kind
from migrator.lint.reading.alembic_columns import Arguments, column_acts, default_of, type_of


def acts_of(name: str, given: Arguments) -> Iterator[Act] | None:
    """
    Return what a call does; None where nobody knows.

    Args:
        name: The operation's name.
        given: What it is given; the table comes first, also where a batch names it.

    Raises:
        LookupError: A name that is asked for is computed.
    """
    if name in _HARMLESS:
        return iter(())
    reader = _READERS.get(name)
    return reader(given) if reader is not None else None


def _create_table(given: Arguments) -> Iterator[Act]:
    table = given.text(0, "table_name")
    yield Act(kind=Kind.CREATE_TABLE, table=table, name=table)
    for column in given.columns():
        yield from column_acts(table, column)
    for kind, call in given.calls("UniqueConstraint", "PrimaryKeyConstraint"):
        columns = Arguments(call.args, call.keywords).texts()
        yield Act(
            kind=Kind.UNIQUE,
            table=table,
            columns=columns,
            not_null=kind == "PrimaryKeyConstraint",
            valid=False,
        )


def _drop_table(given: Arguments) -> Iterator[Act]:
    table = given.text(0, "table_name")
    yield Act(kind=Kind.DROP_TABLE, table=table, name=table)


def _rename_table(given: Arguments) -> Iterator[Act]:
    yield Act(kind=Kind.RENAME, table=given.text(0, "old_table_name"), target=given.text(1, "new_table_name"))


def _add_column(given: Arguments) -> Iterator[Act]:
    table = given.text(0, "table_name")
    for column in given.columns():
        yield from column_acts(table, column)


def _drop_column(given: Arguments) -> Iterator[Act]:
    yield Act(
        kind=Kind.DROP_COLUMN, table=given.text(0, "table_name"), columns=(given.text(1, "column_name"),)
    )


def _alter_column(given: Arguments) -> Iterator[Act]:
    table, column = given.text(0, "table_name"), given.text(1, "column_name")
    new_name, new_type = given.find("new_column_name"), given.find("type_")
    if new_name is not None:
        yield Act(kind=Kind.RENAME, table=table, columns=(column, given.text(-1, "new_column_name")))
    if new_type is not None:
        old = given.find("existing_type")
        # The old type travels as the name: an act has no place of its own for it.
        yield Act(
            kind=Kind.TYPE,
            table=table,
            columns=(column,),
            type=type_of(new_type) or "unknown",
            name=type_of(old) if old is not None else "",
        )
    if given.says("nullable") is False:
        yield Act(kind=Kind.NOT_NULL, table=table, columns=(column,))
    elif given.says("nullable") is True:
        yield Act(kind=Kind.NULLABLE, table=table, columns=(column,))
    if given.find("server_default") is not None:
        yield Act(
            kind=Kind.DEFAULT,
            table=table,
            columns=(column,),
            default=default_of(given.find("server_default")),
        )


def _create_index(given: Arguments) -> Iterator[Act]:
    yield Act(
        kind=Kind.INDEX,
        table=given.text(1, "table_name"),
        name=given.text(0, "index_name"),
        unique=given.says("unique") is True,
        concurrently=given.says("postgresql_concurrently") is True,
        lenient=given.says("if_not_exists") is True,
        columns=given.names(2, "columns"),
        method=str(given.says("postgresql_using") or "btree"),
    )


def _drop_index(given: Arguments) -> Iterator[Act]:
    yield Act(
        kind=Kind.DROP_INDEX,
        table=given.text(1, "table_name", ""),
        name=given.text(0, "index_name"),
        concurrently=given.says("postgresql_concurrently") is True,
    )


def _unique(given: Arguments) -> Iterator[Act]:
    yield Act(kind=Kind.UNIQUE, table=given.text(1, "table_name"), name=given.text(0, "constraint_name", ""))


def _primary(given: Arguments) -> Iterator[Act]:
    yield Act(
        kind=Kind.UNIQUE,
        table=given.text(1, "table_name"),
        name=given.text(0, "constraint_name", ""),
        not_null=True,
    )


def _check(given: Arguments) -> Iterator[Act]:
    valid = given.says("postgresql_not_valid") is not True
    yield Act(
        kind=Kind.CHECK,
        table=given.text(1, "table_name"),
        name=given.text(0, "constraint_name", ""),
        valid=valid,
    )


def _foreign_key(given: Arguments) -> Iterator[Act]:
    valid = given.says("postgresql_not_valid") is not True
    yield Act(
        kind=Kind.FOREIGN_KEY,
        table=given.text(1, "source_table"),
        name=given.text(0, "constraint_name", ""),
        target=given.text(2, "referent_table"),
        valid=valid,
    )


def _exclude(given: Arguments) -> Iterator[Act]:
    yield Act(kind=Kind.EXCLUDE, table=given.text(1, "table_name"), name=given.text(0, "constraint_name", ""))


def _drop_constraint(given: Arguments) -> Iterator[Act]:
    yield Act(
        kind=Kind.DROP_INDEX,
        table=given.text(1, "table_name"),
        name=given.text(0, "constraint_name"),
        valid=False,
    )


def _bulk_insert(_given: Arguments) -> Iterator[Act]:
    yield Act(kind=Kind.ROWS, name="insert", where="INSERT")


_READERS: Mapping[str, Callable[[Arguments], Iterator[Act]]] = {
    "add_column": _add_column,
    "alter_column": _alter_column,
    "bulk_insert": _bulk_insert,
    "create_check_constraint": _check,
    "create_exclude_constraint": _exclude,
    "create_foreign_key": _foreign_key,
    "create_index": _create_index,
    "create_primary_key": _primary,
    "create_table": _create_table,
    "create_unique_constraint": _unique,
    "drop_column": _drop_column,
    "drop_constraint": _drop_constraint,
    "drop_index": _drop_index,
    "drop_table": _drop_table,
    "rename_table": _rename_table,
}
_HARMLESS = frozenset({
    "batch_alter_table", "create_table_comment", "drop_table_comment", "f", "get_bind", "get_context",
    "inline_literal",
})  # fmt: skip
