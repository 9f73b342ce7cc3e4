"""How files are compressed: by what their names end with."""

from __future__ import annotations

import enum
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

_LEVEL = 4
"""Of gzip: half the time of its usual level, and files that are a tenth longer."""


class Compression(enum.StrEnum):
    """A way to compress."""

    NONE = "none"
    GZIP = "gzip"

    @property
    def suffix(self) -> str:
        """What the name of such a file ends with."""
        return {Compression.NONE: "", Compression.GZIP: ".gz"}[self]


def of(path: Path) -> Compression:
    """Return how a file is compressed, by its name."""
    return next((one for one in Compression if one.suffix and path.suffix == one.suffix), Compression.NONE)


@contextmanager
def compressing(out: BinaryIO, how: Compression) -> Iterator[BinaryIO]:
    """Yield what compresses into a file; the same bytes give the same file."""
    if how is Compression.NONE:
        yield out
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
    with gzip.open(path, "rb") as packed:
        yield cast("BinaryIO", packed)
