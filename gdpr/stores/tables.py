"""What a live database says about the data map: tables, columns, types, references and indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models

from accord import conf
from gdpr.datamap.actions import Delete, Detach, Nothing, Refresh, Unset, touched
from gdpr.datamap.entries import TABLE, Entry
from gdpr.datamap.findings import Fault, MapFinding, about
from gdpr.datamap.keys import KeyType, key_type
from gdpr.datamap.locators import Array, External, Generic, Key, Path, Rows, Sessions, Simple, Through, parts
from gdpr.datamap.lock import Inventory
from gdpr.datamap.moved import absent
from gdpr.datamap.presets import is_known, known_columns, known_tables, stands_beside
from gdpr.stores.access_paths import explain_locator
from gdpr.stores.json_columns import is_declared, is_path
from gdpr.stores.relations import Kind, Relation, Relations
from gdpr.stores.table_dates import undated
from gdpr.stores.table_spellings import end_of, unserved

_REFERENCES = """
    SELECT child.relname, parent.relname, attribute.attname, reference.confdeltype
    FROM pg_constraint reference
    JOIN pg_class child ON child.oid = reference.conrelid
    JOIN pg_class parent ON parent.oid = reference.confrelid
    JOIN pg_attribute attribute ON attribute.attrelid = child.oid AND attribute.attnum = reference.conkey[1]
    JOIN pg_namespace space ON space.oid = child.relnamespace
    WHERE reference.contype = 'f' AND reference.conparentid = 0
        AND space.nspname = ANY (current_schemas(false))
    ORDER BY 1, 3
"""
_RESTRICTS = frozenset("ar")
_TYPES: Mapping[KeyType, frozenset[str]] = {
    KeyType.INT: frozenset({"integer", "bigint", "smallint"}),
    KeyType.STR: frozenset({"character varying", "text", "character", "USER-DEFINED"}),
    KeyType.UUID: frozenset({"uuid"}),
    KeyType.OBJECT_ID: frozenset({"character varying", "text", "character"}),
}
_JSON = "jsonb"
_AS_A_COPY = (
    "It is a copy, which nothing is deleted from: classify {} with Refresh(), with Manual(...) that says who "
    "makes it anew when its tables are erased, or with Nothing(reason)."
)


class Tables:
    """
    The live schema of one PostgreSQL database.

    Args:
        alias: The alias in `DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def inspect(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        """Compare entries with the schema, and look for tables that have none."""
        yield from self._unclassified(entries)
        for entry in entries:
            yield from self._target(entry)
        yield from self._references(entries)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        """Return the columns of each entry's table; of a known one, those that are not its own."""
        found = {}
        for entry in entries:
            relation = self._relation(entry)
            if relation is not None:
                own = known_columns(entry) if is_known(entry) else ()
                columns = relation.columns.items()
                found[entry.target] = {name: kind for name, kind in columns if name not in own}
        return found

    def some(self, entry: Entry, limit: int) -> Iterator[Mapping[str, object]]:
        """Read a few rows of an entry's table."""
        relation = self._relation(entry)
        if relation is None:
            return
        quoted = map(connections[self._alias].ops.quote_name, (relation.schema, relation.table))
        with connections[self._alias].cursor() as cursor:
            cursor.execute(f"SELECT * FROM {'.'.join(quoted)} LIMIT %s", [limit])  # noqa: S608 - quoted names
            for row in cursor.fetchall():
                yield dict(zip((one[0] for one in cursor.description or ()), row, strict=True))

    # --- completeness ----------------------------------------------------------------------------

    def _unclassified(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        classified = {found.oid for found in map(self._relation, entries) if found is not None}
        # The coordinator's have entries; another database has them where it was migrated without a router.
        known = known_tables() if self._alias != conf.load().coordinator else ()
        classified |= {found.oid for found in map(self._named, known) if found is not None}
        for relation in self._relations.to_classify():
            if relation.oid not in classified and not stands_beside(relation.table):
                yield self._missing(relation, self._labels.get(relation.oid, ""))

    def _missing(self, relation: Relation, label: str) -> MapFinding:
        what = f"The {relation.in_words} {relation.name}, which no model stands for,"
        named = f"The model {label} ({relation.name})" if label else what
        target = f'"{label or TABLE + relation.name}"'
        return MapFinding(
            fault=Fault.UNCLASSIFIED,
            message=f"{named} of “{self._alias}” has no entry in the data map.",
            hint=_AS_A_COPY.format(target)
            if relation.kind is Kind.MATERIALISED
            else f"Add an Entry for {target} to a privacy.py; Nothing(reason) is one.",
            store=self._alias,
            target=label or relation.name,
        )

    @cached_property
    def _relations(self) -> Relations:
        return Relations(self._alias)

    def _named(self, name: str | None) -> Relation | None:
        return self._relations.named(name)

    def _relation(self, entry: Entry) -> Relation | None:
        return self._named(table_of(entry))

    def _columns(self, model: type[models.Model]) -> Mapping[str, str]:
        """Return the columns of a model's table, with their types; none where there is no such table."""
        found = self._named(model._meta.db_table)
        return found.columns if found else {}

    @cached_property
    def _labels(self) -> Mapping[int, str]:
        """Numbers of tables to the labels of their models."""
        found: dict[int, str] = {}
        for model in apps.get_models(include_auto_created=True):
            relation = self._named(model._meta.db_table)
            if relation is not None:
                found.setdefault(relation.oid, model._meta.label)
        return found

    # --- one entry -------------------------------------------------------------------------------

    def _target(self, entry: Entry) -> Iterator[MapFinding]:
        if (relation := self._relation(entry)) is None:
            yield absent(entry, "the database does not have")
            return
        if isinstance(entry.action, Refresh):
            yield from self._refreshed(entry, relation)
            return
        if relation.kind is Kind.MATERIALISED and entry.is_automatic:
            hint = _AS_A_COPY.format(f'"{entry.target}"')
            yield about(Fault.WRONG_ACTION, entry, "changes a materialised view", hint)
            return
        if entry.table or not entry.is_looked_at:
            return
        model = apps.get_model(entry.target)
        faults = [
            *self._fields(entry, model),
            *undated(entry, model, self._columns),
            *self._locators(entry, model),
        ]
        yield from faults
        if not faults:
            yield from self._index(entry, model)
            yield from unserved(self._alias, entry, model, self._oid)

    def _refreshed(self, entry: Entry, relation: Relation) -> Iterator[MapFinding]:
        if relation.kind is not Kind.MATERIALISED:
            what = f"refreshes {entry.target}, which is no materialised view"
            yield about(Fault.WRONG_ACTION, entry, what, "Use Delete() or another action.")
            return
        named = [one.field for one in parts(entry.locator) if isinstance(one, Key)]
        for name in dict.fromkeys((*named, *entry.fields)):
            if _column_or_name(entry, name) not in relation.columns:
                yield about(
                    Fault.NO_FIELD, entry, f"names the column {name}, which {entry.target} does not have"
                )

    def _fields(self, entry: Entry, model: type[models.Model]) -> Iterator[MapFinding]:
        for name in dict.fromkeys((*entry.fields, *touched(entry.action), *entry.kept)):
            leads = is_path if name in touched(entry.action) else is_declared
            field = _field(model, name.partition(".")[0] if leads(model, name) else name)
            if field is None or field.column not in self._columns(field.model):
                what = f"names the field {name}, which {entry.target} does not have"
                yield about(Fault.NO_FIELD, entry, what)

    def _locators(self, entry: Entry, model: type[models.Model]) -> Iterator[MapFinding]:
        for locator in parts(entry.locator):
            try:
                holder, name, wanted = _compared(model, locator)
            except (FieldDoesNotExist, LookupError, ValueError):
                what = f"looks by {type(locator).__name__} at a field that {entry.target} does not have"
                yield about(Fault.NO_FIELD, entry, what)
                continue
            kind = self._columns(holder).get(name)
            if kind is None:
                yield about(
                    Fault.NO_FIELD, entry, f"looks at {holder._meta.label}.{name}, which does not exist"
                )
            elif wanted is not None and not _fits(wanted, kind):
                yield about(
                    Fault.WRONG_KEY_TYPE,
                    entry,
                    f"declares keys of type {wanted}, and {holder._meta.label}.{name} holds {kind}",
                )

    def _index(self, entry: Entry, model: type[models.Model]) -> Iterator[MapFinding]:
        for locator in parts(entry.locator):
            used = explain_locator(self._alias, model, locator)
            if used.read_in_full:
                yield about(
                    Fault.READ_IN_FULL, entry, "has to read the whole table", hint="Nothing needs to be done."
                )
            elif not used.uses_index:
                yield about(
                    Fault.NO_INDEX,
                    entry,
                    f"finds rows of {entry.target} by reading the whole table ({used.detail})",
                    hint="Add an index that begins with the column the locator compares, by a migration.",
                )

    def _oid(self, table: str) -> int | None:
        relation = self._named(table)
        return None if relation is None else relation.oid

    # --- references --------------------------------------------------------------------------------

    def _references(self, entries: Sequence[Entry]) -> Iterator[MapFinding]:
        """Look for rows that would be deleted while others refer to them; nothing ever cascades here."""
        with connections[self._alias].cursor() as cursor:
            cursor.execute(_REFERENCES)
            references = cursor.fetchall()
        for position, entry in enumerate(entries):
            if isinstance(entry.action, Delete) and not entry.table:
                before = entries[:position]
                for child, parent, column, on_delete in references:
                    if parent == table_of(entry) and child != parent and on_delete in _RESTRICTS:
                        yield from self._one_reference(entry, child, column, before)

    def _one_reference(
        self, entry: Entry, child: str, column: str, before: Sequence[Entry]
    ) -> Iterator[MapFinding]:
        if not any(table_of(other) == child and _lets_go(other, column) for other in before):
            yield about(
                Fault.STILL_REFERRED_TO,
                entry,
                f"deletes rows that {child}.{column} refers to, and no entry before it lets go of those",
                hint="Add an entry with Delete() or Detach() for them; it goes first by itself.",
            )


def fingerprint(alias: str) -> str:
    """Describe which database this is."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), oid,"
            " has_function_privilege('pg_control_system()', 'execute')"
            " FROM pg_database WHERE datname = current_database()"
        )
        version, oid, may_ask = cursor.fetchone()
        cluster = "unknown"
        if may_ask:
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            cluster = cursor.fetchone()[0]
    return f"PostgreSQL {version.split()[0]}, cluster {cluster}, database {oid}"


def _compared(
    model: type[models.Model], locator: Simple | Sessions | External
) -> tuple[type[models.Model], str, KeyType | str | None]:
    """Return the model and the column that a locator compares with, and the type it should have."""
    match locator:
        case Key() | Rows():
            return *_held(model, locator.field), key_type(locator.type)
        case Path():
            return *_held(model, locator.path.partition(".")[0]), _JSON
        case Array():
            # An array column holds the keys themselves; its own type says nothing about them.
            return *_held(model, locator.array.partition(".")[0]), None
        case Through():
            return *_held(*end_of(model, locator.path)), key_type(locator.type)
        case Generic():
            for label in locator.of.values():
                apps.get_model(label)
            _held(model, locator.content_type)
            return *_held(model, locator.object_id), KeyType.STR
        case _:
            return *_held(model, "pk"), None


def _held(model: type[models.Model], name: str) -> tuple[type[models.Model], str]:
    """Return the model whose table has a column, a parent where it is inherited, and the column."""
    field = model._meta.pk if name == "pk" else _field(model, name)
    if field is None or not getattr(field, "column", None):
        raise FieldDoesNotExist(name)
    return field.model, str(field.column)


def column_of(entry: Entry, name: str) -> str:
    """Return a field's column; the name itself where no model stands for the table."""
    return name if entry.table else _held(apps.get_model(entry.target), name)[1]


def _field(model: type[models.Model], name: str) -> Any:
    by_column = {field.attname: field for field in model._meta.concrete_fields}
    by_name = {field.name: field for field in model._meta.concrete_fields}
    return by_name.get(name) or by_column.get(name)


def _fits(wanted: KeyType | str, kind: str) -> bool:
    if wanted == _JSON:
        return kind == _JSON
    accepted = _TYPES.get(KeyType(wanted))
    return accepted is None or kind in accepted


def _column_or_name(entry: Entry, name: str) -> str:
    try:
        return column_of(entry, name)
    except FieldDoesNotExist:
        return name


def _lets_go(entry: Entry, column: str) -> bool:
    if any(isinstance(locator, Generic) for locator in parts(entry.locator)):
        # It finds rows by what they are about, not by what they refer to.
        return False
    match entry.action:
        case Delete():
            return True
        case Detach() | Unset():
            model = apps.get_model(entry.target)
            return column in {_held(model, name.partition(".")[0])[1] for name in touched(entry.action)}
        case Nothing():
            # Who says that no row of this kind of person is there says that none refers to one.
            return True
        case _:
            return False


def table_of(entry: Entry) -> str | None:
    """Return the name of an entry's table, as its model or its target has it."""
    if entry.table:
        return entry.table
    try:
        return str(apps.get_model(entry.target)._meta.db_table)
    except (LookupError, ValueError):
        return None
