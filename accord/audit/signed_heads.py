"""
Signed heads of the audit trail, kept outside of the database that holds it.

A chain of hashes shows what was changed inside of it, but not that its end was cut off or that
all of it was written anew. A head that was signed and carried away shows both: whoever rules
the database has neither the key nor the file.

One line is appended after each commit that recorded events. A kill between the two loses that
line only; the next one covers the same events.

Developers drop a database and make it again at the same address. In their environment the first event of
a trail is therefore preceded by a line of its own, behind which the heads of the former one don't count;
in any other environment such a trail is one whose end was cut off.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from accord import conf
from accord.audit.chain import GENESIS
from accord.errors import AuditError, SignatureError
from accord.models import AuditCheckpoint, AuditEvent
from accord.secrets import signing

logger = logging.getLogger(__name__)

PURPOSE = "accord.audit.head/1"
MOVE = "Let ACCORD['AUDIT_CHECKPOINTS'] name a file that this user may write, on a disk that stays."
"""What to do where the file can't be written."""
_REMADE = frozenset({"development", "test"})
"""Environments whose databases are thrown away and made again."""
_ROTATE_AT = 1024 * 1024
_REOPEN_AT_MOST = 100
_SYNC_EVERY = 1.0  # seconds: a power cut costs the lines of a second, a kill none
_synced: dict[Path, float] = {}
_told: set[Path] = set()
"""Files of which this process has said that they can't be written."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """
    A signed head.

    Attributes:
        database: Which database's trail; :func:`database_id`.
        size: Number of its last event.
        hash: That event's hash.
        signature: Over these three.
        source: Where it was read: `file` or `table`.
    """

    database: str
    size: int
    hash: str
    signature: str
    source: str

    def payload(self) -> bytes:
        """Return the bytes that are signed."""
        return _payload(self.database, self.size, self.hash)


def note(alias: str, size: int, digest: str, *, begins: bool = False) -> None:
    """
    Sign a head and append it to the file; what an audited commit does last.

    What was recorded stands, whether this succeeds or not: a file that can't be written is logged, once
    until it can be again.

    Args:
        alias: Database of the trail.
        size: Number of the last event.
        digest: Its hash.
        begins: Whether the trail's first event is among those that were recorded.
    """
    try:
        if begins and conf.load().environment in _REMADE:
            _append(_signed(alias, 0, GENESIS, "file"), sync=False)
        _append(_signed(alias, size, digest, "file"), sync=False)
        _told.discard(location())
    except OSError as exc:
        if location() not in _told:
            _told.add(location())
            logger.error(  # noqa: TRY400 - what it was doing when the file could not be written helps nobody
                "From audit event %d on heads can't be written to the file of signed heads: %s. %s",
                size,
                exc.strerror,
                MOVE,
            )


def obstacle() -> str:
    """Return why heads can't be written; empty where they can. Nothing is written."""
    path = location()
    if path.is_dir():
        return os.strerror(errno.EISDIR)
    there = next(found for found in (path, *path.parents) if found.exists())
    try:
        # The rights alone don't tell of a file system that is mounted read-only.
        read_only = os.statvfs(there).f_flag & os.ST_RDONLY
    except OSError as exc:
        return exc.strerror or "unknown"
    if read_only:
        return os.strerror(errno.EROFS)
    wanted = os.W_OK | (os.X_OK if there.is_dir() else os.R_OK)
    return "" if os.access(there, wanted) else os.strerror(errno.EACCES)


def take(alias: str) -> Head | None:
    """
    Sign the head that there is now, write it into the table and durably to the file.

    Args:
        alias: Database of the trail.

    Returns:
        None for an empty trail.

    Raises:
        OSError: The file can't be written.
    """
    last = AuditEvent.objects.using(alias).order_by("-seq").values_list("seq", "hash").first()
    if last is None:
        return None
    head = _signed(alias, *last, "table")
    row = AuditCheckpoint(size=head.size, hash=head.hash, signature=head.signature)
    AuditCheckpoint.objects.using(alias).bulk_create([row], ignore_conflicts=True)
    _append(head, sync=True)
    return head


def heads(alias: str) -> Iterator[Head]:
    """
    Yield every head that the file and the table hold for a database, unchecked.

    Args:
        alias: Database of the trail.

    Raises:
        AuditError: The file is there and can't be read.
    """
    database = database_id(alias)
    yield from _of_this_trail(head for head in _in_files(location()) if head.database == database)
    rows = AuditCheckpoint.objects.using(alias).values_list("size", "hash", "signature")
    for size, digest, signature in rows:
        yield Head(database=database, size=size, hash=digest, signature=signature, source="table")


def is_signed(head: Head) -> bool:
    """Return whether we signed a head."""
    try:
        return signing.verify(head.payload(), head.signature, purpose=PURPOSE) == "self"
    except SignatureError:
        return False


def _of_this_trail(found: Iterable[Head]) -> Iterable[Head]:
    """Leave out the heads of a trail that was thrown away with its database."""
    kept: list[Head] = []
    for head in found:
        if head.size:
            kept.append(head)
        elif is_signed(head):
            kept.clear()
    return kept


def location() -> Path:
    """Return the file that heads are appended to."""
    return conf.base_dir() / conf.load().audit_checkpoints


def database_id(alias: str) -> str:
    """Identify a database by its address in the settings, which no role inside it can change."""
    settings = connections[alias].settings_dict
    address = "\n".join(str(settings.get(name) or "") for name in ("HOST", "PORT", "NAME"))
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _signed(alias: str, size: int, digest: str, source: str) -> Head:
    database = database_id(alias)
    signature = signing.sign(_payload(database, size, digest), purpose=PURPOSE)
    return Head(database=database, size=size, hash=digest, signature=signature, source=source)


def _payload(database: str, size: int, digest: str) -> bytes:
    return f"{database}:{size}:{digest}".encode()


def _append(head: Head, *, sync: bool) -> None:
    """Add one line by one write, so that neither a kill nor a rival leaves half of one between others."""
    path = location()
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(
        {"database": head.database, "size": head.size, "hash": head.hash, "signature": head.signature}
    )
    with _locked(path) as descriptor:
        os.write(descriptor, _separator(descriptor) + line.encode() + b"\n")
        full = os.fstat(descriptor).st_size > _ROTATE_AT
        _sync(path, descriptor, now=sync or full)
        if full:
            path.replace(_rotated(path))


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


def _in_files(path: Path) -> Iterator[Head]:
    with ExitStack() as stack:
        # The newer one is opened first: a rotation in between shows lines twice, and hides none.
        newer, older = [stack.enter_context(_reading(each)) for each in (path, _rotated(path))]
        yield from _parsed(older)
        yield from _parsed(newer)


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


def _parsed(lines: Iterable[str]) -> Iterator[Head]:
    """Read heads; a line that is none is passed over, as a full disk may leave one."""
    for line in lines:
        try:
            yield Head(**{**json.loads(line), "source": "file"})
        except (ValueError, TypeError):
            continue
