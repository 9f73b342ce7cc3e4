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


def alembic(port: int | None = None, user: str = "me", database: str = "shop", **more: str) -> dict[str, str]:
    address = f"db.example:{port}" if port else "db.example"
    return {
        "BACKEND": "migrator.alembic.store.AlembicStore",
        "CONFIG": "alembic.ini",
        "URL": f"postgresql://{user}:secret-word@{address}/{database}",
        **more,
    }


def search(**more: str) -> dict[str, str]:
    backend = "searchindex.store.SearchStore"
    return {"BACKEND": backend, "URL": "https://me:secret-word@search:9200/", "PREFIX": "shop-", **more}


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
        ({"STORES": {"one": alembic(), "two": alembic()}}, ["accord.E004"]),
        ({"STORES": {"one": alembic(port=5432), "two": alembic(user="other")}}, ["accord.E004"]),
        ({"STORES": {"one": alembic(URL=""), "two": alembic(URL="")}}, ["accord.E004"]),
        ({"STORES": {"one": alembic(), "two": alembic(VERSION_TABLE="other_version")}}, []),
        ({"STORES": {"one": alembic(), "two": alembic(VERSION_TABLE_SCHEMA="other")}}, []),
        ({"STORES": {"one": alembic(), "two": alembic(database="other")}}, []),
        ({"STORES": {"one": alembic(), "two": search(), "three": search()}}, ["accord.E004"]),
        ({"STORES": {"one": search(), "two": search(PREFIX="other-")}}, []),
        ({"STORES": {"one": search(), "two": search(URL="https://elsewhere:9200")}}, []),
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
    assert "secret-word" not in str(found)
