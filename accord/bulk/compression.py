"""How files are compressed: by what their names end with."""

from __future__ import annotations

import enum
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import BinaryIO, cast

from accord import extras

BROKEN = (OSError, EOFError, zlib.error)
"""What reading a file raises that is cut short, or is none of these."""
_LEVEL = 4
"""Of gzip: half the time of its usual level, and files that are a tenth longer."""


class Compression(enum.StrEnum):
    """A way to compress."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends with."""
        return {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}[self]


def of(path: Path) -> Compression:
    """Return how a file is compressed, by its name."""
    return next((one for one in Compression if one.suffix and path.suffix == one.suffix), Compression.NONE)


@contextmanager
def compressing(out: BinaryIO, how: Compression) -> Iterator[BinaryIO]:
    """Yield what compresses into a file; the same bytes give the same file."""
    if how is Compression.NONE:
        yield out
        return
    if how is Compression.ZSTD:
        with _zstd().compressing(out) as stream:
            yield stream
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=_LEVEL, mtime=0) as packed:
        yield cast("BinaryIO", packed)


@contextmanager
def opened(path: Path, how: Compression) -> Iterator[BinaryIO]:
    """Open a file for reading, uncompressed."""
    if how is Compression.NONE:
        with path.open("rb") as plain:
            yield plain
        return
    if how is Compression.ZSTD:
        with _zstd().opened(path) as stream:
            yield stream
        return
    with gzip.open(path, "rb") as packed:
        yield cast("BinaryIO", packed)


def _zstd() -> ModuleType:
    """
    Load what compresses by zstd.

    Raises:
        ConfigurationError: It isn't installed.
    """
    extras.require("accord.bulk.arrow.zstd", "Compression by zstd")
    from accord.bulk.arrow import zstd

    return zstd
