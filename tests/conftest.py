"""Fixtures come by subject, one `fix_*.py` each."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = [f"tests.{found.stem}" for found in sorted(Path(__file__).parent.glob("fix_*.py"))]
# They import each other, in whatever order.
pytest.register_assert_rewrite(*pytest_plugins)
