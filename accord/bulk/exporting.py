"""Exporting: what is selected goes into parts, each whole or not there, and the manifest comes last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from accord import __version__, clock
from accord.acting import Account
from accord.audit.events import Counter
from accord.bulk import formats, recording
from accord.bulk.compression import Compression
from accord.bulk.manifest import Manifest, Part
from accord.bulk.parts import write_part
from accord.bulk.privacy import masked_in, require_permission
from accord.bulk.progress import Folder, Progress, held
from accord.errors import Interrupted, UsageError
from accord.seam.bulk import Column, Exports, FileFormat, Holder, Reading, Selection, Slice
from accord.seam.stores import Store

Told = Callable[[Part], None]
"""Hears of each part that is whole."""


@dataclass(frozen=True, kw_only=True)
class ExportCall:
    """
    What a call asks for.

    Attributes:
        name: The model, table, collection or index.
        columns: Which columns; none for all.
        query: Which rows or documents, in the store's own words.
        form: How the files are written; None for the store's own format.
        compression: How they are compressed.
        rows: How many rows a part holds, about.
        personal: Whether personal columns are in the files.
        resume: Whether the parts of an export that was ended are kept.
        anew: Whether they aren't.
        by: The account that acts.
    """

    name: str
    columns: Sequence[str] = ()
    query: str = ""
    form: FileFormat | None = None
    compression: Compression = Compression.NONE
    rows: int = 1_000_000
    personal: bool = False
    resume: bool = False
    anew: bool = False
    by: Account | None = None


@dataclass(frozen=True, kw_only=True)
class _Export:
    """A call that was held against the store."""

    alias: str
    kind: str
    selection: Selection
    masked: Sequence[str]
    form: FileFormat
    compression: Compression

    @property
    def digest(self) -> str:
        """Stands for all that decides what the files hold."""
        told = [self.alias, self.kind, self.form, self.compression, self.selection.query]
        told += [self.selection.holder.name, *(column.name for column in self.selection.columns)]
        told += ["-", *self.selection.without]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def file(self, number: int) -> str:
        """Return the name of a part."""
        return f"part-{number:05}.{self.form}{self.compression.suffix}"

    def manifest(self, parts: Sequence[Part]) -> Manifest:
        """Return what was exported."""
        columns = self.selection.columns
        names = {column.name for column in columns}
        return Manifest(
            accord=__version__,
            made_at=clock.now().isoformat(timespec="seconds"),
            store=self.alias,
            kind=self.kind,
            name=self.selection.holder.name,
            query=self.selection.query,
            form=self.form,
            compression=str(self.compression),
            columns=columns,
            key=[name for name in self.selection.holder.key if name in names or not names],
            masked=self.masked,
            parts=parts,
        )


def export(store: Store, call: ExportCall, output: Path, *, told: Told, stop: Callable[[], bool]) -> Manifest:
    """
    Export what a call asks for into a folder.

    Args:
        store: From where.
        call: What, and how.
        output: The folder; it is made where it isn't there.
        told: Hears of each part.
        stop: Asked before each part; true leaves the rest for another time.

    Raises:
        UsageError: The call doesn't fit the store or the folder.
        NotAllowed: Personal columns are asked for, and the account may not export them.
        BulkFileError: The disk refuses.
        Interrupted: It was asked to stop.
    """
    if not isinstance(store, Exports):
        raise UsageError(
            f"Nothing can be exported from “{store.alias}”.", hint="Name another store with --store."
        )
    found = _fitted(store, call)
    with held(output) as folder:
        begun = folder.read(found.digest, resume=call.resume, anew=call.anew)
        recording.started(recording.EXPORT, found.digest, call.by)
        with store.reading(found.selection, formats.of_store(found.form)) as reading:
            done = _parts(folder, found, reading, begun, call.rows, told, stop)
        parts = [done.parts[number] for number in sorted(done.parts)]
        manifest = found.manifest([part for part in parts if part.rows] or parts[:1])
        numbers = {Counter.TOTAL: manifest.rows}
        recording.finished(recording.EXPORT, manifest.digest, call.by, numbers)
        folder.finish(manifest.text)
    return manifest


def _fitted(store: Exports, call: ExportCall) -> _Export:
    """Hold a call against what the store has, and against what the data map says of it."""
    holder = store.exportable(call.name)
    form = formats.chosen(call.form, store.formats(), call.compression)
    asked = columns_of(holder, call.columns)
    if call.personal:
        require_permission(call.by)
    masked = () if call.personal else masked_in(store.alias, holder, asked)
    kept = [column for column in asked if column.name not in masked]
    return _Export(
        alias=store.alias,
        kind=store.ping().kind,
        selection=Selection(holder=holder, columns=kept, query=call.query, without=() if asked else masked),
        masked=masked,
        form=form,
        compression=call.compression,
    )


def columns_of(holder: Holder, names: Sequence[str]) -> Sequence[Column]:
    """
    Return the columns that names stand for; of none, all that are known.

    Raises:
        UsageError: There is no column of a name.
    """
    if not holder.columns:
        return [Column(name=name, type="") for name in dict.fromkeys(names)]
    by_name = {column.name: column for column in holder.columns}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise UsageError(
            f"{holder.name} has no column {', '.join(unknown)}.", hint=f"It has {', '.join(by_name)}."
        )
    return [by_name[name] for name in dict.fromkeys(names)] or list(holder.columns)


def _parts(
    folder: Folder,
    found: _Export,
    reading: Reading,
    progress: Progress,
    rows: int,
    told: Told,
    stop: Callable[[], bool],
) -> Progress:
    if not progress.slices:
        progress = Progress(asked=progress.asked, slices=reading.slices(rows))
        folder.save(progress)
    for number, one in enumerate(progress.slices):
        if number in progress.parts:
            continue
        if stop():
            raise Interrupted(
                f"The export into {folder.path} was ended.", hint="Run the same command again with --resume."
            )
        part = _part(folder, found, reading, number, one)
        progress = progress.plus(number, part)
        folder.save(progress)
        told(part)
    return progress


def _part(folder: Folder, found: _Export, reading: Reading, number: int, one: Slice) -> Part:
    def fill(out: BinaryIO) -> int:
        return reading.read(one, out)

    whole = formats.filling(fill, found.form, found.selection.columns, folder.path)
    return write_part(folder.path / found.file(number), found.compression, whole, reading.snapshot)
