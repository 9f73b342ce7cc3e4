"""The order of a run: what takes long begins first, so that two workers end together."""

from __future__ import annotations

import pytest

from tests.chance import SOAK, seed

# Seconds that a test of a folder takes, as a rule; fixtures that a worker makes once are left out.
_SECONDS = {"acceptance": 10, "browser": 8, "integration": 2, "conformance": 1, "unit": 0}
_SECONDS_IF_SLOW = 60


def pytest_report_header() -> str:
    """Say how to repeat the run."""
    return f"ACCORD_SEED={seed()}" + (", every member of each matrix" if SOAK else "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow tests first; tests of one file stay together, because they share fixtures."""
    longest: dict[str, int] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        longest[file] = max(longest.get(file, 0), _seconds(item))
    items.sort(key=lambda item: -longest[item.nodeid.partition("::")[0]])


def _seconds(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return _SECONDS_IF_SLOW
    return next((seconds for name, seconds in _SECONDS.items() if f"tests/{name}/" in item.nodeid), 0)
