"""The suite for every adapter of our own, on the real servers, and for a fifth one on the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.conformance import (
    AdoptionConformance,
    DescribingConformance,
    ForetellingConformance,
    KillConformance,
    LifecycleConformance,
    MarksConformance,
    MarksLeaveConformance,
    RevisionConformance,
    RevisionLifecycleConformance,
    StoreConformance,
)
from accord.conformance.harness import Harness
from tests.chance import moments
from tests.conformance.harness_memory import MemoryHarness
from tests.conformance.harness_sqlite import SqliteHarness

ADAPTERS = {
    "memory": "memory_harness",
    "relational": "relational_harness",
    "documents": "documents_harness",
    "alembic": "alembic_harness",
    "mongodb": "mongo_harness",
    "search": "search_harness",
    "sqlite": "sqlite_harness",
}
REAL = [name for name in ADAPTERS if name != "memory"]
ON_THE_MACHINE = ["mongodb", "search", "sqlite"]
KEEPING_MARKS = ["memory", "relational", "documents", "alembic", "mongodb", "search"]
DESCRIBING = ["relational", "documents", "alembic", "mongodb", "search"]
LOOKING_AHEAD = ["relational", "documents", "alembic", "mongodb", "search"]

pytestmark = pytest.mark.conformance


@pytest.fixture
def memory_harness(tmp_path: Path) -> Iterator[MemoryHarness]:
    harness = MemoryHarness(tmp_path)
    yield harness
    harness.close()


@pytest.fixture
def sqlite_harness(tmp_path: Path) -> Iterator[SqliteHarness]:
    harness = SqliteHarness(tmp_path, str(tmp_path / "music.sqlite3"))
    yield harness
    harness.close()


def adapters(names: list[str]) -> pytest.MarkDecorator:
    """Let a class of the suite run with each of these harnesses."""
    return pytest.mark.parametrize("harness", names, indirect=True)


@pytest.fixture
def harness(request: pytest.FixtureRequest) -> Harness:
    found: Harness = request.getfixturevalue(ADAPTERS[request.param])
    return found


@adapters(list(ADAPTERS))
class TestStore(StoreConformance):
    """Every adapter."""


@adapters(ON_THE_MACHINE)
class TestRevisions(RevisionConformance):
    """The adapters that are built on `accord.revisions`."""


@adapters(list(ADAPTERS))
class TestLifecycle(LifecycleConformance):
    """Every adapter."""


@adapters(list(ADAPTERS))
class TestAdoption(AdoptionConformance):
    """Every adapter."""


@adapters(LOOKING_AHEAD)
class TestForetelling(ForetellingConformance):
    """The adapters that ask their servers what would become of a step."""


@pytest.mark.by_turns(3)
@adapters(DESCRIBING)
class TestDescribing(DescribingConformance):
    """The adapters that describe what stands in their stores."""


@adapters(KEEPING_MARKS)
class TestMarks(MarksConformance):
    """The adapters that keep marks about their stores."""


@adapters(["alembic", "mongodb", "search"])
class TestMarksLeave(MarksLeaveConformance):
    """Those whose books lie in one place; a database of Django's settings holds more than a ledger."""


@adapters(ON_THE_MACHINE)
class TestRevisionLifecycle(RevisionLifecycleConformance):
    """The adapters that are built on `accord.revisions`."""


@pytest.mark.matrix
@adapters(REAL)
class TestKill(KillConformance):
    """Every adapter with a server."""

    rounds = moments(3, 1)
