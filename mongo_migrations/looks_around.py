"""What a MongoDB database can tell of what stands in it, beside its ledger."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from accord.revisions.store import RevisionStore
from accord.seam.describing import Description
from accord.seam.types import Probe, Step
from accord.seam.undeclared import Undeclared
from mongo_migrations.operations.base import Operation
from mongo_migrations.schema import LiveSchema, Outline, judge

if TYPE_CHECKING:
    from pymongo.database import Database

_OF_THE_SERVER = "system."
_ID = "_id_"


class LooksAround(RevisionStore[Operation]):
    """The part of the store that only looks."""

    product = "mongodb"
    """Which product it is. See :class:`accord.seam.undeclared.TellsUndeclared`."""
    _ledger_name: str

    @abstractmethod
    def database(self) -> Database[dict[str, Any]]:
        """Return the database."""

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        """Compare what stands with what the steps leave. See :class:`accord.seam.stores.Probes`."""
        outline = self._outline(steps)
        with self.translated():
            live = LiveSchema(self.database())
            yield from [judge(step.key, outline, live) for step in steps]

    def taken(self) -> Collection[str]:
        """Name the ledger. See :class:`accord.seam.undeclared.TellsUndeclared`."""
        return (self._ledger_name,)

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        """Name collections that no revision declares, and such indexes of its own. See as above."""
        outline = self._outline(steps)
        with self.translated():
            live = LiveSchema(self.database())
            found = [*_collections(outline, live, self.taken()), *_indexes(outline, live)]
        yield from found

    def describe(self) -> Description | None:
        """Describe what stands. See :class:`accord.seam.describing.Describes`."""
        from accord.mongo_describing import describe

        with self.translated():
            live = LiveSchema(self.database())
            return describe(live.options(), lambda name: live.indexes(name).values(), self.taken())

    def _outline(self, steps: Sequence[Step]) -> Outline:
        outline = Outline()
        for step in steps:
            for operation in self.operations(step.key):
                operation.outline(outline, step.key)
        return outline


def _collections(outline: Outline, live: LiveSchema, own: Collection[str]) -> Iterator[Undeclared]:
    # An index or a rule is declared for a collection that may be another's to make.
    known = {*_declared(outline), *outline.validators, *(collection for collection, _ in outline.indexes)}
    for name in live.names():
        if name not in known and name not in own and not name.startswith(_OF_THE_SERVER):
            yield Undeclared(what="collection", name=name)


def _indexes(outline: Outline, live: LiveSchema) -> Iterator[Undeclared]:
    made = {place for place, fact in outline.indexes.items() if fact.definition is not None}
    for collection in live.names():
        # A view has none, and a time series has those of its buckets.
        if collection in _declared(outline) and live.is_plain(collection):
            for name in live.indexes(collection):
                if name != _ID and (collection, name) not in made:
                    yield Undeclared(what="index", name=name, of=collection)


def _declared(outline: Outline) -> Collection[str]:
    return {name for name, fact in outline.collections.items() if fact.definition is not None}
