from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from accord.checks import check_settings

DATABASES = {
    "default": {"ENGINE": "django.db.backends.postgresql"},
    "other": {"ENGINE": "django.db.backends.sqlite3"},
    "own": {"ENGINE": "tests.projects.stranger.backend"},
    "gis": {"ENGINE": "django.contrib.gis.db.backends.postgis"},
    "absent": {"ENGINE": "tests.projects.nowhere"},
}


@pytest.mark.parametrize(
    ("accord", "expected"),
    [
        ({}, []),
        ({"LOCKWAIT": 3}, ["accord.E001"]),
        ({"STORES": {"mongodb": {}}}, ["accord.E001"]),
        ({"COORDINATOR": "nowhere"}, ["accord.E002"]),
        ({"COORDINATOR": "other"}, ["accord.E002"]),
        ({"COORDINATOR": "own"}, []),
        ({"COORDINATOR": "gis"}, []),
        ({"COORDINATOR": "absent"}, ["accord.E002"]),
        ({"STORES": {"mongodb": {"BACKEND": "nowhere.Store"}}}, ["accord.E003"]),
    ],
)
def test_settings_are_checked_without_any_server(
    monkeypatch: pytest.MonkeyPatch, accord: dict[str, Any], expected: list[str]
) -> None:
    """Each fault has its id and a hint."""
    monkeypatch.setattr(settings, "DATABASES", DATABASES)
    monkeypatch.setattr(settings, "ACCORD", accord)

    found = check_settings()

    assert [message.id for message in found] == expected
    assert all(message.hint for message in found)
