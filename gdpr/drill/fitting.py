"""Rows and documents that nobody has: made from what a model, or a validator, asks for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import models

from accord import clock

_DEEPEST = 4
"""Rows that a row may need of other tables, one behind the other."""


class CanNotFit(Exception):
    """What a place asks for is not known."""


@dataclass(frozen=True)
class Neighbours:
    """
    What a row may refer to.

    Attributes:
        own: Primary keys of the person's rows, by their models.
        personal: Models whose rows are somebody's: nobody else's row is referred to.
    """

    own: Mapping[type[models.Model], object] = field(default_factory=dict)
    personal: frozenset[type[models.Model]] = frozenset()


def row(
    model: type[models.Model], alias: str, given: Mapping[str, Any], neighbours: Neighbours, depth: int = 0
) -> models.Model:
    """
    Make and save a row with what has to be in it.

    Args:
        model: Of which table.
        alias: In which database.
        given: Values that it has to have, by the names of fields or their columns.
        neighbours: What it may refer to.
        depth: How many rows need this one.

    Raises:
        CanNotFit: Nobody knows what a field may hold.
    """
    values = dict(given)
    for one in model._meta.concrete_fields:
        if one.name in given and one.is_relation and not isinstance(given[one.name], models.Model):
            values[one.attname] = values.pop(one.name)
        elif one.name not in given and one.attname not in given and _is_needed(one):
            values[one.attname if one.is_relation else one.name] = (
                _related(one, alias, neighbours, depth) if one.is_relation else _value(one)
            )
    made = model(**values)
    made.save(using=alias, force_insert=True)
    return made


def document(schema: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """
    Make a document with what a `$jsonSchema` requires.

    Args:
        schema: The schema; empty where there is none.
        given: Values that it has to have.

    Raises:
        CanNotFit: A type is not known.
    """
    known: Mapping[str, Any] = schema.get("properties", {})
    needed = [name for name in schema.get("required", ()) if name not in given and name != "_id"]
    return {**{name: _of_schema(known.get(name, {})) for name in needed}, **given}


def _is_needed(one: models.Field[Any, Any]) -> bool:
    by_itself = isinstance(one, models.AutoField | models.GeneratedField) or any(
        getattr(one, name, False) for name in ("auto_now", "auto_now_add")
    )
    by_server = getattr(one, "db_default", models.NOT_PROVIDED) is not models.NOT_PROVIDED
    # A foreign key that may be empty stays empty; so does a child's link to its parent row.
    return not (by_itself or by_server or one.null or one.has_default() or _is_parent_link(one))


def _is_parent_link(one: models.Field[Any, Any]) -> bool:
    """Return whether a one is the link of a child to the row of its parent, which Django makes itself."""
    return bool(getattr(one.remote_field, "parent_link", False))


def _related(one: models.Field[Any, Any], alias: str, neighbours: Neighbours, depth: int) -> object:
    """Return the key of a row that another one refers to: the person's own, or one that is nobody's."""
    model: Any = one.related_model
    if model is None or depth >= _DEEPEST:
        raise CanNotFit(f"{one.name} refers to what can't be made")
    if model in neighbours.own:
        return neighbours.own[model]
    if model in neighbours.personal:
        raise CanNotFit(f"{one.name} refers to a {model._meta.label} that was not planted")
    there = models.QuerySet[models.Model](model, using=alias).order_by("pk").first()
    return (there or row(model, alias, {}, neighbours, depth + 1)).pk


def _value(one: models.Field[Any, Any]) -> Any:
    word = uuid.uuid4().hex
    if one.choices:
        return one.flatchoices[0][0]
    if isinstance(one, models.EmailField):
        return f"{word[:16]}@example.com"
    if isinstance(one, models.GenericIPAddressField):
        return "192.0.2.1"
    if isinstance(one, models.URLField):
        return f"https://example.com/{word}"
    if isinstance(one, models.CharField | models.TextField):
        return word[: one.max_length or len(word)]
    for kind, value in _BY_KIND:
        if isinstance(one, kind):
            return value() if callable(value) else value
    raise CanNotFit(f"{one.name} is a {type(one).__name__}")


_BY_KIND: tuple[tuple[type[models.Field[Any, Any]], Any], ...] = (
    (models.BooleanField, False),
    (models.IntegerField, lambda: uuid.uuid4().int % 30_000 + 1),
    (models.FloatField, 1.0),
    (models.DecimalField, Decimal(1)),
    (models.DateTimeField, clock.now),
    (models.DateField, lambda: clock.now().date()),
    (models.TimeField, lambda: clock.now().time()),
    (models.DurationField, timedelta(0)),
    (models.UUIDField, uuid.uuid4),
    (models.JSONField, dict),
    (models.BinaryField, b""),
)


def _of_schema(schema: Mapping[str, Any]) -> Any:
    if schema.get("enum"):
        return schema["enum"][0]
    named = schema.get("bsonType", schema.get("type", "string"))
    kind = named if isinstance(named, str) else named[0]
    if kind == "object":
        return document(schema, {})
    if kind not in _BY_BSON:
        raise CanNotFit(f"a field is a {kind}")
    value = _BY_BSON[kind]
    return value() if callable(value) else value


_BY_BSON: Mapping[str, Any] = {
    "string": lambda: uuid.uuid4().hex,
    "int": 1,
    "long": 1,
    "number": 1,
    "double": 1.0,
    "bool": False,
    "boolean": False,
    # A document may end by itself at a date of its own: not while the drill goes on.
    "date": lambda: clock.now() + timedelta(days=1),
    "array": list,
    "null": None,
}
