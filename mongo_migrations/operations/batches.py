"""
Operations on the documents of a collection of any size, in batches that are exactly once.

How a collection is walked over stands in :mod:`mongo_migrations.operations.walk`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

from accord.erased.subject_key import check_pair
from accord.errors import InvalidRevision, StepFailed
from accord.revisions.foretelling import unknown
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Language, Statement
from mongo_migrations import ids, rendering
from mongo_migrations.context import Context
from mongo_migrations.operations.python import called
from mongo_migrations.operations.walk import InBatches, Way

if TYPE_CHECKING:
    from bson.raw_bson import RawBSONDocument
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

    from mongo_migrations.operations.walk import Documents

Document = dict[str, Any]
Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
BatchFunction = Callable[[list[Document], "Database[Document]", "ClientSession | None"], Sequence[Any] | None]


@dataclass(frozen=True)
class UpdateInBatches(InBatches):
    """
    Update many documents; undone by another update, if it is given.

    Attributes:
        collection: The collection.
        update: As `update_many` takes it: `{"$set": ...}`, `{"$inc": ...}`, or a pipeline.
        where: Only documents that match are changed.
        backward: Update that undoes it; `{}` when nothing needs undoing.
        backward_where: Only documents that match are changed by `backward`; `{}` for all, which a
            dry run warns of where nothing is said and `where` takes a part.
        batch_size: Documents in a transaction at most; slow batches are made smaller.
        subject: Whose the documents are: kind of person and path of their key, such as
            `("streaming.listener", "listener_id")`. Documents of people who were erased, or are
            being erased, are then left out (:mod:`accord.erased.tombstones`).
        missing_ok: True where the collection may be missing; there is nothing to do then.
    """

    collection: str
    update: Update
    _: KW_ONLY
    where: Mapping[str, Any] = field(default_factory=dict)
    backward: Update | None = None
    backward_where: Mapping[str, Any] | None = None
    batch_size: int = 1000
    subject: tuple[str, str] | None = None
    missing_ok: bool = False

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
        return self.backward_where or {}, self.backward

    def _way(self, direction: Direction) -> Way | None:
        where, update = self._pair(direction)
        if not update:
            return None

        def change(documents: Documents, context: Context, session: ClientSession | None) -> int:
            chosen = {"$and": [ids.among(ids.of(document) for document in documents), dict(where)]}
            plain = dict(update) if isinstance(update, Mapping) else [dict(stage) for stage in update]
            return context.db[self.collection].update_many(chosen, plain, session=session).modified_count

        projection = {"_id": 1, **({self.subject[1]: 1} if self.subject else {})}
        return Way(where=where, projection=projection, change=change)


@dataclass(frozen=True)
class RunBatches(InBatches):
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
        backward_where: Only documents that match are read for `backward`; `{}` for all, as with
            `UpdateInBatches`.
        batch_size: Documents in a transaction at most; slow batches are made smaller.
        subject: Whose the documents are: kind of person and path of their key, such as
            `("streaming.listener", "listener_id")`. Documents of people who were erased, or are
            being erased, are then left out (:mod:`accord.erased.tombstones`).
        missing_ok: True where the collection may be missing; there is nothing to do then.
    """

    collection: str
    forward: BatchFunction
    backward: BatchFunction | None = None
    _: KW_ONLY
    where: Mapping[str, Any] = field(default_factory=dict)
    backward_where: Mapping[str, Any] | None = None
    batch_size: int = 1000
    subject: tuple[str, str] | None = None
    missing_ok: bool = False

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

    def _way(self, direction: Direction) -> Way | None:
        apply = direction is Direction.APPLY
        function = self.forward if apply else self.backward
        if function is None:
            return None
        wanted = function

        def change(documents: Documents, context: Context, session: ClientSession | None) -> int:
            decoded = [self._decoded(document, context) for document in documents]
            writes = wanted(decoded, context.db, session)
            if not writes:
                return 0
            result = context.db[self.collection].bulk_write(list(writes), session=session)
            return (
                result.modified_count + result.inserted_count + result.deleted_count + result.upserted_count
            )

        return Way(where=self.where if apply else self.backward_where or {}, projection=None, change=change)

    def touches(self, context: Context) -> None:
        """Tell that nobody knows what a function does with the database that it is given."""

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        yield from super().foretell(context, direction)
        yield unknown(context.key, self.title, "It is code: what it does with documents can't be asked.")

    def _decoded(self, document: RawBSONDocument, context: Context) -> Document:
        """Return a document as the application's own client reads it."""
        from bson import decode
        from bson.errors import BSONError

        try:
            return decode(document.raw, context.db.codec_options)
        except BSONError as exc:
            named = ids.told(ids.of(document), personal=self.subject is not None)
            raise StepFailed(
                f"{context.key}: a document of {self.collection} ({named}) can't be read by the driver: "
                f"{type(exc).__name__}.",
                hint="Mend that document, or add unicode_decode_error_handler=replace to the URL's options "
                "if a text in it is no UTF-8.",
            ) from exc


def _check_size(size: int) -> None:
    if size < 1:
        raise InvalidRevision(f"A batch of {size} documents is none.", hint="Set batch_size to 1 or more.")


def _without(subject: tuple[str, str] | None) -> str:
    return "" if subject is None else f", without those of erased people ({subject[0]} by {subject[1]})"
