"""A copy held against its source: what isn't there, and what is there of no row."""

from __future__ import annotations

import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from accord.bulk.fitting import Fitted, columns_named
from accord.bulk.records import rows, split
from accord.errors import Interrupted, UsageError
from accord.seam.bulk import FileFormat, Mirroring

_SLICE = 50_000
_FORM = FileFormat.JSONL


@dataclass(frozen=True, kw_only=True)
class Compared:
    """
    What was found.

    Attributes:
        rows: Rows of the source.
        documents: Documents of the target, before any was deleted.
        missing: Rows without a document.
        extra: Documents of no row that are left.
        deleted: Documents of no row that were deleted.
    """

    rows: int
    documents: int
    missing: int
    extra: int
    deleted: int


def compare(fitted: Fitted, *, delete: bool, stop: Callable[[], bool]) -> Compared:
    """
    Read the keys of both sides, the source's first, and hold them against each other.

    Args:
        fitted: The copy.
        delete: Whether documents of no row are deleted.
        stop: Asked now and then; true ends it.

    Raises:
        UsageError: All would be deleted, for the source has no rows.
        Interrupted: It was asked to stop.
    """
    # A file of digests that SQLite deletes itself: keys need not fit into memory, and none is written down.
    with closing(sqlite3.connect("")) as known, fitted.writing() as target:
        known.execute("CREATE TABLE keys (digest BLOB PRIMARY KEY) WITHOUT ROWID")
        count = 0
        for keys in _keys_of_source(fitted):
            _refuse_to_go_on(stop)
            known.executemany("INSERT OR IGNORE INTO keys VALUES (?)", _digests(target, keys))
            count += len(keys)
        if delete and not count:
            raise UsageError(
                f"{fitted.copy.source.name} has no rows to copy, so all of {fitted.copy.target.name} "
                "would be deleted. Nothing was.",
                hint="Is it the right database, and the right query? Else empty the target by hand.",
            )
        return _walk(known, target, count, delete=delete, stop=stop)


def _walk(
    known: sqlite3.Connection, target: Mirroring, rows: int, *, delete: bool, stop: Callable[[], bool]
) -> Compared:
    documents, extra, deleted = 0, 0, 0
    for page in target.ids():
        _refuse_to_go_on(stop)
        strange = [
            key for key, digest in zip(page, _digests(target, page), strict=True) if not _has(known, digest)
        ]
        documents, extra = documents + len(page), extra + len(strange)
        deleted += target.remove(strange) if delete and strange else 0
    return Compared(
        rows=rows,
        documents=documents,
        missing=rows - (documents - extra),
        extra=extra - deleted,
        deleted=deleted,
    )


def _keys_of_source(fitted: Fitted) -> Iterator[Sequence[Any]]:
    key = columns_named(fitted, fitted.maker.key)
    with fitted.source.reading(replace(fitted.selection, columns=key), _FORM) as reading:
        for one in reading.slices(_SLICE):
            out = io.BytesIO()
            reading.read(one, out)
            yield [fitted.maker.key_of(row) for row in rows(split(out.getvalue(), _FORM), _FORM, ())]


def _digests(target: Mirroring, keys: Sequence[Any]) -> Iterator[tuple[bytes]]:
    for key in keys:
        yield (hashlib.blake2b(target.text_of(key).encode(errors="surrogatepass"), digest_size=16).digest(),)


def _has(known: sqlite3.Connection, digest: tuple[bytes]) -> bool:
    return known.execute("SELECT 1 FROM keys WHERE digest = ?", digest).fetchone() is not None


def _refuse_to_go_on(stop: Callable[[], bool]) -> None:
    if stop():
        raise Interrupted(
            "The copy is there; holding it against its source was ended.", hint="Run the same command again."
        )
