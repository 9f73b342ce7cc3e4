"""
Presets: entries for the copies of personal data that frameworks keep without being asked.

Each is a function that returns entries; an app's `privacy.py` puts them into its `DATA_MAP`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from django.apps import apps

from gdpr.datamap.actions import Nothing
from gdpr.datamap.entries import TABLE, Entry
from gdpr.datamap.presets.django import OF_DJANGO, accounts, framework, logs
from gdpr.datamap.presets.suite import REASONS, stands_beside, suite

__all__ = [
    "accounts",
    "framework",
    "is_known",
    "known_columns",
    "known_tables",
    "logs",
    "stands_beside",
    "suite",
]
_MIGRATIONS = ("id", "app", "name", "applied")


def known_tables() -> Iterator[str]:
    """Name the tables of the suite and of Django that hold nothing of anybody, in whichever database."""
    yield from (name.removeprefix(TABLE) for name in OF_DJANGO if name.startswith(TABLE))
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label in REASONS or model._meta.label in OF_DJANGO:
            yield model._meta.db_table


def is_known(entry: Entry) -> bool:
    """Return whether an entry says what every project says: that such a table holds nothing of anybody."""
    return isinstance(entry.action, Nothing) and (entry.target in REASONS or entry.target in OF_DJANGO)


def known_columns(entry: Entry) -> Collection[str]:
    """Name the columns that such a table has by itself; what else it has somebody of the project added."""
    if entry.table:
        return _MIGRATIONS
    return [field.column for field in apps.get_model(entry.target)._meta.local_concrete_fields]
