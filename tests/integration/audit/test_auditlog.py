"""What django-auditlog writes about the sample's people, on a real PostgreSQL: that, never what."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from django.apps import AppConfig, apps
from django.core.checks import CheckMessage
from pytest_django.fixtures import Settings

from accord.audit import auditlog
from accord.errors import ConfigurationError
from examples.streaming.models import Listener
from tests.fix_trail import ROOT, Trail

pytestmark = pytest.mark.integration

CANARIES = ("quetzal", "zoe", "canary.example", "zq", "1987", "198.51.100.7", "4711")


@pytest.fixture
def written(trail: Trail) -> Trail:
    """Have a member of staff create, change and delete a listener, under the project's own settings."""
    environment = {
        **os.environ,
        "ACCORD_ENV": "test",
        "DATABASE_URL": trail.url,
        "MONGODB_URL": "mongodb://127.0.0.1:1/nobody",
        "ELASTICSEARCH_URL": "http://127.0.0.1:1",
        "DJANGO_SETTINGS_MODULE": "core.settings",
        "PYTHONPATH": str(ROOT),
    }
    script = ROOT / "tests" / "integration" / "audit" / "listeners.py"
    done = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return trail


def test_no_personal_value_is_written(written: Trail) -> None:
    """Neither in changes, names, additional data nor about who acted."""
    rows = [text for (text,) in written.rows("SELECT l::text FROM auditlog_logentry l ORDER BY id")]

    assert len(rows) == 6
    assert [canary for canary in CANARIES for row in rows if says(row.lower(), canary)] == []


def says(row: str, canary: str) -> bool:
    """Return whether a row holds a word; digits not within a time or a random identifier, which hold any."""
    if not canary.isdigit():
        return canary in row
    return re.search(rf"(?<![0-9a-f.-]){canary}(?![0-9a-f-])", row) is not None


def test_digits_within_times_and_identifiers_are_no_personal_value() -> None:
    """A year of birth is found wherever it is written for itself."""
    assert not any(
        says(row, "1987") for row in ("12:00:41.198712+00", "12:00:41.1987+00", "ab-1987-4c", "f1987")
    )
    assert all(says(row, "1987") for row in ('{"birth_year": ["none", "1987"]}', "born 1987.", "(1987,"))


def test_what_happened_is_written(written: Trail) -> None:
    """Who, which row, and which fields changed; values only where the app shows them."""
    entries = written.rows("SELECT action, object_repr, changes, actor_id FROM auditlog_logentry ORDER BY id")
    (created, updated, emptied, deleted, artist, venue) = entries

    assert [entry[0] for entry in entries] == [0, 1, 1, 2, 0, 0]
    assert [entry[1] for entry in (created, deleted)] == ["streaming.Listener 1", "streaming.Listener 1"]
    assert updated[2] == {"email": ["***", "***"], "display_name": ["***", "***"]}
    assert emptied[2] == {"birth_year": ["***", ""]}
    assert artist[2]["name"] == ["", "***"]
    assert venue[2]["city"] == ["None", "Lyon"]
    assert {entry[3] for entry in entries} == {1}


def test_field_that_nobody_thought_of_is_hidden() -> None:
    """The declaration names what is shown; a field that is added later shows nothing."""
    from auditlog.registry import auditlog as registry

    hidden = set(registry.get_model_fields(Listener)["mask_fields"])

    assert hidden == {field.name for field in Listener._meta.fields} - {"id"}


def test_declaration_of_an_unknown_field_is_refused() -> None:
    """A typing mistake must not hide that nothing is logged."""
    streaming = apps.get_app_config("streaming")
    config = type("Config", (AppConfig,), {"path": ".", "audited": {"Listener": ("emial",)}})(
        "streaming", streaming.module
    )
    config.models, config.apps = streaming.models, apps

    with pytest.raises(ConfigurationError, match="emial"):
        auditlog._register_app(config)


def test_stock_middleware_is_refused(settings: Settings) -> None:
    """It would add e-mail and address to every entry."""
    assert auditlog._check_middleware() == []
    settings.MIDDLEWARE = ["auditlog.middleware.AuditlogMiddleware"]

    (found,) = auditlog._check_middleware()

    assert isinstance(found, CheckMessage)
    assert found.id == "accord.E901"
