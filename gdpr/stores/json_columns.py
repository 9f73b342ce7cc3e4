"""Paths into JSON columns: `data.author.name`, written and read where the rest of the column stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q

from gdpr.datamap.entries import Entry
from gdpr.datamap.strategies import Equals, Strategy
from gdpr.stores.shares import narrowed

_MISSING = object()


def is_path(model: type[models.Model], name: str) -> bool:
    """Return whether a name leads into a JSON column of a model, by way of no array."""
    column, dot, _ = name.partition(".")
    return bool(dot) and "[]" not in name and _is_json(model, column)


def is_declared(model: type[models.Model], name: str) -> bool:
    """Return whether a name is that of anything within a JSON column, elements of arrays included."""
    return "." in name and _is_json(model, name.partition(".")[0].replace("[]", ""))


def _is_json(model: type[models.Model], column: str) -> bool:
    try:
        return isinstance(model._meta.get_field(column), models.JSONField)
    except FieldDoesNotExist:
        return False


def present(name: str) -> Q:
    """Return the condition on rows that have something at a path."""
    return Q(**{f"{name.replace('.', '__')}__isnull": False})


def unsettled(name: str, strategy: Strategy) -> Q:
    """Return the condition on rows that have at a path something else than what a strategy writes."""
    path, test = name.replace(".", "__"), strategy.settled
    # A comparison with what isn't there is neither true nor false: what isn't there is asked for by itself.
    if not isinstance(test, Equals):
        return present(name) & ~Q(**{path: None}) & ~Q(**{f"{path}__regex": f"^{test.pattern}$"})
    own = Q(**{path: None}) if test.value is None else Q(**{path: None}) | Q(**{path: test.value})
    return present(name) & ~own


def changed(content: Any, name: str, strategy: Strategy | None) -> Any:
    """
    Return the content of a column with what lies at a path replaced, or taken out.

    Args:
        content: The whole column.
        name: The path, the column's name first.
        strategy: What takes its place; None to take it out.
    """
    return _changed(content, name.split(".")[1:], strategy)


def _changed(content: Any, steps: Sequence[str], strategy: Strategy | None) -> Any:
    step, *rest = steps
    value = content.get(step, _MISSING) if isinstance(content, Mapping) else _MISSING
    if value is _MISSING:
        return content
    if rest:
        return {**content, step: _changed(value, rest, strategy)}
    if strategy is None:
        return {name: one for name, one in content.items() if name != step}
    return {**content, step: None if value is None else strategy.replacement(value)}


def write(rows: models.QuerySet[models.Model], strategies: Mapping[str, Strategy | None]) -> int:
    """
    Change what lies at paths of rows.

    Args:
        rows: Which rows; they are locked.
        strategies: What takes the place of what is there, by path; None to take it out.

    Returns:
        How many rows were written.
    """
    columns = sorted({name.partition(".")[0] for name in strategies})
    found = list(rows.only("pk", *columns)) if columns else []
    for row in found:
        for name, strategy in strategies.items():
            column = name.partition(".")[0]
            setattr(row, column, changed(getattr(row, column), name, strategy))
    plain: models.QuerySet[models.Model] = models.QuerySet(rows.model, using=rows.db)
    return plain.bulk_update(found, columns, batch_size=500) if found else 0


def own_paths(model: type[models.Model], entry: Entry, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave of JSON columns of which an entry names paths, and not the whole, only these: for an export."""
    paths = _by_column(name for name in entry.fields if is_declared(model, name))
    named = {column: inner for column, inner in paths.items() if column not in entry.fields}
    return {name: narrowed(value, named[name]) if name in named else value for name, value in row.items()}


def _by_column(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        column, _, inner = name.partition(".")
        found.setdefault(column, []).append(inner)
    return found
