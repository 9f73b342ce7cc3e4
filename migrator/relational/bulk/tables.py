"""Which table an operator means, and what its columns are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connections

from accord.errors import UnknownTarget, UsageError
from accord.seam.bulk import Column, Holder
from accord.seam.undeclared import OWN
from migrator.relational import failures
from migrator.relational.bulk.copying import execute
from migrator.relational.copies import DETACHED, new_name, old_name
from migrator.relational.loader import FOUNDATION

# Of a partition the table that it is a part of; of one that was detached, what its comment says of that.
_COPY_OF = """
SELECT coalesce(root.relname, '') FROM pg_class c LEFT JOIN pg_class root ON root.oid = coalesce(
    nullif(pg_partition_root(c.oid)::oid, c.oid),
    to_regclass(substring(obj_description(c.oid, 'pg_class') FROM %s)))
WHERE c.oid = to_regclass(%s)
"""
_DETACHED = f"^{DETACHED}(.*)$"
# What the server computes can't be written, so it isn't read either.
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.oid = to_regclass(%s) AND c.relkind IN ('r', 'p', 'f') AND a.attnum > 0
    AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attnum
"""
_KEY = """
SELECT a.attname FROM pg_index i
JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(number, place) ON true
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indrelid = to_regclass(%s) AND i.indisprimary ORDER BY k.place
"""


def table(alias: str, name: str) -> Holder:
    """
    Find a table.

    Args:
        alias: The database.
        name: Label of a model, or a table.

    Raises:
        UnknownTarget: There is neither.
        UsageError: It is a table of the suite's own, or the database isn't PostgreSQL.
    """
    connection: Any = connections[alias]
    if connection.vendor != "postgresql":
        raise UsageError(
            f"“{alias}” is not PostgreSQL, so COPY can't move its rows.",
            hint="Name the store whose server it is with --store.",
        )
    found = _named(name)
    _refuse_own(found)
    _refuse_spelled(name, found)
    quoted = connection.ops.quote_name(found)
    with failures.translated(alias):
        columns = [Column(name=one, type=kind) for one, kind in execute(connection, _COLUMNS, [quoted])]
        key = [one for (one,) in execute(connection, _KEY, [quoted])]
        parts = execute(connection, _COPY_OF, [_DETACHED, quoted])
    if not columns:
        raise UnknownTarget(
            f"“{alias}” has no table {found}.", hint="Name a model as app_label.Model, or a table."
        )
    [(copy_of,)] = parts
    return Holder(name=found, columns=columns, key=key, copy_of=copy_of or _beside(found))


def quoted_names(connection: Any, names: Sequence[str]) -> str:
    """Write names as SQL does, separated by commas."""
    return ", ".join(connection.ops.quote_name(name) for name in names)


def _named(name: str) -> str:
    label, dot, model = name.partition(".")
    if not dot:
        return name
    try:
        return str(apps.get_model(label, model)._meta.db_table)
    except LookupError:
        return name


def _refuse_spelled(name: str, found: str) -> None:
    """Take one spelling of a table alone: by another one the data map would not know it."""
    if '"' in found and found == name and not any(found == table for table in _tables()):
        raise UnknownTarget(f"There is no table {name}.", hint="Name a table without quotation marks.")


def _beside(name: str) -> str:
    """Return the table whose rows another one has while it is being divided into partitions."""
    return next((table for table in _tables() if name in (new_name(table), old_name(table))), "")


def _tables() -> Iterator[str]:
    return (str(model._meta.db_table) for model in apps.get_models(include_auto_created=True))


def _refuse_own(name: str) -> None:
    own = {
        model._meta.db_table
        for label in FOUNDATION
        if apps.is_installed(label)
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }
    if name in own or name.startswith(OWN):
        raise UsageError(
            f"{name} is a table of the suite's own: its rows are evidence, and stay where they are.",
            hint="A backup of the database has them.",
        )
