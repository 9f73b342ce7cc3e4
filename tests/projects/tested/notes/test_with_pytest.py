"""Tests of the project, as people write them for pytest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.projects.tested.notes.models import Note
from tests.projects.tested.notes.seen import look


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(4))
def test_stores(number: int) -> None:
    """Everything is applied."""
    Note._default_manager.create(title="a")
    assert look(f"pytest {number}")["welcomes"] == 1


def test_fixture(accord_stores: Any) -> None:
    """The stores by alias."""
    assert accord_stores["mongodb"].database()["notes"].find_one({"note": 0})
