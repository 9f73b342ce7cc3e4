"""
Where signed heads are kept: a file, and whatever else `ACCORD["AUDIT_HEADS"]` names.

A place takes one line after each commit and gives all of its lines back. A file is appended to under a
lock; a program gets the line on standard input (`append`), or prints all of them (`read`): so heads go to
an object store, another machine, a log that is only ever added to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from accord import conf
from accord.errors import AuditError, ConfigurationError

MOVE = "Let ACCORD['AUDIT_CHECKPOINTS'] name a file that this user may write, on a disk that stays."
"""What to do where the file can't be written."""
PROGRAM_SECONDS = 10.0
"""How long a program may take for a line, and for all of them."""
_ROTATE_AT = 1024 * 1024
_REOPEN_AT_MOST = 100
_SYNC_EVERY = 1.0  # seconds: a power cut costs the lines of a second, a kill none
_synced: dict[Path, float] = {}


class Place(Protocol):
    """Somewhere outside of the database that keeps lines."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    def append(self, line: str, *, sync: bool) -> None:
        """Add a line; raises OSError where that can't be done."""

    def lines(self) -> Iterable[str]:
        """Give every line, the oldest first; raises AuditError where they can't be read."""

    def obstacle(self) -> str:
        """Say why no line can be added, without adding one; empty where one can."""


def configured() -> Sequence[Place]:
    """
    Return every place that heads go to: the file of `AUDIT_CHECKPOINTS`, then those of `AUDIT_HEADS`.

    Raises:
        ConfigurationError: An entry is neither a path nor a program.
    """
    settings = conf.load()
    return [File(conf.base_dir() / settings.audit_checkpoints), *map(_place, settings.audit_heads)]


def _place(entry: object) -> Place:
    if isinstance(entry, str) and entry:
        return File(conf.base_dir() / entry)
    command = entry.get("COMMAND") if isinstance(entry, Mapping) and set(entry) == {"COMMAND"} else None
    if isinstance(command, list | tuple) and command and all(isinstance(word, str) for word in command):
        return Program(tuple(command))
    raise ConfigurationError(
        "An entry of ACCORD['AUDIT_HEADS'] is neither the path of a file nor a program.",
        hint='Write "/mnt/heads.jsonl" or {"COMMAND": ["keep-heads", "--bucket", "audit"]}.',
    )


@dataclass(frozen=True)
class File:
    """
    A file that lines are appended to; a long one is turned over once, to the same name with `.1`.

    Attributes:
        path: Where it is.
    """

    path: Path

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"the file {self.path.name}"

    def append(self, line: str, *, sync: bool) -> None:
        """Add one line by one write, so that neither a kill nor a rival leaves half of one between others."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path) as descriptor:
            os.write(descriptor, _separator(descriptor) + line.encode() + b"\n")
            full = os.fstat(descriptor).st_size > _ROTATE_AT
            _sync(self.path, descriptor, now=sync or full)
            if full:
                self.path.replace(_rotated(self.path))

    def lines(self) -> Iterator[str]:
        """Give the lines of the file and of the one before it."""
        with ExitStack() as stack:
            # The newer one is opened first: a rotation in between shows lines twice, and hides none.
            newer, older = [stack.enter_context(_reading(each)) for each in (self.path, _rotated(self.path))]
            yield from older
            yield from newer

    def obstacle(self) -> str:
        """Say why no line can be added."""
        if self.path.is_dir():
            return os.strerror(errno.EISDIR)
        there = next(found for found in (self.path, *self.path.parents) if found.exists())
        try:
            # The rights alone don't tell of a file system that is mounted read-only.
            read_only = os.statvfs(there).f_flag & os.ST_RDONLY
        except OSError as exc:
            return exc.strerror or "unknown"
        if read_only:
            return os.strerror(errno.EROFS)
        wanted = os.W_OK | (os.X_OK if there.is_dir() else os.R_OK)
        return "" if os.access(there, wanted) else os.strerror(errno.EACCES)


@dataclass(frozen=True)
class Program:
    """
    A program that keeps lines wherever it likes.

    Attributes:
        command: Its words; `append` or `read` comes after them.
    """

    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called in messages: no further words of it, which may be secret."""
        return f"the program {Path(self.command[0]).name}"

    def append(self, line: str, *, sync: bool) -> None:
        """Hand a line to the program."""
        self._run("append", f"{line}\n")

    def lines(self) -> Iterable[str]:
        """Ask the program for every line."""
        try:
            return self._run("read", "").splitlines()
        except OSError as exc:
            raise AuditError(
                f"Signed heads can't be read from {self.name}: {exc.strerror}.",
                hint="Run it by hand with “read” as its last word; it has to print every line.",
            ) from exc

    def obstacle(self) -> str:
        """Say why the program can't be started."""
        return "" if shutil.which(self.command[0]) else os.strerror(errno.ENOENT)

    def _run(self, word: str, given: str) -> str:
        try:
            done = subprocess.run(
                [*self.command, word],
                input=given, capture_output=True, text=True, check=True, timeout=PROGRAM_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired as exc:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from exc
        except subprocess.CalledProcessError as exc:
            raise OSError(errno.EIO, f"exit code {exc.returncode}") from exc
        return done.stdout


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """
    Open the file and hold its lock; afterwards the descriptor and the path mean one file.

    The lock belongs to the file that was opened, rotation to the path: a rival may have rotated
    while we waited. Whoever rotated that again would throw away the heads of a whole file.
    """
    for _ in range(_REOPEN_AT_MOST):
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_at(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)
    raise OSError(errno.EBUSY, "The file of signed heads was replaced again and again", str(path))


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def _separator(descriptor: int) -> bytes:
    """Return the line break needed after a line that a full disk cut off."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _sync(path: Path, descriptor: int, *, now: bool) -> None:
    if now or time.monotonic() - _synced.get(path, -_SYNC_EVERY) >= _SYNC_EVERY:
        os.fsync(descriptor)
        _synced[path] = time.monotonic()


def _rotated(path: Path) -> Path:
    return path.with_name(path.name + ".1")


@contextmanager
def _reading(path: Path) -> Iterator[Iterable[str]]:
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        yield ()
        return
    except OSError as exc:
        raise AuditError(
            f"The file of signed heads can't be read: {exc.strerror}.",
            hint="Let ACCORD['AUDIT_CHECKPOINTS'] name a file that this user may read and write.",
        ) from exc
    with file:
        yield file
