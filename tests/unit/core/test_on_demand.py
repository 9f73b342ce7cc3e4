"""Which commands start embedded stores."""

from __future__ import annotations

import pytest

from core.on_demand import is_offline


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["embedded", "status"],
        ["help", "migrate_all"],
        ["migrate_all", "--help"],
        ["migrate_all", "-h"],
        ["--version"],
        ["test"],
    ],
)
def test_command_without_stores_starts_none(arguments: list[str]) -> None:
    """Reading files and asking for help needs no server."""
    assert is_offline(arguments)


@pytest.mark.parametrize("arguments", [["migrate_all"], ["migrate_all", "--plan"], ["runserver"], ["shell"]])
def test_command_with_stores_starts_them(arguments: list[str]) -> None:
    """Every command that isn't known to be offline gets its stores."""
    assert not is_offline(arguments)
