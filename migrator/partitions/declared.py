"""What the apps of a project declare about partitions, and the table that each declaration is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connections, router
from django.utils.module_loading import module_has_submodule

from accord.errors import ConfigurationError, UsageError
from migrator.partitions.declaration import Partitioned
from migrator.partitions.table import Catalog
from migrator.partitions.wanted import Wanted

MODULE = "partitions"
_LIST = "PARTITIONS"
_HINT = "See docs/howto/partition-a-large-table.md."


def declarations() -> Mapping[str, Partitioned]:
    """
    Read `PARTITIONS` in the `partitions.py` of every installed app that has one.

    Returns:
        Labels of models in small letters, each with what is declared.

    Raises:
        ConfigurationError: Something else stands there, or a model twice.
    """
    found: dict[str, Partitioned] = {}
    for declared in _all():
        label = declared.model.lower()
        if label in found:
            raise ConfigurationError(f"Partitions of {declared.model} are declared twice.", hint=_HINT)
        found[label] = declared
    return found


def _all() -> Iterable[Partitioned]:
    for config in apps.get_app_configs():
        # The suite's own package of this name declares nothing.
        if config.module is None or not module_has_submodule(config.module, MODULE):
            continue
        module = import_module(f"{config.name}.{MODULE}")
        for declared in getattr(module, _LIST, ()):
            if not isinstance(declared, Partitioned):
                kind = type(declared).__name__
                raise ConfigurationError(
                    f"{_LIST} of {module.__name__} holds a {kind}, which is no Partitioned.",
                    hint=_HINT,
                )
            yield declared


def declared_of(label: str) -> Partitioned:
    """
    Return what is declared of a model.

    Args:
        label: `app.Model`, in any letters.

    Raises:
        UsageError: Nothing is.
    """
    found = declarations()
    if label.lower() not in found:
        known = ", ".join(one.model for one in found.values()) or "none"
        raise UsageError(
            f"No app declares partitions of {label}. Declared: {known}.",
            hint=f"Write PARTITIONS = [Partitioned(...)] into the partitions.py of its app. {_HINT}",
        )
    return found[label.lower()]


def database_of(declared: Partitioned) -> str:
    """Return the database that the router has a model's rows written to."""
    return router.db_for_write(model_of(declared))


def model_of(declared: Partitioned) -> Any:
    """
    Return the model of a declaration.

    Raises:
        ConfigurationError: There is none, or it hasn't got the key.
    """
    try:
        model: Any = apps.get_model(declared.model)
        model._meta.get_field(declared.key)
    except (LookupError, ValueError, FieldDoesNotExist) as exc:
        raise ConfigurationError(f"Partitioned({declared.model!r}): {exc}", hint=_HINT) from exc
    return model


def wanted_of(declared: Partitioned, model: Any, database: str) -> Wanted:
    """
    Return what is wanted of the table of a model.

    Args:
        declared: The declaration.
        model: The model, also one of a migration's state.
        database: Alias of the database.

    Raises:
        UsageError: The database isn't PostgreSQL.
    """
    connection: Any = connections[database]
    if connection.vendor != "postgresql":
        raise UsageError(
            f"{declared.model} is in {connection.display_name}; partitions are PostgreSQL's alone.",
            hint=_HINT,
        )
    place = "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    table = connection.ops.quote_name(model._meta.db_table)
    found: Sequence[Any] = Catalog(connection).rows(f"{place} WHERE c.oid = to_regclass(%s)", [table])
    schema, name = found[0] if found else ("public", model._meta.db_table)
    column = model._meta.get_field(declared.key).column
    return Wanted(declared=declared, schema=schema, name=name, key=column)
