"""
The walk over a collection in batches that are exactly once.

A batch is read, changed and recorded in one transaction: a kill loses at most the batch that
was under way, and a rerun continues behind the last one that was committed. Reading goes along
the index of `_id` by `min()`. A condition `_id > last` would compare within one BSON type only
and end too early where a collection holds `_id`s of several types. Where the walk stands is kept as the
bytes of an `_id` (:mod:`mongo_migrations.ids`), whatever options the client has. A walk ends at the document
that was the last one when it began: what comes in behind it meanwhile, by the walk's own function too, would
give it no end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from accord.batches import Sizes, TooMuchAtOnce, work_through
from accord.errors import StepFailed
from accord.revisions.entry import Facts
from accord.revisions.progress import Batch
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, StepKey
from accord.words import counted
from mongo_migrations import ids, retries
from mongo_migrations.client import plain_message
from mongo_migrations.context import Context
from mongo_migrations.looks import Target, refuse_unfit
from mongo_migrations.operations.base import Operation
from mongo_migrations.schema import Outline

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument
    from pymongo.client_session import ClientSession
    from pymongo.errors import PyMongoError

    Documents = Sequence[RawBSONDocument]
    Spare = Callable[[Documents], Documents]

_LOCK = "IX, batch by batch"
_FIRST = 100
_MOST_BYTES = 8 * 1024 * 1024
# Seconds for which one batch is tried at one size, and the last document alone.
_PATIENCE, _LAST_PATIENCE = 1.0, 60.0


@dataclass(frozen=True)
class Way:
    """Which documents one direction changes, and how."""

    where: Mapping[str, Any]
    projection: Mapping[str, int] | None
    change: Callable[[Documents, Context, ClientSession | None], int]


@dataclass
class Attempt:
    """
    One batch that is tried.

    Attributes:
        size: Documents at most.
        first: The id of its first document, once it was read.
    """

    size: int
    first: bytes | None = field(default=None, init=False)


@dataclass(frozen=True)
class Page:
    """
    Documents read together.

    Attributes:
        documents: In the order of their ids.
        last: Nothing comes after them.
    """

    documents: Documents
    last: bool

    @property
    def end(self) -> bytes:
        """Return the id of its last document."""
        return ids.of(self.documents[-1])


class InBatches(Operation):
    """What the operations in batches have in common: the walk."""

    needs_transactions = True
    collection: str
    where: Mapping[str, Any]
    backward_where: Mapping[str, Any] | None
    batch_size: int
    subject: tuple[str, str] | None
    missing_ok: bool

    @abstractmethod
    def _way(self, direction: Direction) -> Way | None:
        """Return the way in a direction, None when there is nothing to do."""

    def capture(self, context: Context) -> Facts:
        """
        Look at the collection before anything is changed.

        Raises:
            StepFailed: There is none, or it is of a kind that no transaction walks over.
        """
        refuse_unfit(context, self.collection, missing_ok=self.missing_ok)
        return {}

    def apply(self, context: Context) -> int:
        return self._walk(context, self._way(Direction.APPLY))

    def revert(self, context: Context) -> int:
        return self._walk(context, self._way(Direction.REVERT))

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.opaque.add(owner)

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.collection})

    def touches(self, context: Context) -> Collection[str] | None:
        return self.looks_at

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        way = self._way(direction)
        if way is None:
            return
        refuse_unfit(context, self.collection, missing_ok=self.missing_ok)
        target = Target(context, self.collection, self.title)
        if target.live is None:
            return
        yield from self._undone_in_all(target)
        if not way.where:
            yield from target.size("{} are walked over.", _LOCK)
            return
        number, (_, size) = target.number(way.where), target.weight()
        text = f"{counted(number, 'document')} match and are walked over."
        yield target.told(Outlook.NOTE, text, rows=number, bytes=size, lock=_LOCK)

    def _undone_in_all(self, target: Target) -> Iterator[Foretold]:
        """Tell that the way back is wider than the way there, and nobody says that this is meant."""
        back = self._way(Direction.REVERT)
        if self.where and back is not None and self.backward_where is None:
            text = (
                "It applies to the documents of `where`, and is undone in every document of the collection."
            )
            hint = "Give backward_where=..., or backward_where={} where all of them are meant."
            yield target.told(Outlook.WARNING, text, hint)

    def _walk(self, context: Context, way: Way | None) -> int:
        if way is None:
            return 0
        total = None if way.where else context.db[self.collection].estimated_document_count()
        sizes = Sizes(first=min(self.batch_size, _FIRST), most=self.batch_size)
        work_through(
            partial(self._next, context, way, sizes, total), sizes, stop=lambda: bool(context.finished)
        )
        return 0

    def _next(self, context: Context, way: Way, sizes: Sizes, total: int | None, size: int) -> bool:
        """Do the next batch, and return whether there is another one."""
        context.check()
        batch = self._fitting(context, way, sizes, size)
        if batch.checkpoint is not None:
            context.progressed(batch.checkpoint["done"], total)
        return not context.finished

    def _fitting(self, context: Context, way: Way, sizes: Sizes, size: int) -> Batch:
        from pymongo.errors import PyMongoError

        attempt = Attempt(size)
        try:
            with context.patience(_PATIENCE if size > 1 else _LAST_PATIENCE):
                return self._batch(context, way, attempt)
        except PyMongoError as exc:
            if not retries.is_too_much(exc):
                raise
            if size == 1:
                raise self._never_fits(context, attempt, exc) from exc
            context.note(
                f"{self.collection}: a transaction of {size} documents did not get through "
                f"({plain_message(exc)}); trying {sizes.smaller(size)}."
            )
            raise TooMuchAtOnce from exc

    def _never_fits(self, context: Context, attempt: Attempt, error: PyMongoError) -> StepFailed:
        done = (context.checkpoint() or {"done": 0})["done"]
        named = ids.told(attempt.first, personal=self.subject is not None) if attempt.first else "not read"
        return StepFailed(
            f"{context.key}: document {done + 1:,} of the walk over {self.collection} ({named}) can't be "
            f"changed in a transaction, not even alone: {plain_message(error)}.",
            hint="Is it too large, its change too slow, or is it written all the time? Change it by hand or "
            "by another update, and run again: the walk goes on there.",
        )

    def _batch(self, context: Context, way: Way, attempt: Attempt) -> Batch:
        # No fence goes up between the look at the tombstones and the end of the transaction.
        with _sparing(self.subject) as spare:
            return self._spared_batch(context, way, attempt, spare)

    def _spared_batch(self, context: Context, way: Way, attempt: Attempt, spare: Spare) -> Batch:
        before = context.checkpoint()

        def work(session: ClientSession | None) -> Batch:
            reader = Reader(context, self.collection, way, session)
            until = _until(before, reader)
            page = Page((), last=True) if until is None else _read(reader, before, until, attempt.size)
            attempt.first = ids.of(page.documents[0]) if page.documents else None
            living = spare(page.documents)
            changed = way.change(living, context, session) if living else 0
            if page.last:
                return Batch(changed=changed)
            done = (before["done"] if before else 0) + len(page.documents)
            return Batch(changed=changed, checkpoint={"after": page.end, "until": until, "done": done})

        return context.exactly_once(work)


class Reader:
    """
    Reads a collection in the order of its ids, each document as the bytes that it is.

    Args:
        context: Where the operation works.
        collection: The collection.
        way: What is wanted of it.
        session: The transaction.
    """

    def __init__(self, context: Context, collection: str, way: Way, session: ClientSession | None) -> None:
        self._db = context.raw
        self._collection, self._way, self._session = collection, way, session

    def find(self, limit: int, start: bytes | None, end: bytes) -> Iterator[RawBSONDocument]:
        """Yield documents from the one of this id on, or from the first, to before the one of that id."""
        first = {} if start is None else {"min": ids.raw(start)}
        return self._ask(self._way.where, limit, {**first, "max": ids.raw(end)})

    def find_one(self, wanted: bytes) -> Iterator[RawBSONDocument]:
        """Yield the document of this id, if there is one that is wanted."""
        return self._ask({"$and": [ids.among([wanted]), dict(self._way.where)]}, 1, {})

    def last(self) -> bytes | None:
        """Return the last id of the collection; None when it is empty."""
        found = self._ask({}, 1, {"sort": {"_id": -1}, "projection": {"_id": 1}})
        return next((ids.of(document) for document in found), None)

    def _ask(
        self, where: Mapping[str, Any], limit: int, more: Mapping[str, Any]
    ) -> Iterator[RawBSONDocument]:
        command = {
            "find": self._collection,
            "filter": dict(where),
            # A router would hand on what each shard finds as it arrives; in order it is free by that index.
            "sort": {"_id": 1},
            "hint": {"_id": 1},
            "limit": limit,
            "batchSize": limit,
            **({"projection": dict(self._way.projection)} if self._way.projection else {}),
            **more,
        }
        options = self._db.codec_options
        with self._db.cursor_command(command, codec_options=options, session=self._session) as found:
            yield from found


def _until(before: Mapping[str, Any] | None, reader: Reader) -> bytes | None:
    """Return the id at which the walk ends; None where nothing is left to walk over."""
    if before is None:
        return reader.last()
    # Earlier versions kept none, and walked on to whatever came.
    return bytes(before["until"]) if "until" in before else ids.LAST


def _read(reader: Reader, before: Mapping[str, Any] | None, until: bytes, size: int) -> Page:
    """Read the next documents, to the last one of the walk at most."""
    after = None if before is None else _place(before)
    if after == until:
        return Page((), last=True)
    # `min` includes its bound, so one more is read and the known one left out.
    found = reader.find(size if after is None else size + 1, after, until)
    page = _page((one for one in found if after is None or ids.of(one) != after), size)
    # `max` leaves its bound out.
    return page if not page.last else Page([*page.documents, *reader.find_one(until)], last=True)


def _place(checkpoint: Mapping[str, Any]) -> bytes:
    """Return the id where a walk stands; earlier versions kept it as a value."""
    return bytes(checkpoint["after"]) if "after" in checkpoint else ids.of_value(checkpoint["last"])


def _page(found: Iterator[RawBSONDocument], size: int) -> Page:
    """Take documents until there are enough of them, or enough bytes."""
    documents: list[RawBSONDocument] = []
    weight = 0
    for document in found:
        documents.append(document)
        weight += len(document.raw)
        if len(documents) == size or weight >= _MOST_BYTES:
            return Page(documents, last=False)
    return Page(documents, last=True)


@contextmanager
def _sparing(subject: tuple[str, str] | None) -> Iterator[Spare]:
    """Yield a function that leaves the documents of erased people out of a batch."""
    if subject is None:
        yield lambda documents: documents
        return
    from accord.erased import tombstones

    kind, field_path = subject
    with tombstones.sparing(kind) as erased:
        yield lambda documents: tombstones.spare(documents, field_path, erased)
