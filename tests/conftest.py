"""Fixtures come by subject, one `fix_*.py` each."""

from __future__ import annotations

import compileall
import os
from pathlib import Path

import pytest

from tests.chance import ROOT, seed

_PACKAGES = (
    "accord",
    "core",
    "examples",
    "gdpr",
    "migrator",
    "mongo_migrations",
    "searchindex",
    "tests/projects",
)

pytest_plugins = [f"tests.{found.stem}" for found in sorted(Path(__file__).parent.glob("fix_*.py"))]
# The shipped suite of adapters reads it, and so does every process that a test starts.
os.environ["ACCORD_SEED"] = str(seed())
# They import each other, in whatever order.
pytest.register_assert_rewrite(*pytest_plugins)


def pytest_sessionstart() -> None:
    """Compile the packages once, also where PYTHONDONTWRITEBYTECODE would make every process do it again."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        for name in _PACKAGES:
            compileall.compile_dir(ROOT / name, quiet=2)
