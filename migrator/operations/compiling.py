"""What an author says of values and rows (SQL, or Django's expressions), as SQL of one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db.models import Model, Q, Value
from django.db.models.sql import Query

from accord.errors import InvalidRevision
from migrator.operations.sql import EVERY, Sql, both, joined, put

Condition = str | Q
"""Which rows: SQL, or a Q on the model's own fields."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """
    A column that is written.

    Attributes:
        name: Quoted.
        kind: Its type, as a cast has it.
        value: What it gets; None where code says it.
    """

    name: Sql
    kind: str
    value: Sql | None = None

    @property
    def differs(self) -> Sql:
        """Return the condition of rows that hold another value than this one would be in the column."""
        return put(f"{{}} IS DISTINCT FROM CAST({{}} AS {self.kind})", self.name, self.value or Sql("NULL"))

    def is_read_by(self, sql: Sql) -> bool:
        """Return whether SQL reads the column; a word that is the same counts, too."""
        word = re.escape(self.name.text.strip('"'))
        return re.search(rf"(?<![\w$]){word}(?![\w$])", sql.text, re.IGNORECASE) is not None


def condition(model: type[Model], connection: Any, said: Condition | None) -> Sql:
    """
    Return a condition; :data:`EVERY` for None.

    Raises:
        InvalidRevision: It isn't about the model's own fields.
    """
    if said is None or said == "" or said == Q():
        return EVERY
    if isinstance(said, str):
        return Sql.written(said)
    try:
        query = Query(model, alias_cols=False)
        return _compiled(query, connection, query.build_where(said))
    except FieldError as exc:
        raise _not_of_it(model, exc) from exc


def columns(model: type[Model], connection: Any, said: Mapping[str, Any]) -> tuple[Column, ...]:
    """
    Return the columns that are written, with their values.

    Args:
        model: The model as it is at that time.
        connection: Of its database.
        said: Fields, or columns, with what they get: a text is SQL; an expression, or a plain value.

    Raises:
        InvalidRevision: There is no such field, or a value isn't made of the model's own fields.
    """
    return tuple(_column(model, connection, name, value) for name, value in said.items())


def column_of(model: type[Model], connection: Any, name: str) -> Column:
    """Return a column without a value. Raises as above."""
    field = field_of(model, name)
    return Column(
        name=Sql.written(connection.ops.quote_name(field.column)), kind=field.cast_db_type(connection)
    )


def field_of(model: type[Model], name: str) -> Any:
    """
    Return a field by its name, or by its column's.

    Raises:
        InvalidRevision: The model has none, or none with a column that may be written.
    """
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist as exc:
        named = [each for each in model._meta.concrete_fields if name in (each.column, each.attname)]
        if not named:
            raise InvalidRevision(
                f"{model._meta.label} has no field “{name}” at this migration.",
                hint="Add it in a migration before, and depend on that one.",
            ) from exc
        [field] = named
    if not getattr(field, "column", None) or getattr(field, "generated", False):
        raise InvalidRevision(
            f"{model._meta.label}.{name} has no column that could be written.",
            hint="Name a field with a column of its own in that table.",
        )
    return field


def different(written: tuple[Column, ...]) -> Sql | None:
    """
    Return the condition of rows that don't hold their values yet.

    Returns:
        None where that can't be told from a row: a value that is made of a column that it writes (`a + 1`).
    """
    if any(one.value is None or other.is_read_by(one.value) for one in written for other in written):
        return None
    return put("({})", joined(" OR ", [each.differs for each in written]))


def lacking(where: Sql, differs: Sql | None) -> Sql | None:
    """Return the condition of rows that are to be written and aren't; None where that can't be told."""
    return None if differs is None else both(where, differs)


def _column(model: type[Model], connection: Any, name: str, said: Any) -> Column:
    field, empty = field_of(model, name), column_of(model, connection, name)
    if field.primary_key or field in model._meta.pk_fields:
        raise InvalidRevision(
            f"{model._meta.label}.{name} is of the primary key, along which rows are walked over.",
            hint="Write it in a statement of its own, where nobody writes the table.",
        )
    return Column(name=empty.name, kind=empty.kind, value=_value(model, connection, field, said))


def _value(model: type[Model], connection: Any, field: Any, said: Any) -> Sql:
    if isinstance(said, str):
        return Sql.written(f"({said})")
    given = said if hasattr(said, "resolve_expression") else Value(said, output_field=field)
    try:
        query = Query(model, alias_cols=False)
        expression = given.resolve_expression(query, allow_joins=False, for_save=True)
        return _compiled(query, connection, expression)
    except FieldError as exc:
        raise _not_of_it(model, exc) from exc


def _compiled(query: Query, connection: Any, node: Any) -> Sql:
    text, params = query.get_compiler(connection=connection).compile(node)
    return Sql(str(text), tuple(params))


def _not_of_it(model: type[Model], error: FieldError) -> InvalidRevision:
    return InvalidRevision(
        f"{model._meta.label}: {error}",
        hint="Name the model's own fields; say what hangs on other tables in SQL, by a subquery.",
    )
