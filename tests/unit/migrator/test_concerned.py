"""Whose ledgers decide about a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.seam.types import Direction, Source, Step, StepKey
from migrator.engine.situation import concerned


def step(store: str, *needs: str) -> Step:
    return Step(
        key=StepKey(store, "app", "0001"),
        source=Source(path=Path("none"), content=b""),
        dependencies=tuple(StepKey(other, "app", "0001") for other in needs),
    )


STEPS = [step("default"), step("mongodb", "default"), step("search", "mongodb"), step("other")]


@pytest.mark.parametrize(
    ("only", "direction", "expected"),
    [
        ("default", Direction.APPLY, {"default"}),
        ("search", Direction.APPLY, {"search", "mongodb", "default"}),
        ("default", Direction.REVERT, {"default", "mongodb", "search"}),
        ("other", Direction.REVERT, {"other"}),
    ],
)
def test_what_is_needed_is_read_and_for_a_revert_what_needs_it(
    only: str, direction: Direction, expected: set[str]
) -> None:
    """A store that has nothing to do with the named one is not asked."""
    assert concerned(STEPS, [only], direction) == expected
