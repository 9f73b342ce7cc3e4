"""The live catalog of a database, compared with the models that a project state describes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connections, router
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint, Field, Model, UniqueConstraint

from accord.seam.differences import Difference, DifferenceKind
from migrator.relational import comparison, definitions
from migrator.relational.vendors import vendor_of

Tables = Mapping[str, definitions.Table]
"""Descriptions of tables by name."""

ModelKey = tuple[str, str]
"""App label and model name in small letters, as project states write them."""
TABLE = ""
"""Stands for the table itself among the items of a model."""


@dataclass(frozen=True)
class TableDifference:
    """
    One difference.

    Attributes:
        model: Whose table.
        item: Field, index or constraint that it is about; :data:`TABLE` for the table.
        difference: What a store tells of it; no migration is judged by an extra.
        unvalidated: True when it is a constraint that older rows were never held to (`NOT VALID`).
    """

    model: ModelKey
    item: str
    difference: Difference
    unvalidated: bool = False

    @property
    def kind(self) -> DifferenceKind:
        """What is the matter."""
        return self.difference.kind


@dataclass(frozen=True)
class _Constraint:
    """What Django's introspection says of a constraint or an index."""

    columns: tuple[str, ...]
    unique: bool
    index: bool
    primary: bool
    target: tuple[str, str] | None


class Catalog:
    """
    Compares models with what is there.

    Args:
        alias: The database.
        state: Describes the models.
    """

    def __init__(self, alias: str, state: ProjectState) -> None:
        self._connection: Any = connections[alias]
        self._vendor = vendor_of(self._connection)
        self._state = state

    def findings(self, models: Mapping[ModelKey, Collection[str]]) -> Iterator[TableDifference]:
        """
        Compare some models.

        Args:
            models: Models, each with the names of everything that belongs to it.
        """
        kept = {key: self._model(key) for key in models if self._is_kept_here(key)}
        tables = {model._meta.db_table for model in kept.values()}
        links = {table for model in kept.values() for table in _link_tables(model).values()}
        standing = self._vendor.standing(self._connection, tables | links)
        there = {key: model for key, model in kept.items() if model._meta.db_table in standing}
        for key in kept.keys() - there.keys():
            gone = _missing(f"The table {kept[key]._meta.db_table} is missing.")
            yield from (TableDifference(key, item, gone) for item in {*models[key], TABLE})
        for key, model in there.items():
            yield from _missing_links(key, model, standing)
        described = self._described() if there else None
        if described is None:
            yield from self._by_names(there)
        else:
            longest = self._connection.ops.max_name_length()
            unmade = {key: model for key, model in there.items() if model._meta.db_table not in described[1]}
            yield from self._by_names(unmade)
            for key, model in there.items():
                yield from _by_definitions(key, model, *described, longest)

    def _by_names(self, models: Mapping[ModelKey, type[Model]]) -> Iterator[TableDifference]:
        """Compare what Django's introspection tells: names and columns."""
        tables = [model._meta.db_table for model in models.values()]
        types = self._vendor.column_types(self._connection, tables)
        broken = self._vendor.unusable_indexes(self._connection, tables)
        for key, model in models.items():
            yield from _Table(self._connection, key, model, types=types, broken=broken).findings()

    def _described(self) -> tuple[Tables, Tables] | None:
        """Describe all tables as they are, and as Django would make them; None where that can't be."""
        if not self._vendor.describes_tables:
            return None
        every = self._state.apps.get_models()
        kept = [model for model in every if self._is_kept_here((model._meta.app_label, _name_of(model)))]
        try:
            wanted = definitions.declared(self._connection.alias, kept)
        except DatabaseError:
            # Without the right to make a schema, say; names and columns are what is left to compare.
            return None
        return definitions.live(self._connection.alias, list(wanted)), wanted

    def _model(self, key: ModelKey) -> type[Model]:
        model: type[Model] = self._state.apps.get_model(*key)
        return model

    def _is_kept_here(self, key: ModelKey) -> bool:
        model = self._model(key)
        meta = model._meta
        takes = router.allow_migrate_model(self._connection.alias, model)
        return bool(meta.managed and not meta.proxy and not meta.swapped and takes)


def _link_tables(model: type[Model]) -> Mapping[str, str]:
    """Return the fields whose table of links Django makes by itself, each with its name."""
    throughs: dict[str, Any] = {
        field.name: field.remote_field.through for field in model._meta.local_many_to_many
    }
    return {name: through._meta.db_table for name, through in throughs.items() if through._meta.auto_created}


def _missing_links(key: ModelKey, model: type[Model], standing: Collection[str]) -> Iterator[TableDifference]:
    for field, table in _link_tables(model).items():
        if table not in standing:
            yield TableDifference(key, field, _missing(f"The table {table} of the field {field} is missing."))


def _by_definitions(
    key: ModelKey, model: type[Model], found: Tables, wanted: Tables, longest: int | None
) -> Iterator[TableDifference]:
    """Compare the table of a model, and those that Django makes for its many-to-many fields."""
    meta = model._meta
    fields = {field.column: field.name for field in meta.local_fields}
    own = [*meta.indexes, *meta.constraints]
    named = frozenset(_cut(item.name, longest) for item in own)
    for difference in _compared(meta.db_table, found, wanted, named):
        single = fields.get(difference.columns[0], TABLE) if len(difference.columns) == 1 else TABLE
        yield _finding(key, difference.name or single, difference)
    for link in meta.local_many_to_many:
        for difference in _compared(link.m2m_db_table(), found, wanted, ()):
            yield _finding(key, link.name, difference)


def _compared(
    table: str, found: Tables, wanted: Tables, named: Collection[str]
) -> Iterator[comparison.Difference]:
    if table in found and table in wanted:
        yield from comparison.differences(table, found[table], wanted[table], named)


def _finding(key: ModelKey, item: str, found: comparison.Difference) -> TableDifference:
    difference = Difference(kind=found.kind, text=found.text, thing=found.thing)
    return TableDifference(key, item, difference, unvalidated=found.unvalidated)


def _missing(text: str) -> Difference:
    return Difference(kind=DifferenceKind.MISSING, text=text)


def _as_kept(column_type: str) -> str:
    """Return a type as a server keeps it, to whom an array is one, of whatever length and depth."""
    return re.sub(r"(\[\d*\])+$", "[]", column_type)


def _cut(name: str, longest: int | None) -> str:
    """Cut a name as a server does that allows only so many bytes, and says no word of it."""
    return name.encode()[:longest].decode(errors="ignore")


def _name_of(model: type[Model]) -> str:
    return str(model._meta.model_name)


class _Table:
    """One table that is there, by what Django's introspection tells of it."""

    def __init__(
        self,
        connection: Any,
        key: ModelKey,
        model: type[Model],
        *,
        types: Mapping[tuple[str, str], str],
        broken: Collection[str],
    ) -> None:
        self._connection = connection
        self._vendor = vendor_of(connection)
        self._key = key
        self._meta = model._meta
        self._table = model._meta.db_table
        self._types = types
        self._broken = broken
        self._constraints = self._read_constraints()

    def findings(self) -> Iterator[TableDifference]:
        fields = [field for field in self._meta.local_fields if field.db_type(self._connection) is not None]
        if self._vendor.has_columns:
            columns = self._read_columns()
            for field in fields:
                yield from self._column(field, columns)
            yield from self._strangers(fields, columns)
        for field in fields:
            yield from self._field_constraints(field)
        yield from self._together()
        yield from self._indexes()
        yield from self._named_constraints()

    # --- columns ---------------------------------------------------------------------

    def _column(self, field: Any, columns: Mapping[str, bool]) -> Iterator[TableDifference]:
        place = f"{self._table}.{field.column}"
        if field.column not in columns:
            yield self._missing(field.name, f"The column {place} is missing.")
            return
        # The server keeps a column that it computes nullable, whatever its field says.
        if columns[field.column] != field.null and not field.generated:
            found, wanted = ("nullable", "not") if columns[field.column] else ("not nullable", "it")
            yield self._different(field.name, f"The column {place} is {found}, declared as {wanted}.")
        found_type = self._types.get((self._table, field.column))
        wanted_type = _as_kept(self._vendor.normalised(field.db_type(self._connection) or ""))
        if found_type is not None and found_type != wanted_type:
            yield self._different(
                field.name, f"The column {place} is {found_type}, declared as {wanted_type}."
            )

    def _strangers(
        self, fields: Sequence[Field[Any, Any]], columns: Mapping[str, bool]
    ) -> Iterator[TableDifference]:
        """Find columns that no model knows and that an insert could not leave out."""
        known = {field.column for field in fields}
        for column in sorted(set(columns) - known):
            yield self._different(
                TABLE, f"The column {self._table}.{column} is there, and no model declares it."
            )

    def _read_columns(self) -> Mapping[str, bool]:
        with self._introspected() as name, self._connection.cursor() as cursor:
            description = self._connection.introspection.get_table_description(cursor, name)
        return {column.name: bool(column.null_ok) for column in description}

    # --- constraints and indexes -----------------------------------------------------

    def _field_constraints(self, field: Any) -> Iterator[TableDifference]:
        column = (field.column,)
        place = f"{self._table}.{field.column}"
        if field.primary_key:
            if self._vendor.has_columns and not any(c.primary and c.columns == column for c in self._all()):
                yield self._different(field.name, f"The column {place} is not the primary key.")
        elif field.unique:
            if not any(c.unique and c.columns == column for c in self._all()):
                yield self._missing(field.name, f"The column {place} is not unique.")
        elif field.db_index and not any(c.index and c.columns[:1] == column for c in self._all()):
            yield self._missing(field.name, f"The column {place} has no index.")
        if self._has_foreign_key(field) and not any(c.target and c.columns == column for c in self._all()):
            yield self._missing(field.name, f"The column {place} has no foreign key.")

    def _has_foreign_key(self, field: Any) -> bool:
        supported = self._connection.features.supports_foreign_keys
        return bool(supported and field.remote_field and getattr(field, "db_constraint", False))

    def _together(self) -> Iterator[TableDifference]:
        for names in self._meta.unique_together:
            columns = self._columns_of(names)
            if not any(c.unique and c.columns == columns for c in self._all()):
                yield self._missing(TABLE, f"{self._table} has no unique constraint on {', '.join(columns)}.")

    def _indexes(self) -> Iterator[TableDifference]:
        for index in self._meta.indexes:
            columns = self._columns_of([name for name, _ in index.fields_orders])
            # One that covers more lists that among its columns, too.
            yield from self._named("index", index.name, () if index.include else columns)

    def _named_constraints(self) -> Iterator[TableDifference]:
        features = self._connection.features
        for constraint in self._meta.constraints:
            if isinstance(constraint, CheckConstraint):
                if features.supports_table_check_constraints:
                    yield from self._named("check", constraint.name, ())
            elif isinstance(constraint, UniqueConstraint):
                if constraint.condition is None or features.supports_partial_indexes:
                    yield from self._named(
                        "unique constraint", constraint.name, self._columns_of(constraint.fields)
                    )
            else:
                yield from self._named("constraint", constraint.name, ())

    def _named(self, kind: str, name: str, columns: tuple[str, ...]) -> Iterator[TableDifference]:
        kept = _cut(name, self._connection.ops.max_name_length())
        found = self._constraints.get(kept)
        if found is None:
            yield self._missing(name, f"The {kind} {name} on {self._table} is missing.")
        elif kept in self._broken:
            yield self._different(name, f"The {kind} {name} on {self._table} is there and not usable.")
        elif columns and found.columns != columns:
            what = f"covers {', '.join(found.columns)}, declared for {', '.join(columns)}"
            yield self._different(name, f"The {kind} {name} on {self._table} {what}.")

    def _columns_of(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of fields; none where a rule still has the old name of one."""
        known = {field.name: str(field.column) for field in self._meta.local_fields}
        return tuple(known[name] for name in names) if known.keys() >= set(names) else ()

    def _all(self) -> Collection[_Constraint]:
        return self._constraints.values()

    def _read_constraints(self) -> Mapping[str, _Constraint]:
        with self._introspected() as name, self._connection.cursor() as cursor:
            found = self._connection.introspection.get_constraints(cursor, name)
        return {
            name: _Constraint(
                columns=tuple(details["columns"] or ()),
                unique=bool(details["unique"]),
                index=bool(details["index"]),
                primary=bool(details["primary_key"]),
                target=details["foreign_key"],
            )
            for name, details in found.items()
        }

    def _introspected(self) -> AbstractContextManager[str]:
        return self._vendor.introspected(self._connection, self._table)

    def _missing(self, item: str, text: str) -> TableDifference:
        return TableDifference(self._key, item, _missing(text))

    def _different(self, item: str, text: str) -> TableDifference:
        different = Difference(kind=DifferenceKind.DIFFERENT, text=text)
        return TableDifference(self._key, item, different)
