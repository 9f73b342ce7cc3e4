"""Cutting files into records: where one ends, without looking into it more than that takes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from accord.bulk.errors import BulkFileError
from accord.seam.bulk import FileFormat

BATCH = 8 << 20
"""Bytes of a batch, about."""
_LONGEST = 256 << 20
"""Bytes of a record, at most: quotes that never close would bring the whole file into memory."""


def batches(stream: BinaryIO, form: FileFormat, size: int = BATCH) -> Iterator[bytes]:
    """
    Read a file in pieces of whole records.

    Args:
        stream: Where it is read from, uncompressed.
        form: How it is written.
        size: Bytes of a piece, about.

    Raises:
        BulkFileError: A record has no end.
    """
    rest = b""
    while piece := stream.read(size):
        data = rest + piece
        end = _end(data, form)
        rest = data[end:]
        if end:
            yield data[:end]
        elif len(rest) > _LONGEST:
            raise BulkFileError(
                "A record of the file has no end: a quotation mark opens and doesn't close.",
                hint="Correct the file; each quotation mark within a field is written twice.",
            )
    if rest:
        yield rest


def split(data: bytes, form: FileFormat) -> list[bytes]:
    """Cut a piece of whole records into its records, each with its end."""
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    return list(_joined(lines)) if form is FileFormat.CSV and b'"' in data else lines


def cells(records: Sequence[bytes], form: FileFormat, columns: Sequence[str]) -> Sequence[Sequence[str]]:
    """
    Read records as texts, in the order of the columns; what can't be read is a row without any.

    Args:
        records: One by one.
        form: How they are written.
        columns: Those of the file.
    """
    if form is FileFormat.CSV:
        return [_cells(record) for record in records]
    return [_members(record, columns) for record in records]


def header(line: bytes) -> Sequence[str]:
    """
    Read the names of the columns.

    Raises:
        BulkFileError: It isn't UTF-8, so the rest is none either.
    """
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise BulkFileError(
            "The header of the file is not UTF-8.", hint="Bring the file into UTF-8 first, with iconv."
        ) from exc
    return next(csv.reader(io.StringIO(text)), [])


def _end(data: bytes, form: FileFormat) -> int:
    """Return where the last whole record ends. Within quotes, of which there is an odd number, none does."""
    end = data.rfind(b"\n") + 1
    if form is not FileFormat.CSV:
        return end
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end


def _joined(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Put lines together of which one began within the quotes of the one before."""
    held: list[bytes] = []
    is_open = False
    for line in lines:
        held.append(line)
        is_open ^= bool(line.count(b'"') % 2)
        if not is_open:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)


def _members(record: bytes, columns: Sequence[str]) -> Sequence[str]:
    try:
        found = json.loads(record)
    except ValueError:
        return []
    if not isinstance(found, dict):
        return []
    return [_text(found.get(name)) for name in columns]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _cells(record: bytes) -> Sequence[str]:
    try:
        return next(csv.reader(io.StringIO(record.decode(), newline="")), [])
    except (UnicodeDecodeError, csv.Error):
        return []
