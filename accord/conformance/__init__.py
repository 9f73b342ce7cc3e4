"""
The suite that every store adapter passes, for the suite's own stores and for those of others.

It needs pytest, which nothing else in here does: derive test classes from those below, and give them a
fixture `harness` (:class:`accord.conformance.harness.Harness`); see docs/howto/write-a-store-adapter.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accord.conformance.kill import KillConformance
    from accord.conformance.lifecycle import (
        AdoptionConformance,
        DescribingConformance,
        ForetellingConformance,
        LifecycleConformance,
        RevisionLifecycleConformance,
    )
    from accord.conformance.marks import MarksConformance, MarksLeaveConformance
    from accord.conformance.suite import RevisionConformance, StoreConformance

__all__ = [
    "AdoptionConformance",
    "DescribingConformance",
    "ForetellingConformance",
    "KillConformance",
    "LifecycleConformance",
    "MarksConformance",
    "MarksLeaveConformance",
    "RevisionConformance",
    "RevisionLifecycleConformance",
    "StoreConformance",
]


def __getattr__(name: str) -> Any:
    """Load a class of the suite, with assertions that say what they saw; a killed process needs none."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    pytest.register_assert_rewrite(
        *(f"{__name__}.{part}" for part in ("kill", "lifecycle", "marks", "suite"))
    )
    from accord.conformance import kill, lifecycle, marks, suite

    return next(getattr(part, name) for part in (kill, lifecycle, marks, suite) if hasattr(part, name))
