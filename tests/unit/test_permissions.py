"""Permissions of the suite, as Django writes them into its table."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.management import _get_all_permissions  # type: ignore[attr-defined]  # no public way

EARLIEST = 50
"""Characters that the first migration of `auth` leaves for a name; a run may stop behind it."""


@pytest.mark.parametrize("app", ["accord", "gdpr", "migrator"])
def test_names_fit_the_earliest_table_of_permissions(app: str) -> None:
    """Migrated by halves, or undone to zero, no permission is in the way."""
    models = apps.get_app_config(app).get_models()

    names = [str(name) for model in models for _codename, name in _get_all_permissions(model._meta)]

    assert names
    assert [name for name in names if len(name) > EARLIEST] == []
