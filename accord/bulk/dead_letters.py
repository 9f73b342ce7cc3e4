"""Dead letters: the rows that a store refused, each with its place, the reason and itself."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accord.bulk.errors import BulkFileError

_OWNER_ONLY = 0o600


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """
    One of them.

    Attributes:
        file: The part that it stands in.
        line: Its first line there, counted from 1.
        reason: In the store's words, which may quote the row.
        record: The row as it stands there.
    """

    file: str
    line: int
    reason: str
    record: bytes

    @property
    def text(self) -> str:
        """One line of JSON."""
        row = self.record.decode(errors="backslashreplace").rstrip("\r\n")
        told = {"file": self.file, "line": self.line, "reason": self.reason, "row": row}
        return f"{json.dumps(told, ensure_ascii=False)}\n"


@dataclass(frozen=True)
class DeadLetters:
    """
    The file of them, held open.

    Attributes:
        path: Where it is.
        file: The file.
    """

    path: Path
    file: BinaryIO

    def write(self, letters: list[DeadLetter]) -> int:
        """
        Add letters, and wait until the disk has them.

        Returns:
            How long the file is.

        Raises:
            BulkFileError: The disk refuses.
        """
        if letters:
            try:
                self.file.write("".join(letter.text for letter in letters).encode(errors="backslashreplace"))
                self.file.flush()
                os.fsync(self.file.fileno())
            except OSError as exc:
                raise _unwritable(self.path, exc) from exc
        return self.file.tell()


@contextmanager
def opened(path: Path, length: int) -> Iterator[DeadLetters]:
    """
    Open the file, and cut off what a batch left there that never counted.

    Args:
        path: Where it is; one is made where there is none. Only its owner may read it.
        length: How long it was when the last batch counted.

    Raises:
        BulkFileError: It can't be opened, or is shorter than that.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
    except OSError as exc:
        raise _unwritable(path, exc) from exc
    with os.fdopen(descriptor, "r+b") as file:
        if file.seek(0, os.SEEK_END) < length:
            raise BulkFileError(
                f"{path} is shorter than it was: dead letters of this import are gone.",
                hint="Name the file that they are in with --dead-letters.",
            )
        file.truncate(length)
        file.seek(length)
        yield DeadLetters(path, file)
    if path.stat().st_size == 0:
        path.unlink()


def _unwritable(path: Path, exc: OSError) -> BulkFileError:
    return BulkFileError(
        f"{path} can't be written: {exc.strerror}.",
        hint="Name a file with --dead-letters that can be, or make room.",
    )
