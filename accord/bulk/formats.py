"""Formats that no store writes itself: made of one that it does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

from accord import extras
from accord.bulk import compression
from accord.bulk.compression import Compression
from accord.errors import UsageError
from accord.seam.bulk import Column, FileFormat


def of_store(form: FileFormat) -> FileFormat:
    """Return the format that a store writes and reads where files are in this one."""
    return FileFormat.CSV if form is FileFormat.PARQUET else form


def chosen(form: FileFormat | None, offered: Collection[FileFormat], how: Compression) -> FileFormat:
    """
    Return the format of an export: the store's own, unless one is named.

    Raises:
        UsageError: The store doesn't write it, or it compresses itself.
        ConfigurationError: What makes it isn't installed.
    """
    found = form or next(iter(offered))
    if of_store(found) not in offered:
        raise UsageError(
            f"This store doesn't write {found}.", hint=f"It writes {', '.join(offered)}: --files."
        )
    if found is FileFormat.PARQUET:
        _parquet()
        if how is not Compression.NONE:
            raise UsageError("Parquet compresses itself.", hint="Leave --compress out.")
    return found


def filling(
    read: Callable[[BinaryIO], int], form: FileFormat, columns: Sequence[Column], folder: Path
) -> Callable[[BinaryIO], int]:
    """
    Return what writes a file of a format.

    Args:
        read: Writes what the store gives, and returns how many rows that are.
        form: The format.
        columns: Those of the file.
        folder: For what has to be on the disk meanwhile; nobody else ever sees a name of it.
    """
    if form is not FileFormat.PARQUET:
        return read

    def fill(out: BinaryIO) -> int:
        with tempfile.TemporaryFile(dir=folder) as plain:
            rows = read(cast("BinaryIO", plain))
            plain.seek(0)
            _parquet().write(plain, out, columns)
        return rows

    return fill


@contextmanager
def opened(path: Path, form: FileFormat, how: Compression) -> Iterator[BinaryIO]:
    """Open a file for reading, in the format that a store reads."""
    if form is FileFormat.PARQUET:
        with _parquet().opened(path) as rows:
            yield rows
        return
    with compression.opened(path, how) as stream:
        yield stream


def _parquet() -> ModuleType:
    extras.require("accord.bulk.arrow.parquet", "Parquet")
    from accord.bulk.arrow import parquet

    return parquet
