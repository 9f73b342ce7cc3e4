"""
The file of the register: one entry a line, only ever added to, durable before anything relies on it.

Whoever writes holds the lock of a file beside it, which is never replaced. A line that a kill or a full disk
cut off was never relied on: whoever writes next takes it away, and says so in the log.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from accord.durable import sync_folder
from accord.wording import say
from gdpr.errors import RegisterUnavailable
from gdpr.register.entries import EntryDraft, RegisterEntry
from gdpr.register.place import Chosen, Register, bared

logger = logging.getLogger(__name__)

_BLOCK = 64 * 1024


@dataclass(frozen=True)
class RegisterFile(Register):
    """
    A register at its place.

    Args:
        path: The file; it need not be there yet.
    """

    path: Path

    # --- reading -----------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """Where it is, in messages."""
        return str(self.path)

    @property
    def checked(self) -> Path:
        """Where a check leaves what it found."""
        return self.path.with_name(self.path.name + ".checked")

    def lines(self) -> Generator[bytes]:
        """Yield every line that has an end, the oldest first. See :class:`Register`."""
        with self._told("read"):
            if self.path.exists():
                with self.path.open("rb") as file:
                    yield from (line for line in file if line.endswith(b"\n"))

    def lines_backwards(self) -> Generator[bytes]:
        """Yield every line that has an end, the newest first. See :class:`Register`."""
        with self._told("read"):
            if self.path.exists():
                yield from _lines_backwards(self.path)

    def note(self) -> str:
        """Return what a check left beside the file. See :class:`Register`."""
        try:
            return self.checked.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def obstacle(self) -> str:
        """Say why it can't be written. See :class:`Register`."""
        return obstacle(self.path)

    def unguarded(self) -> str:
        """Say nothing: whoever may write a file may write anything into it."""
        return ""

    # --- writing -----------------------------------------------------------------------------

    def append(self, drafts: Sequence[EntryDraft], *, beginning: EntryDraft) -> Sequence[RegisterEntry]:
        """Add entries by one write, and return when they are on the disk. See :class:`Register`."""
        with self._told("written"), self._locked():
            new = not self.path.exists()
            descriptor = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._mend(descriptor)
                made = self.following(self.last(), drafts, beginning)
                _write(descriptor, b"".join(entry.line() for entry in made))
            finally:
                os.close(descriptor)
            if new:
                sync_folder(self.path.parent)
        return made[-len(drafts) :]

    def destroy_secrets(self, chosen: Chosen) -> int:
        """Write the file anew without the secrets of some entries. See :class:`Register`."""
        with self._told("written"), self._locked():
            doomed = sum(1 for entry in self.entries() if entry.draft.secrets and chosen(entry))
            if doomed:
                self._replace(_bared(entry, chosen) for entry in self.entries())
        return doomed

    def set_aside(self, name: str = "") -> str:
        """Give the file another name, and return that. See :class:`Register`."""
        aside = self.path.with_name(f"{self.path.name}.{name or 'former'}")
        with self._told("written"), self._locked():
            if not self.path.exists():
                return ""
            self.path.replace(aside)
        return str(aside)

    def leave_note(self, text: str) -> None:
        """Leave what a check found, where this user may. See :class:`Register`."""
        with suppress(OSError):
            # One that a kill or another writer cut into has no signature of ours, and is passed over.
            self.checked.write_text(text, encoding="utf-8")

    def _replace(self, lines: Iterable[bytes]) -> None:
        draft = self.path.with_name(self.path.name + ".new")
        descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(descriptor)
        draft.replace(self.path)
        sync_folder(self.path.parent)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(self.path.name + ".lock")
        descriptor = os.open(beside, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _mend(self, descriptor: int) -> None:
        """Take away a last line without an end; the lock is held, so nobody is writing it."""
        size = os.fstat(descriptor).st_size
        if not size or os.pread(descriptor, 1, size - 1) == b"\n":
            return
        whole = _end_of_last_line(descriptor, size)
        logger.warning(
            "The register of erasures ended in the middle of a line, which nothing had relied on: "
            "%d bytes were taken away",
            size - whole,
        )
        os.ftruncate(descriptor, whole)

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise RegisterUnavailable(
                say(
                    "The register of erasures can't be read: {strerror}: {path}."
                    if done == "read"
                    else "The register of erasures can't be written: {strerror}: {path}.",
                    strerror=exc.strerror,
                    path=self.path,
                ),
                hint="Let ACCORD['ERASURE_REGISTER'] name a file that this user may read and write, and "
                "that no restore of a store takes back.",
            ) from exc


def obstacle(path: Path) -> str:
    """Return why a register can't be written at a place; empty where it can. Nothing is written."""
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    folder = next(found for found in path.parents if found.exists())
    wanted = [(folder, os.W_OK | os.X_OK), *([(path, os.W_OK | os.R_OK)] if path.exists() else [])]
    return "" if all(os.access(one, rights) for one, rights in wanted) else os.strerror(errno.EACCES)


def _bared(entry: RegisterEntry, chosen: Chosen) -> bytes:
    return bared(entry) if entry.draft.secrets and chosen(entry) else entry.line()


def _write(descriptor: int, content: bytes) -> None:
    """Write everything durably, or nothing."""
    size = os.fstat(descriptor).st_size
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _end_of_last_line(descriptor: int, size: int) -> int:
    """Return where the last whole line ends; 0 where there is none."""
    position = size
    while position:
        start = max(position - _BLOCK, 0)
        found = os.pread(descriptor, position - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


def _lines_backwards(path: Path) -> Iterator[bytes]:
    """Yield whole lines, the newest first."""
    with path.open("rb") as file:
        position = _end_of_last_line(file.fileno(), file.seek(0, os.SEEK_END))
        rest = b""
        while position:
            start = max(position - _BLOCK, 0)
            file.seek(start)
            rest, *lines = (file.read(position - start) + rest).split(b"\n")
            position = start
            yield from filter(None, reversed(lines))
        if rest:
            yield rest
