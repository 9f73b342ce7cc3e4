"""Fixtures of the embedded servers' own tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.embedded.checkout import guarded


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty checkout; whatever is started in it ends with the test."""
    monkeypatch.delenv("ACCORD_HOME", raising=False)
    with guarded(tmp_path) as root:
        yield root
