"""The order of a run: what takes long begins first, so that two workers end together."""

from __future__ import annotations

import pytest

from tests.chance import SAMPLING, SOAK, is_its_turn, seed

# Seconds that a test of a folder takes, as a rule; fixtures that a worker makes once are left out.
_SECONDS = {"acceptance": 10, "browser": 8, "integration": 2, "conformance": 1, "unit": 0}
_SECONDS_IF_SLOW = 60


def pytest_report_header() -> str:
    """Say how to repeat the run."""
    if SOAK:
        return f"ACCORD_SEED={seed()}, every member of each matrix"
    return f"ACCORD_SEED={seed()}" + (", a sample of what is taken by turns" if SAMPLING else "")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what has no turn; put slow tests first, those of one file together: they share fixtures."""
    left_out = [item for item in items if not _has_its_turn(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]
    longest: dict[str, int] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        longest[file] = max(longest.get(file, 0), _seconds(item))
    items.sort(key=lambda item: -longest[item.nodeid.partition("::")[0]])


def _has_its_turn(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("by_turns")
    return _meets_its_engine(item) and (marker is None or is_its_turn(item.nodeid, marker.args[0]))


def _meets_its_engine(item: pytest.Item) -> bool:
    """Return whether a test of search meets this engine now; the conformance suite always meets both."""
    engine = getattr(getattr(item, "callspec", None), "params", {}).get("search_url")
    if engine is None:
        return True
    is_first = is_its_turn(item.nodeid.replace(engine, "engine"), 2)
    return not SAMPLING or is_first == (engine == "opensearch")


def _seconds(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return _SECONDS_IF_SLOW
    return next((seconds for name, seconds in _SECONDS.items() if f"tests/{name}/" in item.nodeid), 0)
