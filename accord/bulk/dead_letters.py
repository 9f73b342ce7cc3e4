"""Dead letters: the rows that a store refused, each with its place, the reason and itself."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accord.bulk.errors import BulkFileError, ImportUnderWay

_OWNER_ONLY = 0o600
_HOW = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""No link is followed: whoever may write to the folder could have another file written over."""
_BEGINS = b'{"file": '


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

    def go_back(self, length: int) -> None:
        """
        Cut off what a batch left that never counted.

        Args:
            length: How long the file was when the last batch counted.

        Raises:
            BulkFileError: It is shorter than that.
        """
        if self.file.seek(0, os.SEEK_END) < length:
            raise BulkFileError(
                f"{self.path} is shorter than it was: dead letters of this import are gone.",
                hint="Name the file that they are in with --dead-letters.",
            )
        self.file.truncate(length)
        self.file.seek(length)

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
def opened(path: Path) -> Iterator[DeadLetters]:
    """
    Open the file and hold it for this process.

    Args:
        path: Where it is; one is made where there is none. Only its owner may read it.

    Raises:
        BulkFileError: It can't be opened, or holds something else.
        ImportUnderWay: Another process writes dead letters to it.
    """
    descriptor = _held(path)
    with os.fdopen(descriptor, "r+b") as file:
        _refuse_other(path, file)
        yield DeadLetters(path, file)
        if os.fstat(file.fileno()).st_size == 0:
            path.unlink(missing_ok=True)


def _held(path: Path) -> int:
    """Open it and hold it; one that its last holder took away meanwhile is made anew."""
    while True:
        try:
            descriptor = os.open(path, _HOW, _OWNER_ONLY)
        except OSError as exc:
            raise _unwritable(path, exc) from exc
        try:
            _hold(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _hold(path: Path, descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise BulkFileError(f"{path} is no file.", hint="Name a file with --dead-letters.")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(descriptor, _OWNER_ONLY)
    except BlockingIOError as exc:
        raise ImportUnderWay(
            f"Another process writes dead letters to {path}.",
            hint="Wait until it has ended, then run the same command again.",
        ) from exc
    except OSError as exc:
        raise _unwritable(path, exc) from exc


def _refuse_other(path: Path, file: BinaryIO) -> None:
    """Leave a file alone that no import has made: what is in it would be written over."""
    begins = file.read(len(_BEGINS))
    if not _BEGINS.startswith(begins):
        raise BulkFileError(
            f"{path} holds something else than dead letters. Nothing was written.",
            hint="Name another file with --dead-letters.",
        )


def _unwritable(path: Path, exc: OSError) -> BulkFileError:
    return BulkFileError(
        f"{path} can't be written: {exc.strerror}.",
        hint="Name a file with --dead-letters that can be, or make room.",
    )
