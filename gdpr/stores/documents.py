"""Erasing models that django-mongodb-backend keeps: their collections, in the driver's own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from django.db import connections, models
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from accord.secrets.redact import address
from gdpr.datamap.actions import Action, Anonymise, Detach, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import AnyOf, Array, Key, Keyed, Locator, Path, Rows, Through
from gdpr.datamap.strategies import Strategy
from gdpr.datamap.subjects import Keys
from gdpr.datamap.terms import After
from gdpr.errors import InvalidDataMap
from gdpr.stores import filters
from gdpr.stores.base import model_of
from gdpr.stores.filters import Filter
from gdpr.stores.mongo import CollectionErasure, Document
from mongo_migrations.client import Place

Term = TypeVar("Term")


class DocumentsErasure(CollectionErasure):
    """One alias of `DATABASES` that is a MongoDB."""

    def database(self) -> Database[Document]:
        connection: Any = connections[self.alias]
        connection.ensure_connection()
        found: Database[Document] = connection.database
        return found

    @contextmanager
    def fresh(self) -> Iterator[Database[Document]]:
        # Django's own wrapper would hand out the client that all of its connections share.
        parameters = connections[self.alias].get_connection_params()
        with MongoClient[Document](**parameters) as client:
            yield client[connections[self.alias].settings_dict["NAME"]]

    def place(self) -> Place:
        return Place(self.alias, address(str(connections[self.alias].settings_dict.get("HOST") or "")))

    def collection_name(self, entry: Entry) -> str:
        return str(self.model(entry)._meta.db_table)

    def localised(self, entry: Entry) -> Entry:
        model = self.model(entry)
        return replace(
            entry,
            locator=_located(model, entry.locator),
            action=_acting(model, entry.action),
            retention=_counted(model, entry.retention),
            fields=tuple(_column(model, name) for name in entry.fields),
            keeps={why: tuple(_column(model, one) for one in kept) for why, kept in entry.keeps.items()},
        )

    def condition(self, entry: Entry, keys: Keys) -> Filter:
        return self._condition(self.database(), self.model(entry), entry.locator, keys)

    def place_of_key(self, entry: Entry, locator: Keyed) -> tuple[Collection[Document], str]:
        if not isinstance(locator, Through):
            return super().place_of_key(entry, locator)
        holder, name = _end(self.model(entry), locator.path.split("__"))
        return self.database()[holder._meta.db_table], _column(holder, name)

    def column(self, entry: Entry, name: str) -> str:
        return _column(self.model(entry), name)

    model = staticmethod(model_of)

    def _loose(self, database: Database[Document], entry: Entry, keys: Keys) -> Filter:
        if not isinstance(entry.locator, Through):
            return super()._loose(database, entry, keys)
        return self._condition(database, self.model(entry), entry.locator, keys)

    def _condition(
        self,
        database: Database[Document],
        model: type[models.Model],
        locator: Locator | None,
        keys: Keys,
    ) -> Filter:
        if isinstance(locator, AnyOf):
            return {"$or": [self._condition(database, model, part, keys) for part in locator.locators]}
        if isinstance(locator, Through):
            return _walk(database, model, locator.path.split("__"), filters.values_of(locator, keys))
        return filters.condition(_located(model, locator), keys)


def _walk(
    database: Database[Document], model: type[models.Model], steps: Sequence[str], values: Sequence[Any]
) -> Filter:
    """Follow references: MongoDB joins only in aggregations, which can't delete."""
    column = _column(model, steps[0])
    if len(steps) == 1:
        return {column: {"$in": list(values)}}
    target = _referred(model, steps[0])
    parents = database[target._meta.db_table].find(_walk(database, target, steps[1:], values), {"_id": 1})
    return {column: {"$in": [document["_id"] for document in parents]}}


def _end(model: type[models.Model], steps: Sequence[str]) -> tuple[type[models.Model], str]:
    """Return where a walk ends: the model, and the field."""
    return (model, steps[0]) if len(steps) == 1 else _end(_referred(model, steps[0]), steps[1:])


def _referred(model: type[models.Model], name: str) -> type[models.Model]:
    target = model._meta.get_field(name).related_model
    if not isinstance(target, type):
        raise InvalidDataMap(f"{model._meta.label}.{name} is no foreign key.", hint="Correct the path.")
    return target


def _column(model: type[models.Model], path: str) -> str:
    """Return a field's name as the collection has it; what lies within a field keeps its name."""
    name, mark, rest = path.partition("[]")
    name, dot, below = name.partition(".")
    columns = {one.attname: one for one in model._meta.concrete_fields}
    columns |= {one.name: one for one in model._meta.concrete_fields}
    field = model._meta.pk if name == "pk" else columns.get(name)
    return f"{getattr(field, 'column', None) or name}{dot}{below}{mark}{rest}"


def _located(model: type[models.Model], locator: Locator | None) -> Any:
    match locator:
        case Key() | Rows():
            return replace(locator, field=_column(model, locator.field))
        case Path() | Array():
            return replace(locator, path=_column(model, locator.path))
        case AnyOf():
            return AnyOf(tuple(_located(model, part) for part in locator.locators))
        case _:
            return locator


def _acting(model: type[models.Model], action: Action) -> Action:
    match action:
        case Unset(fields):
            return Unset(tuple(_column(model, name) for name in fields))
        case Detach(name):
            return Detach(_column(model, name))
        case Anonymise():
            return Anonymise(_renamed(model, action.strategies))
        case Retain():
            until = _counted(model, action.until)
            return replace(action, minimise=_renamed(model, action.strategies), until=until)
        case _:
            return action


def _counted(model: type[models.Model], term: Term) -> Term:
    return replace(term, field=_column(model, term.field)) if isinstance(term, After) else term


def _renamed(model: type[models.Model], strategies: Mapping[str, Strategy]) -> Mapping[str, Strategy]:
    return {_column(model, name): strategy for name, strategy in strategies.items()}
