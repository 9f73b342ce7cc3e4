"""Compressing by zstd."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa


@contextmanager
def compressing(out: BinaryIO) -> Iterator[BinaryIO]:
    """Yield what compresses into a file."""
    with pa.CompressedOutputStream(pa.PythonFile(out, mode="w"), "zstd") as packed:
        yield cast("BinaryIO", packed)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, uncompressed."""
    # It reads no lines by itself.
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as packed:
        yield cast("BinaryIO", io.BufferedReader(packed, 1 << 20))
