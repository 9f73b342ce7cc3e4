"""Until when backups hold what was erased, by what a project declares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accord.errors import ConfigurationError
from gdpr.checks import backups_are_readable
from gdpr.erasure import remains

SINCE = datetime(2026, 2, 27, 23, 30, tzinfo=UTC)


def test_each_kind_of_backup_has_its_last_day() -> None:
    """Counted from when the stores were read back; a store without any is no store of which nobody knows."""
    declared = {"default": {"wal archive": 14, "dump": 1.5}, "search": {}}

    lines, undeclared = remains.backups(declared, ("default", "mongodb", "search"), SINCE)

    assert lines == [
        {"store": "default", "kind": "dump", "kept_days": 1.5, "until": "2026-03-01"},
        {"store": "default", "kind": "wal archive", "kept_days": 14, "until": "2026-03-13"},
    ]
    assert undeclared == ["mongodb"]


def test_nothing_declared_is_told_of_every_store() -> None:
    """Silence is not read as no backups."""
    assert remains.backups({}, ("default", "mongodb"), SINCE) == ([], ["default", "mongodb"])


@pytest.mark.parametrize(
    "backups",
    [
        {"nowhere": {"dump": 1}},
        {"default": 30},
        {"default": {"dump": "30"}},
        {"default": {"dump": -1}},
        {"default": {"dump": True}},
        {"default": {7: 30}},
        {"default": {"dump": float("nan")}},
        {"default": {"dump": 100.5}},
        {"default": {"dump": float("inf")}},
    ],
)
def test_what_can_not_be_read_is_told_before_a_receipt_needs_it(
    settings: Settings, backups: dict[str, Any]
) -> None:
    """By `manage.py check`, with the place."""
    settings.ACCORD = {**settings.ACCORD, "BACKUPS": backups}

    with pytest.raises(ConfigurationError, match="BACKUPS"):
        remains.load()
    assert [found.id for found in backups_are_readable()] == ["gdpr.E901"]


def test_what_can_be_read_passes_the_check(settings: Settings) -> None:
    """With no kind, one, or several."""
    settings.ACCORD = {**settings.ACCORD, "BACKUPS": {"default": {"dump": 0, "wal": 3}, "search": {}}}

    assert remains.load()["default"] == {"dump": 0, "wal": 3}
    assert list(backups_are_readable()) == []
