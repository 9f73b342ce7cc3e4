"""
Operations on the documents of a collection of any size, in batches that are exactly once.

A batch is read, changed and recorded in one transaction: a kill loses at most the batch that
was under way, and a rerun continues behind the last one that was committed. Reading goes along
the index of `_id` by `min()`. A condition `_id > last` would compare within one BSON type only
and end too early where a collection holds `_id`s of several types.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from accord.erased.subject_key import check_pair
from accord.errors import InvalidRevision
from accord.revisions.progress import Batch
from accord.seam.types import Direction, Language, Statement, StepKey
from mongo_migrations import rendering
from mongo_migrations.operations.base import Context, Operation
from mongo_migrations.operations.python import called
from mongo_migrations.schema import Outline

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.cursor import Cursor
    from pymongo.database import Database

Document = dict[str, Any]
Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
BatchFunction = Callable[[list[Document], "Database[Document]", "ClientSession | None"], Sequence[Any] | None]

_SLOW, _QUICK = 0.5, 0.2
_SMALLEST = 10


def next_size(size: int, seconds: float, most: int) -> int:
    """
    Choose the size of the next batch, so that transactions stay short on a busy server.

    Args:
        size: Of the last batch.
        seconds: That it took.
        most: What the operation allows.

    Returns:
        Half after a slow batch, double after a quick one.
    """
    if seconds > _SLOW:
        return max(size // 2, min(_SMALLEST, most))
    return min(size * 2, most) if seconds < _QUICK else size


_Spare = Callable[[list[Document]], list[Document]]


@contextmanager
def _sparing(subject: tuple[str, str] | None) -> Iterator[_Spare]:
    """Yield a function that leaves the documents of erased people out of a batch."""
    if subject is None:
        yield lambda documents: documents
        return
    from accord.erased import tombstones

    kind, field_path = subject
    with tombstones.sparing(kind) as erased:
        yield lambda documents: tombstones.spare(documents, field_path, erased)


@dataclass(frozen=True)
class _Way:
    """Which documents one direction changes, and how."""

    where: Mapping[str, Any]
    projection: Mapping[str, int] | None
    change: Callable[[list[Document], Context, ClientSession | None], int]


class _InBatches(Operation):
    """What the operations in batches have in common: the walk."""

    needs_transactions = True
    collection: str
    batch_size: int
    subject: tuple[str, str] | None

    @abstractmethod
    def _way(self, direction: Direction) -> _Way | None:
        """Return the way in a direction, None when there is nothing to do."""

    def apply(self, context: Context) -> int:
        return self._walk(context, self._way(Direction.APPLY))

    def revert(self, context: Context) -> int:
        return self._walk(context, self._way(Direction.REVERT))

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.opaque.add(owner)

    def _walk(self, context: Context, way: _Way | None) -> int:
        if way is None:
            return 0
        total = None if way.where else context.db[self.collection].estimated_document_count()
        size = self.batch_size
        while not context.finished:
            context.check()
            started = time.monotonic()
            batch = self._batch(context, way, size)
            size = next_size(size, time.monotonic() - started, self.batch_size)
            if batch.checkpoint is not None:
                context.progressed(batch.checkpoint["done"], total)
        return 0

    def _batch(self, context: Context, way: _Way, size: int) -> Batch:
        # No fence goes up between the look at the tombstones and the end of the transaction.
        with _sparing(self.subject) as spare:
            return self._spared_batch(context, way, size, spare)

    def _spared_batch(self, context: Context, way: _Way, size: int, spare: _Spare) -> Batch:
        before = context.checkpoint()

        def work(session: ClientSession | None) -> Batch:
            documents = self._read(context, way, before, size, session)
            living = spare(documents)
            changed = way.change(living, context, session) if living else 0
            if len(documents) < size:
                return Batch(changed=changed)
            done = (before["done"] if before else 0) + len(documents)
            return Batch(changed=changed, checkpoint={"last": documents[-1]["_id"], "done": done})

        return context.exactly_once(work)

    def _read(
        self,
        context: Context,
        way: _Way,
        before: Mapping[str, Any] | None,
        size: int,
        session: ClientSession | None,
    ) -> list[Document]:
        from bson import MaxKey

        collection = context.db[self.collection]

        def find(condition: Mapping[str, Any], limit: int) -> Cursor[Document]:
            found = collection.find(dict(condition), way.projection, session=session)
            # A router would hand on what each shard finds as it arrives; in order it is free by that index.
            return found.sort("_id", 1).hint([("_id", 1)]).limit(limit).batch_size(limit)

        if before is None:
            return list(find(way.where, size))
        if isinstance(before["last"], MaxKey):
            return []
        # `min` includes its bound, so one more is read and the known one left out.
        documents = list(find(way.where, size + 1).min([("_id", before["last"])]))
        if documents and _same_id(documents[0]["_id"], before["last"]):
            documents = documents[1:]
        if len(documents) < size:
            # With `min` a query ends before MaxKey, so a document of that very id is asked for.
            documents.extend(find({"$and": [{"_id": MaxKey()}, dict(way.where)]}, 1))
        return documents[:size]


@dataclass(frozen=True)
class UpdateInBatches(_InBatches):
    """
    Update many documents; undone by another update, if it is given.

    Attributes:
        collection: The collection.
        update: As `update_many` takes it: `{"$set": ...}`, `{"$inc": ...}`, or a pipeline.
        where: Only documents that match are changed.
        backward: Update that undoes it; `{}` when nothing needs undoing.
        backward_where: Only documents that match are changed by `backward`.
        batch_size: Documents in a transaction at most; slow batches are made smaller.
        subject: Whose the documents are: kind of person and path of their key, such as
            `("streaming.listener", "listener_id")`. Documents of people who were erased, or are
            being erased, are then left out (:mod:`accord.erased.tombstones`).
    """

    collection: str
    update: Update
    _: KW_ONLY
    where: Mapping[str, Any] = field(default_factory=dict)
    backward: Update | None = None
    backward_where: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 1000
    subject: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        _check_size(self.batch_size)
        check_pair(self.subject, "an operation in batches")

    @property
    def irreversible(self) -> str:
        """Irreversible without a `backward`."""
        return (
            ""
            if self.backward is not None
            else f"UpdateInBatches({self.collection!r}) has no backward update."
        )

    def requests(self, direction: Direction) -> Sequence[rendering.Request]:
        where, update = self._pair(direction)
        if not update:
            return []
        text = rendering.on_collection(self.collection, "updateMany", where, update)
        how = f"in batches of {self.batch_size} by _id, each in a transaction{_without(self.subject)}"
        return [Statement(text=f"{text}  // {how}", language=Language.MONGO)]

    def _pair(self, direction: Direction) -> tuple[Mapping[str, Any], Update | None]:
        if direction is Direction.APPLY:
            return self.where, self.update
        return self.backward_where, self.backward

    def _way(self, direction: Direction) -> _Way | None:
        where, update = self._pair(direction)
        if not update:
            return None

        def change(documents: list[Document], context: Context, session: ClientSession | None) -> int:
            chosen = {"$and": [{"_id": {"$in": [document["_id"] for document in documents]}}, dict(where)]}
            plain = dict(update) if isinstance(update, Mapping) else [dict(stage) for stage in update]
            return context.db[self.collection].update_many(chosen, plain, session=session).modified_count

        projection = {"_id": 1, **({self.subject[1]: 1} if self.subject else {})}
        return _Way(where=where, projection=projection, change=change)


@dataclass(frozen=True)
class RunBatches(_InBatches):
    """
    Run a function with `(documents, db, session)` on many documents, a batch at a time.

    The function gives back what `bulk_write` of the collection takes (`UpdateOne`, ...), or
    nothing when it wrote by itself with `session=session`. Undone by another function,
    if it is given.

    Attributes:
        collection: The collection.
        forward: Called to apply.
        backward: Called to revert.
        where: Only documents that match are read.
        backward_where: Only documents that match are read for `backward`.
        batch_size: Documents in a transaction at most; slow batches are made smaller.
        subject: Whose the documents are: kind of person and path of their key, such as
            `("streaming.listener", "listener_id")`. Documents of people who were erased, or are
            being erased, are then left out (:mod:`accord.erased.tombstones`).
    """

    collection: str
    forward: BatchFunction
    backward: BatchFunction | None = None
    _: KW_ONLY
    where: Mapping[str, Any] = field(default_factory=dict)
    backward_where: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 1000
    subject: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        _check_size(self.batch_size)
        check_pair(self.subject, "an operation in batches")

    @property
    def irreversible(self) -> str:
        """Irreversible without a `backward`."""
        return "" if self.backward else f"RunBatches({called(self.forward)}) has no backward function."

    def requests(self, direction: Direction) -> Sequence[rendering.Request]:
        function = self.forward if direction is Direction.APPLY else self.backward
        if function is None:
            return []
        return [
            rendering.opaque(
                f"Runs {called(function)}(documents, db, session) on {self.collection} "
                f"in batches of {self.batch_size} by _id, each in a transaction{_without(self.subject)}."
            )
        ]

    def _way(self, direction: Direction) -> _Way | None:
        apply = direction is Direction.APPLY
        function = self.forward if apply else self.backward
        if function is None:
            return None
        wanted = function

        def change(documents: list[Document], context: Context, session: ClientSession | None) -> int:
            writes = wanted(documents, context.db, session)
            if not writes:
                return 0
            result = context.db[self.collection].bulk_write(list(writes), session=session)
            return (
                result.modified_count + result.inserted_count + result.deleted_count + result.upserted_count
            )

        return _Way(where=self.where if apply else self.backward_where, projection=None, change=change)


def _check_size(size: int) -> None:
    if size < 1:
        raise InvalidRevision(f"A batch of {size} documents is none.", hint="Set batch_size to 1 or more.")


def _without(subject: tuple[str, str] | None) -> str:
    return "" if subject is None else f", without those of erased people ({subject[0]} by {subject[1]})"


def _same_id(left: object, right: object) -> bool:
    """Compare as BSON does: to Python, `True` and `1` are equal, to MongoDB they are two ids."""
    from bson import encode

    return left == right and encode({"_id": left}) == encode({"_id": right})
