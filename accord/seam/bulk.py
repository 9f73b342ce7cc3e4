"""
The seam of exports and imports: what a store offers so that its rows or documents go into files and back.

A store gives and takes bytes in the format of the files, because its server writes and reads those faster
than any code of ours could. Files, manifests, masks and dead letters are the kernel's (:mod:`accord.bulk`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, runtime_checkable

from accord.seam.stores import Store


class FileFormat(enum.StrEnum):
    """How the rows or documents of a file are written."""

    CSV = "csv"
    """A header, then rows as PostgreSQL writes them: nothing is NULL, `""` is an empty text."""
    JSONL = "jsonl"
    """A JSON object a line, in the words of JSON alone: what goes from one store to another."""
    PARQUET = "parquet"
    """Columns of types, with the rows of CSV in them; no store writes it, the kernel does."""
    BSON = "bson"
    """Documents of MongoDB one behind the other, as its own tools write and read them."""
    EJSON = "ejson"
    """A document of MongoDB a line, in canonical Extended JSON: every type comes back."""
    NDJSON = "ndjson"
    """Two lines a document of a search index, as its bulk requests have them."""


class Mode(enum.StrEnum):
    """What an import does where a row or document of the same key is there already."""

    INSERT = "insert"
    """It is a dead letter."""
    UPSERT = "upsert"
    """It gets the values of the file."""
    MERGE = "merge"
    """It gets the values of the file that aren't NULL, and keeps its own otherwise."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """
    One column.

    Attributes:
        name: In the store.
        type: In the store's own words.
    """

    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Holder:
    """
    What holds the rows or documents: a table, a collection, an index.

    Attributes:
        name: In the store, and in the data map.
        columns: In their order; those that the server computes are left out. None where documents may hold
            anything.
        key: The columns that tell one from another; none where nothing does.
        copy_of: What it holds rows of, where it is a part or a copy of another one: a partition.
    """

    name: str
    columns: Sequence[Column] = ()
    key: Sequence[str] = ()
    copy_of: str = ""

    @property
    def known_as(self) -> str:
        """The name under which the data map knows what it holds."""
        return self.copy_of or self.name


@dataclass(frozen=True, kw_only=True)
class Selection:
    """
    What is exported.

    Attributes:
        holder: Of what.
        columns: Which columns, in which order; none of documents stands for all that they hold.
        query: Which rows or documents, in the store's own words; empty for all.
        without: Paths that are left out of documents.
    """

    holder: Holder
    columns: Sequence[Column]
    query: str = ""
    without: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Slice:
    """
    A range of keys, as texts of the store's own.

    Attributes:
        after: Where it begins, in the store's words; nothing for the first one.
        until: Where it ends; nothing for the last one.
    """

    after: Sequence[str] = ()
    until: Sequence[str] = ()


class Reading(Protocol):
    """
    A store that is being read, as it was at one moment.

    Attributes:
        snapshot: Names that moment in the store's words.
    """

    snapshot: str

    def slices(self, rows: int) -> Sequence[Slice]:
        """Cut what is selected into ranges of about that many rows; one where nothing orders them."""
        ...

    def head(self, one: Slice, rows: int) -> Slice:
        """Return the beginning of a slice, of so many rows; the slice itself where it holds no more."""
        ...

    def read(self, one: Slice, out: BinaryIO) -> int:
        """
        Write what is in a slice, as a whole file of the format.

        Returns:
            How many rows or documents.
        """
        ...


@runtime_checkable
class Exports(Store, Protocol):
    """A store whose rows or documents can be exported."""

    def exportable(self, name: str) -> Holder:
        """
        Find what an operator named.

        Raises:
            UnknownTarget: There is nothing of the name.
            UsageError: It can't be exported.
        """
        ...

    def formats(self) -> Collection[FileFormat]:
        """Return the formats that it writes and reads, its own first."""
        ...

    def reading(self, selection: Selection, form: FileFormat) -> AbstractContextManager[Reading]:
        """
        Open what is selected, as it is at this moment.

        Raises:
            StoreUnavailable: The store can't be reached.
            UsageError: The query can't be used.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Target:
    """
    Where an import goes.

    Attributes:
        holder: The table, collection or index.
        columns: Columns of the file, in its order.
        key: The columns that tell one row from another.
        mode: What happens where a key is there already.
        form: How the file is written.
    """

    holder: Holder
    columns: Sequence[str]
    key: Sequence[str]
    mode: Mode
    form: FileFormat


@dataclass(frozen=True, kw_only=True)
class Position:
    """
    How far an import is. A store writes it with the rows that it counts, or both are not there.

    Attributes:
        part: The part that is under way, counted from 0.
        offset: Bytes of it, uncompressed, that are done.
        line: Lines of it that are done.
        rows: Rows that were written.
        erased: Rows that were left out because their person was erased.
        dead: Dead letters.
        dead_bytes: How long the file of dead letters is.
        finished: Whether all is done.
    """

    part: int = 0
    offset: int = 0
    line: int = 0
    rows: int = 0
    erased: int = 0
    dead: int = 0
    dead_bytes: int = 0
    finished: bool = False


@dataclass(frozen=True, kw_only=True)
class Dead:
    """
    A row that the store refuses.

    Attributes:
        index: Which record of the batch, counted from 0.
        reason: In the store's words, which may quote the row.
    """

    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Written:
    """
    What became of a batch.

    Attributes:
        rows: How many rows were written.
        dead: Those that were refused.
    """

    rows: int
    dead: Sequence[Dead] = ()


Settle = Callable[[Written], Position]
"""Makes what a batch leaves outside of the store safe, and returns the position that the store keeps."""


class Writing(Protocol):
    """A store that an import goes to."""

    def position(self) -> Position | None:
        """Return how far this import is; None where it hasn't begun."""
        ...

    def documents(self, records: Sequence[bytes]) -> Sequence[Mapping[str, Any]]:
        """Read records, for whose they are; one that can't be read is empty."""
        ...

    def write(self, records: Sequence[bytes] | bytes, before: Position, settle: Settle) -> Position:
        """
        Write a batch, and keep the position behind it.

        Args:
            records: The records, one by one or in one piece where none was left out.
            before: The position that the store keeps; another one means that somebody else is at it.
            settle: Called when the rows are written and before they count.

        Returns:
            What `settle` returned.

        Raises:
            ImportUnderWay: Another process carries out the same import.
        """
        ...

    def finish(self, before: Position) -> Position:
        """Do what comes after the last batch, and keep that all is done."""
        ...

    def restart(self, before: Position) -> Position:
        """Keep that an import which was finished begins again, and return its first position."""
        ...


@runtime_checkable
class Mirroring(Protocol):
    """A target that is kept like what is copied into it; how far that is, keeps whoever copies."""

    def put(self, records: Sequence[bytes]) -> Written:
        """Write JSON Lines with an `_id` over what is there of it; written twice, they are there once."""
        ...

    def ids(self) -> Iterator[Sequence[Any]]:
        """Yield the `_id` of everything that is there, page by page."""
        ...

    def text_of(self, key: Any) -> str:
        """Write an `_id`, so that two texts are the same where the store takes them for the same."""
        ...

    def remove(self, keys: Sequence[Any]) -> int:
        """Delete by `_id`, and return how many went."""
        ...


@runtime_checkable
class Imports(Store, Protocol):
    """A store that takes rows or documents from files."""

    def importable(self, name: str) -> Holder:
        """
        Find what an operator named.

        Raises:
            UnknownTarget: There is nothing of the name.
            UsageError: Nothing may be imported into it.
        """
        ...

    def writing(self, target: Target, import_id: str) -> AbstractContextManager[Writing]:
        """
        Open a target.

        Args:
            target: Where to, and how.
            import_id: Stands for this import of these files: 64 hexadecimal digits.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...
