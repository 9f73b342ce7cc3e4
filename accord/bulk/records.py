"""Cutting files into records: where one ends, without looking into it more than that takes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, BinaryIO

from accord.bulk.errors import BulkFileError
from accord.seam.bulk import FileFormat

BATCH = 8 << 20
"""Bytes of a batch of rows, about."""
SMALLER = 2 << 20
"""Bytes of a batch whose records become objects here, one by one."""
_SHORTEST = 5
"""Bytes of an empty document."""
_LONGEST = 256 << 20
"""Bytes of a record, at most: quotes that never close would bring the whole file into memory."""
_DIGITS = 4000
"""Digits of a number that is read as one, at most."""
_CELL = re.compile(r'(?:[^",\r\n]++|"(?:[^"]++|"")*+")*+')
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')


def batches(stream: BinaryIO, form: FileFormat, size: int = 0) -> Iterator[bytes]:
    """
    Read a file in pieces of whole records; where one ends follows from where it begins alone.

    An import that goes on has the same batches as the one that was ended, so that a record without a key gets
    the same one again.

    Args:
        stream: Where it is read from, uncompressed.
        form: How it is written.
        size: Bytes of a piece, about; as many as fit its format by default.

    Raises:
        BulkFileError: A record has no end.
    """
    size = size or (BATCH if form is FileFormat.CSV else SMALLER)
    rest, wanted = b"", size
    while True:
        rest += stream.read(max(wanted - len(rest), 0))
        end = _end(rest[:wanted], form)
        if end:
            yield rest[:end]
            rest, wanted = rest[end:], size
        elif len(rest) < wanted:
            break
        elif wanted > _LONGEST:
            raise BulkFileError(
                "A record of the file has no end: a quotation mark opens and doesn't close.",
                hint="Correct the file; each quotation mark within a field is written twice.",
            )
        else:
            wanted += size
    if rest:
        yield rest


def split(data: bytes, form: FileFormat) -> list[bytes]:
    """Cut a piece of whole records into its records, each with its end."""
    if form is FileFormat.BSON:
        return [data[start:end] for start, end in pairwise(_documents(data))]
    *whole, rest = data.split(b"\n")
    lines = [line + b"\n" for line in whole] + ([rest] if rest else [])
    if form is FileFormat.NDJSON:
        return [b"".join(lines[start : start + 2]) for start in range(0, len(lines), 2)]
    return list(_joined(lines)) if form is FileFormat.CSV and b'"' in data else lines


def lines_of(data: bytes, form: FileFormat) -> int:
    """Return how many lines there are in a piece of a file; documents of BSON are counted in their place."""
    return len(_documents(data)) - 1 if form is FileFormat.BSON else data.count(b"\n")


def rows(records: Sequence[bytes], form: FileFormat, columns: Sequence[str]) -> list[Mapping[str, Any]]:
    """
    Read records as rows of texts; one that the server refuses, too, is empty.

    Args:
        records: Of CSV or JSON Lines, one by one.
        form: Which of them.
        columns: Those of the file.

    Raises:
        BulkFileError: What the server would make of one can't be told, so neither can whose it is.
    """
    if form is FileFormat.CSV:
        return [dict(zip(columns, _cells(record), strict=False)) for record in records]
    return [_object(record) for record in records]


def header(line: bytes) -> Sequence[str]:
    """
    Read the names of the columns.

    Raises:
        BulkFileError: It isn't UTF-8, so the rest is none either; or no line of a table.
    """
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise BulkFileError(
            "The header of the file is not UTF-8.", hint="Bring the file into UTF-8 first, with iconv."
        ) from exc
    try:
        return next(csv.reader(io.StringIO(text)), [])
    except csv.Error as exc:
        raise BulkFileError(
            f"The header of the file can't be read: {exc}.", hint="Let the first line name the columns."
        ) from exc


def _end(data: bytes, form: FileFormat) -> int:
    """Return where the last whole record ends. Within quotes, of which there is an odd number, none does."""
    if form is FileFormat.BSON:
        return _documents(data)[-1]
    end = data.rfind(b"\n") + 1
    if form is FileFormat.NDJSON and data.count(b"\n") % 2:
        return data.rfind(b"\n", 0, end - 1) + 1
    if form is not FileFormat.CSV:
        return end
    quotes = data.count(b'"', 0, end)
    while end and quotes % 2:
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end


def _documents(data: bytes) -> list[int]:
    """
    Return where documents of BSON begin, and where the last whole one ends: each says how long it is.

    Raises:
        BulkFileError: There is something else between them.
    """
    cuts, end = [0], 0
    while end + _SHORTEST <= len(data):
        length = int.from_bytes(data[end : end + 4], "little")
        if length < _SHORTEST or (end + length <= len(data) and data[end + length - 1]):
            raise BulkFileError("The file holds something that is no BSON.", hint="Export it again.")
        end += length
        if end > len(data):
            break
        cuts.append(end)
    return cuts


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


def _object(record: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(record, parse_int=_whole)
    except ValueError:
        return {}
    except RecursionError as exc:
        raise _untold("lists and objects lie too deep within each other") from exc
    return found if isinstance(found, dict) else {}


def _whole(digits: str) -> int | str:
    """Read a number; Python reads none of thousands of digits, and the server does."""
    return int(digits) if len(digits) <= _DIGITS else digits


def _cells(record: bytes) -> Sequence[str]:
    """Read a row as COPY does: quotes may open anywhere in a field, and a field may be of any length."""
    try:
        row = record.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return []
    cells, at = list[str](), 0
    while (found := _CELL.match(row, at)) is not None:
        cells.append(_QUOTED.sub(lambda part: part[1].replace('""', '"'), found[0]))
        if found.end() == len(row):
            return cells
        if row[found.end()] in "\r\n":
            raise _untold("a line ends within a row, outside of quotes")
        if row[found.end()] == '"':
            return []
        at = found.end() + 1
    return []


def _untold(why: str) -> BulkFileError:
    return BulkFileError(
        f"A record of the file can't be read as the server would: {why}. So nobody can tell whose it is.",
        hint="Write the file again, with lines that end with a line feed; or leave that record out.",
    )
