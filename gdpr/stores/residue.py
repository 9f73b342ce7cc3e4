"""
What an erasure has left in tables: counted in SQL of its own, on a connection of its own.

Nothing here is shared with the code that erases, so that a mistake there is not repeated here.
Keys within JSON are compared as texts, which also finds one that is stored in another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from accord import arrays
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import KeyType, key_type
from gdpr.datamap.locators import Array, Generic, Key, Keyed, Path, Rows, Sessions, Through, parts
from gdpr.datamap.strategies import Null, Strategy
from gdpr.datamap.subjects import Keys
from gdpr.errors import ErasureRefused

Condition = tuple[str, list[Any]]
_NEVER: Condition = ("1 = 0", [])
_PAGE = 1_000


class Residue:
    """
    A second look at one table.

    Args:
        alias: Database.
        model: Model of the table.
    """

    def __init__(self, alias: str, model: type[models.Model]) -> None:
        self._alias = alias
        self._model = model
        self._quote = connections[alias].ops.quote_name

    def count(self, entry: Entry, keys: Keys) -> int:
        """Count the rows that an entry's action should have changed, and has not."""
        if not entry.is_looked_at:
            return 0
        with closing(connections.create_connection(self._alias)) as fresh, fresh.cursor() as cursor:
            conditions = [self._condition(part, keys, cursor) for part in parts(entry.locator)]
            where = " OR ".join(f"({sql})" for sql, _ in conditions)
            values = [value for _, bound in conditions for value in bound]
            if apart := keys.apart(entry.id):
                among, rows = self._in(f"{self._column(self._model, 'pk')}::text", list(map(str, apart)))
                where, values = f"({where}) AND NOT ({among})", [*values, *rows]
            return self._left(entry, where, values, fresh)

    def _left(self, entry: Entry, where: str, values: list[Any], fresh: BaseDatabaseWrapper) -> int:
        match entry.action:
            case Delete() | Pull() | Manual():
                with fresh.cursor() as cursor:
                    cursor.execute(f"SELECT count(*) FROM {self._table(self._model)} WHERE {where}", values)  # noqa: S608 - quoted names
                    return int(cursor.fetchone()[0])
            case Detach(name):
                return self._unsettled({name: Null()}, where, values, fresh)
            case Unset(fields):
                return self._unsettled(dict.fromkeys(fields), where, values, fresh)
            case Anonymise() | Retain():
                return self._unsettled(entry.action.strategies, where, values, fresh)
        return 0

    def _unsettled(self, wanted: Any, where: str, values: list[Any], fresh: BaseDatabaseWrapper) -> int:
        """Read the values back and let each strategy say whether they are its own."""
        if not wanted:
            return 0
        fields = [self._model._meta.get_field(name) for name in wanted]
        columns = ", ".join(self._of(field) for field in fields)
        left = 0
        with fresh.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {self._table(self._model)} WHERE {where}", values)  # noqa: S608 - quoted names
            while page := cursor.fetchmany(_PAGE):
                left += sum(not _all_settled(wanted.values(), row) for row in page)
        return left

    # --- conditions --------------------------------------------------------------------------

    def _condition(  # noqa: PLR0911 - one case a locator
        self, locator: object, keys: Keys, cursor: CursorWrapper
    ) -> Condition:
        match locator:
            case Key():
                return self._only(
                    locator.where, self._in(self._column(self._model, locator.field), _values(locator, keys))
                )
            case Path():
                return self._in(self._json_text(locator.path), _texts(locator, keys))
            case Array():
                return self._element(locator, keys)
            case Through():
                return self._walk(self._model, locator.path.split("__"), _values(locator, keys))
            case Rows():
                kind = key_type(locator.type)
                values = [_cast(key, kind) for key in _collected(locator.entry, keys)]
                return self._only(locator.where, self._in(self._column(self._model, locator.field), values))
            case Generic():
                return self._logged(locator, keys, cursor)
            case Sessions():
                return self._in(self._column(self._model, "pk"), list(self._sessions(locator, keys, cursor)))
        return _NEVER

    def _element(self, locator: Array, keys: Keys) -> Condition:
        column, *steps = locator.array.split(".")
        name = self._column(self._model, column)
        if isinstance(self._model._meta.get_field(column), ArrayField):
            sql, values = self._in("element", _values(locator, keys))
            return f"EXISTS (SELECT 1 FROM unnest({name}) AS element WHERE {sql})", values  # noqa: S608 - quoted names
        inner = locator.inner.split(".") if locator.inner else []
        array = f"{name} #> %s"
        texts = _texts(locator, keys)
        if not texts:
            return _NEVER
        sql, values = self._in("element #>> %s", texts)
        held = f"EXISTS (SELECT 1 FROM jsonb_array_elements({array}) AS element WHERE {sql})"  # noqa: S608 - quoted names
        guarded = f"CASE WHEN jsonb_typeof({array}) = 'array' THEN {held} ELSE FALSE END"
        return guarded, [steps, steps, inner, *values]

    def _walk(self, model: type[models.Model], steps: Sequence[str], values: list[Any]) -> Condition:
        """Follow foreign keys by nested selects."""
        column = self._column(model, steps[0])
        if len(steps) == 1:
            return self._in(column, values)
        target = model._meta.get_field(steps[0]).related_model
        assert isinstance(target, type)  # noqa: S101 - the map's check reports it
        inner, bound = self._walk(target, steps[1:], values)
        key = self._column(target, "pk")
        return f"{column} IN (SELECT {key} FROM {self._table(target)} WHERE {inner})", bound  # noqa: S608 - quoted names

    def _logged(self, locator: Generic, keys: Keys, cursor: CursorWrapper) -> Condition:
        type_column = self._column(self._model, locator.content_type)
        id_column = self._column(self._model, locator.object_id)
        cursor.execute("SELECT id, app_label, model FROM django_content_type")
        known = cursor.fetchall()
        kinds: list[int] = []
        objects: list[str] = []
        for entry_id, label in locator.of.items():
            texts = [str(key) for key in _collected(entry_id, keys)]
            for kind in [key for key, *kind in known if _shares_keys(apps.get_model(label), *kind)]:
                kinds += [kind] * len(texts)
                objects += texts
        pairs = f"SELECT kind, object::{self._text_as(locator.object_id)}"
        pairs += " FROM unnest(%s::bigint[], %s::text[]) AS pair (kind, object)"
        # A join, which the server plans without a look at each of a hundred thousand keys.
        return f"({type_column}, {id_column}) IN ({pairs})", [
            arrays.of_numbers(kinds),
            arrays.of_texts(objects),
        ]

    def _sessions(self, locator: Sessions, keys: Keys, cursor: CursorWrapper) -> Iterator[str]:
        wanted = {str(key) for key in _collected(locator.entry, keys)}
        store = self._model.get_session_store_class()()  # type: ignore[attr-defined]  # Django's Session
        cursor.execute(f"SELECT session_key, session_data FROM {self._table(self._model)}")  # noqa: S608 - quoted names
        while page := cursor.fetchmany(_PAGE):
            yield from (key for key, data in page if str(store.decode(data).get(locator.key)) in wanted)

    def _in(self, expression: str, values: Sequence[Any]) -> Condition:
        if not values:
            return _NEVER
        # Untyped, so that the server reads them as what they are compared with.
        return f"{expression} = ANY(%s)", [arrays.of_texts(map(str, values))]

    def _text_as(self, name: str) -> str:
        """Return the type that texts are compared with a column as."""
        field = self._model._meta.get_field(name)
        if isinstance(field, models.CharField | models.TextField):
            return "text"
        return str(field.db_type(connections[self._alias]))

    def _only(self, where: Mapping[str, str | int], found: Condition) -> Condition:
        sql = [found[0], *(f"{self._column(self._model, name)} = %s" for name in where)]
        return " AND ".join(f"({one})" for one in sql), [*found[1], *where.values()]

    def _json_text(self, path: str) -> str:
        column, *steps = path.split(".")
        inside = ",".join(steps).replace("'", "''").replace("%", "%%")
        return f"{self._column(self._model, column)} #>> '{{{inside}}}'"

    def _column(self, model: type[models.Model], name: str) -> str:
        field = model._meta.pk if name == "pk" else model._meta.get_field(name)
        return self._of(field)

    def _of(self, field: Any) -> str:
        return f"{self._quote(field.model._meta.db_table)}.{self._quote(_column_of(field))}"

    def _table(self, model: type[models.Model]) -> str:
        """Return a model's table, joined with those that hold what it inherits."""
        joined = self._quote(model._meta.db_table)
        for parent, link in model._meta.parents.items():
            if link is not None and link.model._meta.concrete_model is model._meta.concrete_model:
                key = self._column(parent, "pk")
                joined += f" JOIN {self._table(parent)} ON {self._of(link)} = {key}"
        return joined


def _column_of(field: Any) -> str:
    return str(field.column)


def _shares_keys(model: type[models.Model], app_label: str, name: str) -> bool:
    """Return whether the rows of a content type are rows of a model: itself, a proxy, a parent or a child."""
    try:
        other = apps.get_model(app_label, name)
    except LookupError:
        return False
    return not _tables_of_keys(model).isdisjoint(_tables_of_keys(other))


def _tables_of_keys(model: type[models.Model]) -> set[str]:
    """Return the tables in which a key of a model is one and the same: its own, and those above it."""
    found = {model._meta.db_table}
    for parent, link in model._meta.parents.items():
        if link is None or link.primary_key:
            found |= _tables_of_keys(parent)
    return found


def _all_settled(strategies: Any, row: Sequence[Any]) -> bool:
    return all(_is_settled(strategy, value) for strategy, value in zip(strategies, row, strict=True))


def _is_settled(strategy: Strategy | None, value: object) -> bool:
    if value is None or (strategy is None and value == ""):
        return True
    return strategy is not None and strategy.is_settled(value)


def _values(locator: Keyed, keys: Keys) -> list[Any]:
    kind = key_type(locator.type)
    found = keys.values(locator.by)
    return [*(_cast(value, kind) for value in found), *(map(str, found) if kind is KeyType.BOTH else ())]


def _texts(locator: Keyed, keys: Keys) -> list[str]:
    return [str(value) for value in keys.values(locator.by)]


def _cast(value: object, kind: KeyType) -> Any:
    return int(str(value)) if kind in (KeyType.INT, KeyType.BOTH) else str(value)


def _collected(entry_id: str, keys: Keys) -> Sequence[Any]:
    if entry_id in keys.collected:
        return keys.collected[entry_id]
    raise ErasureRefused(
        f"The keys of entry “{entry_id}” have not been collected.",
        hint="Verification needs the keys that were collected before the erasure.",
    )
