"""What the tests of single operations share: a bench that applies and reverts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from accord.revisions.loader import LoadedRevision
from accord.revisions.operation import irreversible
from accord.revisions.runner import Runner
from accord.seam.types import Presence, Source, Step, StepKey, StepOutcome
from accord.testing import RecordingReporter, make_lease
from mongo_migrations.operations import Operation
from mongo_migrations.store import MongoStore


class Bench:
    """Applies and reverts operations, as a step of their own, on a real database."""

    def __init__(self, db: Database[dict[str, Any]], url: str) -> None:
        self.db = db
        self.reporter = RecordingReporter()
        self.store = MongoStore("mongodb", {"URL": url})

    def apply(self, *operations: Operation, name: str = "0001_bench", fence: int = 1) -> StepOutcome:
        with self.store.translated():
            return self._runner(operations, name, fence).apply()

    def revert(self, *operations: Operation, name: str = "0001_bench", fence: int = 1) -> StepOutcome:
        with self.store.translated():
            return self._runner(operations, name, fence).revert()

    def presence(self, operation: Operation) -> Presence:
        """Look whether an operation's effect is there."""
        return operation.probe(self.db, StepKey("mongodb", "bench", "0001_bench"))

    def indexes(self, collection: str) -> dict[str, Any]:
        """Read the indexes of a collection by name, that of `_id` left out."""
        found = {index["name"]: dict(index) for index in self.db[collection].list_indexes()}
        return {name: index for name, index in found.items() if name != "_id_"}

    def options(self, collection: str) -> dict[str, Any]:
        """Read the options of a collection."""
        return dict(self.db[collection].options())

    def _runner(self, operations: tuple[Operation, ...], name: str, fence: int) -> Runner:
        key = StepKey("mongodb", "bench", name)
        source = Source(Path(f"{name}.py"), b"")
        step = Step(key=key, source=source, irreversible=irreversible(operations))
        return Runner(
            store=self.store,
            revision=LoadedRevision(step=step, operations=operations),
            ledger=self.store.connected_ledger(),
            lease=make_lease(fence),
            report=self.reporter,
        )


@pytest.fixture
def bench(mongo_db: Database[dict[str, Any]], mongo_url: str) -> Iterator[Bench]:
    made = Bench(mongo_db, mongo_url)
    yield made
    made.store.close()
