"""Writing a collection: batches that come to the same when they come twice, and the position behind each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from bson import ObjectId, decode, encode
from bson.raw_bson import RawBSONDocument

from accord.bulk.errors import ImportUnderWay
from accord.bulk.records import split
from accord.seam.bulk import Dead, FileFormat, Mode, Position, Settle, Target, Written
from mongo_migrations.bulk.words import PLAIN, RAW, Document, reader
from mongo_migrations.ledger import IMPORTS

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

_DUPLICATE = 11000
_LONGEST = 16 << 20
_PAGE = 5000
_BY_ID = [("_id", 1)]


@dataclass(frozen=True)
class CollectionWriting:
    """
    A collection that is being written.

    Attributes:
        collection: The collection.
        positions: How far imports are.
        target: Where to, and how.
        import_id: Stands for the import.
    """

    collection: Collection[RawBSONDocument]
    positions: Collection[Document]
    target: Target
    import_id: str

    def position(self) -> Position | None:
        """Return how far it is; None where it hasn't begun. Its document is there afterwards."""
        found = self.positions.find_one({"_id": self.import_id})
        if found is None:
            self.positions.insert_one(
                {"_id": self.import_id, "target": self.collection.name, **asdict(Position())}
            )
            return None
        return Position(**{name: found[name] for name in asdict(Position())})

    def restart(self, before: Position) -> Position:
        """Begin again."""
        self._move(before, Position())
        return Position()

    def finish(self, before: Position) -> Position:
        """Keep that all is done."""
        done = replace(before, finished=True)
        self._move(before, done)
        return done

    def documents(self, records: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Read records as documents."""
        read = reader(self.target.form, self.target.key)
        return [_decoded(read, record) for record in records]

    def write(self, records: Sequence[bytes] | bytes, before: Position, settle: Settle) -> Position:
        """
        Write a batch, then the position behind it.

        Killed between the two, the batch comes once more: what is there already in the same words counts as
        written.
        """
        every = split(records, self.target.form) if isinstance(records, bytes) else list(records)
        after = settle(self._written(every, before))
        self._move(before, after)
        return after

    # --- copies -------------------------------------------------------------------------

    def put(self, records: Sequence[bytes]) -> Written:
        """Write documents over what is there."""
        return self._written(records, Position())

    def ids(self) -> Iterator[Sequence[Any]]:
        """Yield what is there, in the order of the index."""
        plain: Any = self.collection.with_options(codec_options=PLAIN)
        found = iter(plain.find({}, {"_id": 1}).hint(_BY_ID).batch_size(_PAGE))
        while page := [one["_id"] for one in islice(found, _PAGE)]:
            yield page

    def text_of(self, key: Any) -> str:
        """Write an `_id` with its type: 5 is another one than the text of it."""
        return json.dumps(key, default=repr)

    def remove(self, keys: Sequence[Any]) -> int:
        """Delete documents."""
        return int(self.collection.delete_many({"_id": {"$in": list(keys)}}).deleted_count)

    # --- documents ----------------------------------------------------------------------

    def _written(self, records: Sequence[bytes], before: Position) -> Written:
        documents, dead = self._read(records, before)
        if documents:
            send = self._inserted if self.target.mode is Mode.INSERT else self._replaced
            dead += send([*documents.values()], [*documents])
        dead.sort(key=lambda one: one.index)
        return Written(rows=len(records) - len(dead), dead=dead)

    def _read(
        self, records: Sequence[bytes], before: Position
    ) -> tuple[dict[int, RawBSONDocument], list[Dead]]:
        read = reader(self.target.form, self.target.key)
        documents, dead = dict[int, RawBSONDocument](), list[Dead]()
        for number, record in enumerate(records):
            try:
                documents[number] = self._keyed(self._identified(read(record), before, number))
            except Exception as exc:  # noqa: BLE001 - whatever a record makes the driver raise, it is of the record
                dead.append(Dead(index=number, reason=f"This is no document: {exc}"))
        return documents, dead

    def _keyed(self, document: RawBSONDocument) -> RawBSONDocument:
        """Refuse a document without its key: a search for none finds any other that has none."""
        lacks = [name for name, value in self._key(document).items() if value is None and name != "_id"]
        if lacks and self.target.mode is not Mode.INSERT:
            raise ValueError(f"it has no {', '.join(lacks)}, which is its key")
        return document

    def _identified(self, raw: bytes, before: Position, number: int) -> RawBSONDocument:
        """Give a document without `_id` one that follows from its place: sent twice, it is there once."""
        if len(raw) > _LONGEST:
            raise ValueError(f"{len(raw):,} bytes are more than a document of MongoDB may have")
        found = RawBSONDocument(raw, RAW)
        # Where it is the first member, which is usual, nothing is decoded to see it.
        if raw[5:9] == b"_id\0" or "_id" in found:
            return found
        place = f"{self.import_id} {before.part} {before.offset} {number}"
        own = ObjectId(hashlib.sha256(place.encode()).digest()[:12])
        return RawBSONDocument(_with_id(raw, own), RAW)

    def _inserted(self, documents: list[RawBSONDocument], numbers: Sequence[int]) -> list[Dead]:
        from pymongo.errors import BulkWriteError

        try:
            self.collection.insert_many(documents, ordered=False)
        except BulkWriteError as exc:
            refused = _refusals(exc)
            taken = [one["index"] for one in refused if one["code"] == _DUPLICATE]
            same = self._same([documents[index] for index in taken])
            return [
                Dead(index=numbers[one["index"]], reason=_reason(one))
                for one in refused
                if one["code"] != _DUPLICATE or bytes(documents[one["index"]].raw) not in same
            ]
        return []

    def _same(self, documents: Sequence[RawBSONDocument]) -> set[bytes]:
        """Return those documents that are there in the same words."""
        found = self.collection.find({"_id": {"$in": [one["_id"] for one in documents]}})
        return {bytes(one.raw) for one in found}

    def _replaced(self, documents: list[RawBSONDocument], numbers: Sequence[int]) -> list[Dead]:
        from pymongo.errors import BulkWriteError

        # Of several documents with one key the last one counts, where the server keeps to their order.
        keys = {encode(self._key(one)) for one in documents}
        changes = [self._change(one) for one in documents]
        try:
            self.collection.bulk_write(changes, ordered=len(keys) < len(documents))
        except BulkWriteError as exc:
            return [Dead(index=numbers[one["index"]], reason=_reason(one)) for one in _refusals(exc)]
        return []

    def _key(self, document: RawBSONDocument) -> Document:
        # Documents of another store have an `_id` that was made of their key.
        is_foreign = self.target.form is FileFormat.JSONL
        return {name: document.get(name) for name in (("_id",) if is_foreign else self.target.key)}

    def _change(self, document: RawBSONDocument) -> Any:
        from pymongo import ReplaceOne, UpdateOne

        where = self._key(document)
        if self.target.mode is Mode.UPSERT:
            return ReplaceOne(where, document, upsert=True)
        told = {name: value for name, value in document.items() if name != "_id" and value is not None}
        return UpdateOne(where, {"$set": told} if told else {"$setOnInsert": where}, upsert=True)

    def _move(self, before: Position, after: Position) -> None:
        moved = self.positions.update_one(
            {"_id": self.import_id, **asdict(before)},
            {"$set": asdict(after), "$currentDate": {"changed_at": True}},
        )
        if not moved.matched_count:
            raise ImportUnderWay(
                f"Another process imports the same files into {self.collection.name}.",
                hint="Wait until it has ended, then run the same command again; it goes on from there.",
            )


@contextmanager
def writing(database: Database[Document], target: Target, import_id: str) -> Iterator[CollectionWriting]:
    """Open a collection for writing."""
    collection: Any = database.get_collection(target.holder.name, codec_options=RAW)
    yield CollectionWriting(collection, database[IMPORTS], target, import_id)


def _decoded(read: Callable[[bytes], bytes], record: bytes) -> Document:
    try:
        return decode(read(record), PLAIN)
    except Exception:  # noqa: BLE001 - a record that can't be read names nobody, and will be a dead letter
        return {}


def _with_id(raw: bytes, own: ObjectId) -> bytes:
    """Put an `_id` before the members of a document."""
    member = b"\x07_id\0" + own.binary
    return (len(raw) + len(member)).to_bytes(4, "little") + member + raw[4:]


def _refusals(exc: Any) -> list[Mapping[str, Any]]:
    """Return what the server says of single documents; whatever else it says is raised."""
    if exc.details.get("writeConcernErrors"):
        raise exc
    found: list[Mapping[str, Any]] = exc.details["writeErrors"]
    return found


def _reason(refused: Mapping[str, Any]) -> str:
    return f"{refused.get('errmsg', '')} ({refused.get('code')})"
