"""Reading a collection, all of it as it was at one moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from bson import Timestamp, json_util
from pymongo.read_concern import ReadConcern

from accord.errors import StoreError, UsageError
from accord.seam.bulk import FileFormat, Selection, Slice
from mongo_migrations.bulk.words import PLAIN, Document, written

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.database import Database

_TOO_OLD = 239
_BATCH = 5000
"""Documents that the server sends at once; 16 MB at most, and less memory than those take."""
_CANONICAL = json_util.CANONICAL_JSON_OPTIONS
_BY_ID = [("_id", 1)]


class _At(ReadConcern):
    """Lets the driver read a moment of the past; its sessions could do so, and don't say which one it is."""

    def __init__(self, moment: Timestamp) -> None:
        super().__init__("snapshot")
        self._moment = moment

    @property
    def document(self) -> dict[str, Any]:
        """What the server is told."""
        return {"level": "snapshot", "atClusterTime": self._moment}


class CollectionReading:
    """
    A collection that is being read.

    Args:
        collection: The collection.
        moment: The moment that is read.
        selection: What is read.
        form: How it is written.
    """

    def __init__(
        self, collection: Collection[Document], moment: Timestamp, selection: Selection, form: FileFormat
    ) -> None:
        self.snapshot = f"{moment.time}.{moment.inc}"
        self._present = collection
        self._collection = collection.with_options(read_concern=_At(moment))
        self._selection = selection
        self._form = form
        self._filter = _filter(selection.query)

    def slices(self, rows: int) -> Sequence[Slice]:
        """Cut the collection at every so many documents in the order of `_id`."""
        if self._present.estimated_document_count() < rows:
            return [Slice()]
        cuts: list[Sequence[str]] = [()]
        while found := self._behind(Slice(after=cuts[-1]), rows):
            cuts.append(found)
        return [Slice(after=one, until=other) for one, other in zip(cuts, [*cuts[1:], ()], strict=True)]

    def head(self, one: Slice, rows: int) -> Slice:
        """Return the beginning of a slice, in the order of `_id`, whatever of it is selected."""
        found = self._behind(one, rows)
        return replace(one, until=found) if found else one

    def read(self, one: Slice, out: BinaryIO) -> int:
        """Send a slice; BSON as it comes from the server."""
        from pymongo.errors import OperationFailure

        try:
            return sum(self._sent(batch, out) for batch in self._batches(one))
        except OperationFailure as exc:
            if exc.code != _TOO_OLD:
                raise
            raise StoreError(
                "The server remembers the moment of this export no longer.",
                hint="Raise minSnapshotHistoryWindowInSeconds of the server (300), then begin again with "
                "--anew.",
            ) from exc

    def _batches(self, one: Slice) -> Iterator[bytes]:
        cursor = self._collection.find_raw_batches(self._filter, _projection(self._selection)).batch_size(
            _BATCH
        )
        if one.after or one.until:
            cursor = cursor.hint(_BY_ID).sort(_BY_ID)
        if one.after:
            cursor = cursor.min([("_id", _key(one.after))])
        if one.until:
            cursor = cursor.max([("_id", _key(one.until))])
        return iter(cursor)

    def _sent(self, batch: bytes, out: BinaryIO) -> int:
        if self._form is FileFormat.BSON:
            out.write(batch)
            return sum(1 for _ in _documents(batch))
        lines = [written(raw, self._form) for raw in _documents(batch)]
        out.writelines(lines)
        return len(lines)

    def _behind(self, one: Slice, rows: int) -> Sequence[str]:
        """Return the key of a slice that stands behind so many documents; nothing where there is none."""
        cursor = self._collection.find({}, {"_id": 1}).hint(_BY_ID).sort(_BY_ID)
        if one.after:
            cursor = cursor.min([("_id", _key(one.after))])
        if one.until:
            cursor = cursor.max([("_id", _key(one.until))])
        found = next(iter(cursor.skip(rows).limit(1)), None)
        return () if found is None else (json_util.dumps(found, json_options=_CANONICAL),)


@contextmanager
def reading(
    database: Database[Document], selection: Selection, form: FileFormat
) -> Iterator[CollectionReading]:
    """Open a collection for reading, as it is at this moment."""
    collection = database.get_collection(selection.holder.name, codec_options=PLAIN)
    yield CollectionReading(collection, _now(database, selection.holder.name), selection, form)


def _now(database: Database[Document], name: str) -> Timestamp:
    """Let the server choose the moment: the latest that a majority has."""
    first = {"find": name, "limit": 1, "singleBatch": True, "readConcern": {"level": "snapshot"}}
    moment: Timestamp = database.command(first)["cursor"]["atClusterTime"]
    return moment


def _documents(batch: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(batch):
        end = start + int.from_bytes(batch[start : start + 4], "little")
        yield batch[start:end]
        start = end


def _projection(selection: Selection) -> Mapping[str, int] | None:
    if selection.columns:
        names = [column.name for column in selection.columns]
        return {**dict.fromkeys(names, 1), **({} if "_id" in names else {"_id": 0})}
    return _outermost(selection.without) or None


def _outermost(paths: Sequence[str]) -> Mapping[str, int]:
    """Leave paths out; one within another would collide with it."""
    return {path: 0 for path in paths if not any(path.startswith(f"{one}.") for one in paths)}


def _key(texts: Sequence[str]) -> Any:
    return json_util.loads(texts[0], json_options=_CANONICAL)["_id"]


def _filter(query: str) -> Mapping[str, Any]:
    if not query:
        return {}
    try:
        found = json_util.loads(query)
    except (ValueError, TypeError) as exc:
        raise UsageError(
            "The query is no JSON.", hint='--query takes a filter in Extended JSON: {"year": {"$gt": 2000}}.'
        ) from exc
    if not isinstance(found, dict):
        raise UsageError("The query is no filter.", hint="--query takes an object in Extended JSON.")
    return found
