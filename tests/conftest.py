"""Fixtures come by subject, one `fix_*.py` each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chance import seed

pytest_plugins = [f"tests.{found.stem}" for found in sorted(Path(__file__).parent.glob("fix_*.py"))]
# The shipped suite of adapters reads it, and so does every process that a test starts.
os.environ["ACCORD_SEED"] = str(seed())
# They import each other, in whatever order.
pytest.register_assert_rewrite(*pytest_plugins)
