"""What a drill makes of settings, models and validators."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.test import override_settings

from accord import clock
from gdpr.drill import exchange, fitting, places
from gdpr.errors import DrillRefused

URLS = {
    "postgres": "postgresql://accord:secret@127.0.0.1:5001/accord",
    "mongodb": "mongodb://127.0.0.1:5002/accord?replicaSet=rs0",
    "opensearch": "http://127.0.0.1:5003",
}
PRODUCTION: dict[str, Any] = {
    "STORES": {
        "mongodb": {
            "BACKEND": "mongo_migrations.store.MongoStore",
            "URL": "mongodb://us:pw@production:27017/shop?tls=true",
        },
        "search": {
            "BACKEND": "searchindex.store.SearchStore",
            "URL": "https://production:9200",
            "PREFIX": "shop-",
            "API_KEY": "for-production",
        },
        "alembic": {
            "BACKEND": "migrator.alembic.store.AlembicStore",
            "CONFIG": "alembic.ini",
            "URL": "postgresql://us:pw@production/reports",
        },
    },
    "ENVIRONMENT": "production",
    "AUDIT_HEADS": ["/mnt/heads.jsonl"],
    "POLICY": {"production": {"approvals": 2}, "erasure": {"attempts": 3, "open_findings": "refuse"}},
}


def test_no_address_of_the_project_is_left() -> None:
    """Of production's settings nothing remains by which a store, or a file, could be reached."""
    with override_settings(ACCORD=PRODUCTION):
        moved = places.moved(URLS, Path("/drill"))
        found = exchange.accord(PRODUCTION, moved.stores, "/drill")

    text = json.dumps([found, dict(moved.databases)])
    assert "production" not in text
    assert "/mnt" not in text
    assert found["STORES"]["search"] == {
        "BACKEND": "searchindex.store.SearchStore", "PREFIX": "shop-", "URL": "http://127.0.0.1:5003",
    }  # fmt: skip
    assert found["STORES"]["mongodb"]["URL"] == "mongodb://127.0.0.1:5002/shop?replicaSet=rs0"
    assert found["POLICY"] == {"erasure": {"attempts": 3, "open_findings": "warn"}}
    assert found["ENVIRONMENTS"] == []
    assert moved.further == ["drill_alembic"]
    assert moved.instead["https://production:9200"] == "http://127.0.0.1:5003"


def test_options_of_a_database_lead_nowhere() -> None:
    """A service file, a certificate or a second host would; the search path is the project's own."""
    entry = {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "production",
        "PASSWORD": "pw",
        "OPTIONS": {"service": "production", "sslrootcert": "/etc/ca", "options": "-c search_path=shop"},
        "TEST": {"NAME": "production"},
    }

    assert exchange.database(entry, {"HOST": "127.0.0.1", "NAME": "drill_default"}) == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "127.0.0.1",
        "NAME": "drill_default",
        "OPTIONS": {"options": "-c search_path=shop"},
    }


def test_address_is_exchanged_wherever_a_setting_repeats_it() -> None:
    """As a whole value, in lists and dictionaries; what only resembles it stays."""
    settings = {"BROKER": "a://1", "HOSTS": ["a://1", "b"], "DEEP": {"x": ("a://1",)}, "NEAR": "a://12"}

    assert exchange.exchanged(settings, {"a://1": "there"}) == {
        "BROKER": "there", "HOSTS": ["there", "b"], "DEEP": {"x": ("there",)}, "NEAR": "a://12",
    }  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        {"BACKEND": "accord.seam.stores.StoreInfo"},
        {"BACKEND": "migrator.alembic.store.AlembicStore", "CONFIG": "alembic.ini"},
    ],
    ids=["a class of one's own", "an address in env.py"],
)
def test_store_that_can_not_be_moved_is_refused(entry: dict[str, str]) -> None:
    """Before any server is started for the others."""
    with override_settings(ACCORD={"STORES": {"ours": entry}}), pytest.raises(DrillRefused, match="ours"):
        places.moved(URLS, Path("/drill"))


def test_document_has_what_its_validator_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each required field in its type, the first of an enumeration, and a date that doesn't end it."""
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 3, 1, tzinfo=UTC))
    schema = {
        "required": ["_id", "owner", "kind", "ends", "tags", "place"],
        "properties": {
            "owner": {"bsonType": "long"},
            "kind": {"enum": ["b", "a"]},
            "ends": {"bsonType": "date"},
            "tags": {"bsonType": ["array", "null"]},
            "place": {"bsonType": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
            "more": {"bsonType": "string"},
        },
    }

    found = fitting.document(schema, {"owner": 7})

    city = found["place"].pop("city")
    assert isinstance(city, str)
    assert found == {
        "owner": 7, "kind": "b", "tags": [], "place": {}, "ends": datetime(2026, 3, 2, tzinfo=UTC),
    }  # fmt: skip
    with pytest.raises(fitting.CanNotFit):
        fitting.document({"required": ["x"], "properties": {"x": {"bsonType": "regex"}}}, {})


@pytest.mark.parametrize(
    ("field", "needed"),
    [
        (models.CharField(max_length=10), True),
        (models.CharField(max_length=10, default=""), False),
        (models.IntegerField(null=True), False),
        (models.DateTimeField(auto_now_add=True), False),
        (models.IntegerField(db_default=4), False),
        (models.BigAutoField(primary_key=True), False),
        (models.UUIDField(primary_key=True), True),
    ],
    ids=["text", "default", "may be empty", "made by Django", "made by the server", "number", "key"],
)
def test_field_is_filled_where_nobody_else_does(field: models.Field[Any, Any], needed: bool) -> None:
    """A row of a model is made from what neither Django nor the database fills in."""
    assert fitting._is_needed(field) is needed
