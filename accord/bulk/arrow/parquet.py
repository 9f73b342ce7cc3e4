"""
Parquet: what a store writes as CSV, in columns of types, and back.

Whole numbers, floating ones and truth values get types of their own. Everything else stays the text that the
store writes, so that nothing is rounded and no date is out of range.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pyarrow as pa
from pyarrow import csv, parquet

from accord.seam.bulk import Column

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_TYPES: dict[str, Any] = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
}
_ROWS = 50_000
_BLOCK = 8 << 20
"""Bytes of CSV that become rows together; no row may be longer."""


def write(source: BinaryIO, out: BinaryIO, columns: Sequence[Column]) -> None:
    """
    Write CSV with a header as Parquet.

    Args:
        source: Where the CSV is read from.
        out: Where the file goes.
        columns: Their names and types.
    """
    types = {column.name: _TYPES.get(column.type, pa.string()) for column in columns}
    schema = pa.schema(list(types.items()))
    told = csv.ConvertOptions(
        column_types=schema,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in csv.open_csv(
            source,
            read_options=csv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=told,
        ):
            writer.write_batch(batch)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, as CSV with a header."""
    with parquet.ParquetFile(path) as file:
        yield cast("BinaryIO", io.BufferedReader(_AsCsv(file), 1 << 20))


class _AsCsv(io.RawIOBase):
    """Gives the rows of a file as CSV, some at a time; the same file gives the same bytes."""

    def __init__(self, file: parquet.ParquetFile) -> None:
        self._pieces = _pieces(file)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _pieces(file: parquet.ParquetFile) -> Iterator[bytes]:
    header = True
    for batch in file.iter_batches(batch_size=_ROWS):
        out = pa.BufferOutputStream()
        csv.write_csv(batch, out, csv.WriteOptions(include_header=header))
        yield out.getvalue().to_pybytes()
        header = False
    if header:
        yield (",".join(f'"{name}"' for name in file.schema_arrow.names) + "\n").encode()
