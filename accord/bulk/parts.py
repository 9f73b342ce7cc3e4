"""Files of an export: each under its own name only when the disk has all of it, with its SHA-256."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from accord.bulk.compression import Compression, compressing
from accord.bulk.errors import BulkFileError
from accord.bulk.manifest import Part
from accord.durable import sync_folder

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PIECE = 1 << 20
_OWNER_ONLY = 0o600
_UNFINISHED = ".unfinished"


class _Hashing(io.RawIOBase):
    """Counts and hashes what is written to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        piece = memoryview(data).cast("B")
        self.hash.update(piece)
        self.length += len(piece)
        done = 0
        while done < len(piece):
            done += self._file.write(piece[done:])
        return len(piece)


def write_part(path: Path, how: Compression, fill: Callable[[BinaryIO], int], snapshot: str = "") -> Part:
    """
    Write a file under another name, wait for the disk, and give it its own name.

    Args:
        path: The file; one that is there is replaced.
        how: How it is compressed.
        fill: Writes what is in it, and returns how many rows that are.
        snapshot: The moment of the store that it shows.

    Raises:
        BulkFileError: The disk is full, or doesn't let us write.
    """
    unfinished = path.with_name(f"{path.name}{_UNFINISHED}")
    with _told(unfinished), _new(unfinished) as file:
        raw = _Hashing(file)
        # The server's rows come one by one: they are put together before anything else sees them.
        with io.BufferedWriter(raw, _PIECE) as buffer, compressing(cast("BinaryIO", buffer), how) as out:
            rows = _filled(fill, out, how)
        file.flush()
        os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(path.parent)
    return Part(file=path.name, rows=rows, bytes=raw.length, sha256=raw.hash.hexdigest(), snapshot=snapshot)


def _filled(fill: Callable[[BinaryIO], int], out: BinaryIO, how: Compression) -> int:
    if how is Compression.NONE:
        return fill(out)
    packing = io.BufferedWriter(cast("io.RawIOBase", out), _PIECE)
    rows = fill(cast("BinaryIO", packing))
    packing.flush()
    packing.detach()
    return rows


def write_text(path: Path, text: str) -> None:
    """
    Write a text so that after a power cut it is there whole, or what was there before.

    Raises:
        BulkFileError: The disk is full, or doesn't let us write.
    """
    write_part(path, Compression.NONE, lambda out: out.write(text.encode()))


def digest_of(path: Path) -> tuple[int, str]:
    """Return the length of a file and its SHA-256."""
    with path.open("rb", buffering=0) as file:
        found = hashlib.file_digest(file, "sha256")
    return path.stat().st_size, found.hexdigest()


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        yield cast("BinaryIO", file)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say what the disk refuses; a file that isn't whole doesn't stay, for it may hold what is personal."""
    try:
        yield
    except OSError as exc:
        path.unlink(missing_ok=True)
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        hint = (
            "Make room there, then run the same command again." if full else "Correct the path or its rights."
        )
        raise BulkFileError(f"{path.parent} can't be written to: {exc.strerror}.", hint=hint) from exc
    except BaseException:
        path.unlink(missing_ok=True)
        raise
