"""
Presets: entries for the copies of personal data that frameworks keep without being asked.

Each is a function that returns entries; an app's `privacy.py` puts them into its `DATA_MAP`.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps

from gdpr.datamap.entries import TABLE
from gdpr.datamap.presets.django import OF_DJANGO, accounts, framework, logs
from gdpr.datamap.presets.suite import REASONS, suite

__all__ = ["accounts", "framework", "known_tables", "logs", "suite"]


def known_tables() -> Iterator[str]:
    """Name the tables of the suite and of Django that hold nothing of anybody, in whichever database."""
    yield from (name.removeprefix(TABLE) for name in OF_DJANGO if name.startswith(TABLE))
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label in REASONS or model._meta.label in OF_DJANGO:
            yield model._meta.db_table
