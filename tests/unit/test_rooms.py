"""Modules stay of a size that is read in one sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("accord", "core", "gdpr", "migrator", "mongo_migrations", "searchindex")
LONGEST = 350
MODULES = [
    path.relative_to(ROOT)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if not (path.parent.name == "migrations" and path.stem[:4].isdigit())
]


def test_the_modules_are_found() -> None:
    """A list that is empty would make the test below pass for nothing."""
    assert len(MODULES) > 300


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_module_is_read_in_one_sitting(module: Path) -> None:
    """One noun a module; whatever is longer holds two."""
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= LONGEST
