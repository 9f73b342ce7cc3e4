"""Importing: parts go into a store batch by batch, each with the position behind it, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from accord import conf
from accord.acting import Account
from accord.audit.events import Counter
from accord.bulk import dead_letters, formats, recording, sources
from accord.bulk.batch import Batch
from accord.bulk.compression import BROKEN, Compression
from accord.bulk.dead_letters import DeadLetters
from accord.bulk.errors import BulkFileError, TooManyDeadLetters
from accord.bulk.manifest import Manifest
from accord.bulk.privacy import Owners, owners_in, sparing
from accord.bulk.records import batches, lines_of
from accord.errors import Interrupted, UsageError
from accord.identity import identity_if_marked, refuse_foreign
from accord.seam.bulk import Holder, Imports, Mode, Position, Target, Writing, Written
from accord.seam.stores import Store

Told = Callable[[Position], None]
"""Hears how far it is after each batch."""
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ImportCall:
    """
    What a call asks for.

    Attributes:
        name: The model, table, collection or index; empty for that of the manifest.
        mode: What happens where a key is there already.
        key: The columns that tell one row from another; none for those of the target.
        dead_letters: File for what the store refuses; None for one beside the files.
        most_dead: How many dead letters end the import.
        again: Whether what was imported before is imported again.
        unfiltered: Whether rows come in of which nobody can tell whose they are.
        by: The account that acts.
    """

    name: str = ""
    mode: Mode = Mode.INSERT
    key: Sequence[str] = ()
    dead_letters: Path | None = None
    most_dead: int = 1000
    again: bool = False
    unfiltered: bool = False
    by: Account | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """
    What an import came to.

    Attributes:
        store: Alias of the store.
        target: The table, collection or index.
        position: How far it is.
        dead_letters: The file of them.
        before: Whether all of it was done before.
    """

    store: str
    target: str
    position: Position
    dead_letters: Path
    before: bool = False


@dataclass(frozen=True, kw_only=True)
class _Import:
    """
    An import under way.

    Attributes:
        folder: Where the files are.
        manifest: What they hold.
        target: Where they go.
        owners: Which columns say whose a row is.
        writing: The store.
        letters: What it refuses.
        most_dead: How much of that ends the import.
        told: Hears of each batch.
        stop: Asked before each batch.
    """

    folder: Path
    manifest: Manifest
    target: Target
    owners: Owners
    writing: Writing
    letters: DeadLetters
    most_dead: int
    told: Told
    stop: Callable[[], bool]

    def run(self, position: Position) -> Position:
        """Write what lies behind a position."""
        for number in range(position.part, len(self.manifest.parts)):
            position = self._part(number, position)
        return self.writing.finish(position)

    def _part(self, number: int, position: Position) -> Position:
        path = self.folder / self.manifest.parts[number].file
        begun = position.part == number
        try:
            with formats.opened(path, self.manifest.form, Compression(self.manifest.compression)) as file:
                _skip(file, position.offset if begun else 0)
                offset, line = (position.offset, position.line) if begun else (0, 0)
                for data in batches(file, self.target.form):
                    place = replace(
                        position,
                        part=number,
                        offset=offset + len(data),
                        line=line + lines_of(data, self.target.form),
                    )
                    batch = Batch.read(
                        data,
                        file=path.name,
                        form=self.target.form,
                        line=line,
                    )
                    position = self._write(batch, position, place)
                    offset, line = position.offset, position.line
        except BROKEN as exc:
            raise BulkFileError(
                f"{path} can't be read any more: {exc}.",
                hint="Run the same command again; it goes on from there.",
            ) from exc
        return position

    def _write(self, batch: Batch, before: Position, place: Position) -> Position:
        if self.stop():
            raise Interrupted(
                "The import was ended.", hint="Run the same command again; it goes on from there."
            )
        with sparing(self.owners, self.writing.documents) as gone:
            batch = batch.without(gone) if self.owners else batch

            def settle(written: Written) -> Position:
                letters = list(batch.letters(written))
                return replace(
                    place,
                    rows=before.rows + written.rows,
                    erased=before.erased + batch.erased,
                    dead=before.dead + len(letters),
                    dead_bytes=self.letters.write(letters),
                )

            after = self.writing.write(batch.records, before, settle)
        self.told(after)
        self._refuse_many(after)
        return after

    def _refuse_many(self, position: Position) -> None:
        if position.dead > self.most_dead:
            raise TooManyDeadLetters(
                f"{position.dead:,} rows were refused, which is more than {self.most_dead:,}: see "
                f"{self.letters.path}.",
                hint="If they may be left out, run the same command again with a higher "
                "--dead-letters-at-most; it goes on from there.",
            )


def bring_in(store: Store, path: Path, call: ImportCall, *, told: Told, stop: Callable[[], bool]) -> Imported:
    """
    Import an export, or one file.

    Args:
        store: Where to.
        path: The folder of the export, or the file.
        call: Where to, and how.
        told: Hears how far it is.
        stop: Asked before each batch; true leaves the rest for another time.

    Raises:
        UsageError: The call doesn't fit the files or the store.
        BulkFileError: A file is not what the manifest says. Nothing was written.
        ForeignEnvironment: The store belongs to another environment. Nothing was written.
        TooManyDeadLetters: The store refused more rows than the call allows.
        Interrupted: It was asked to stop.
    """
    if not isinstance(store, Imports):
        raise UsageError(
            f"Nothing can be imported into “{store.alias}”.", hint="Name another store with --store."
        )
    folder, manifest = sources.read(path)
    refuse_foreign({store.alias: identity_if_marked(store)}, conf.load().environment)
    target = _target(store.importable(call.name or manifest.name), manifest, call)
    columns = list(target.columns)
    owners = () if call.unfiltered else owners_in(store.alias, target.holder, columns)
    import_id = _id(store, manifest, target)
    letters_path = call.dead_letters or folder / f"dead-letters-{import_id[:12]}.jsonl"
    with ExitStack() as stack:
        writing = stack.enter_context(store.writing(target, import_id))
        begun = writing.position()
        done = Imported(
            store=store.alias,
            target=target.holder.name,
            position=begun or Position(),
            dead_letters=letters_path,
        )
        if begun is not None and begun.finished and not call.again:
            return replace(done, before=True)
        letters = stack.enter_context(dead_letters.opened(letters_path))
        # Whoever held that file until now may have gone on, or ended it.
        position = writing.position() or Position()
        if position.finished and not call.again:
            return replace(done, position=position, before=True)
        recording.started(recording.IMPORT, manifest.digest, call.by)
        if position.finished:
            position = writing.restart(position)
        letters.go_back(position.dead_bytes)
        work = _Import(
            folder=folder,
            manifest=manifest,
            target=target,
            owners=owners,
            writing=writing,
            letters=letters,
            most_dead=call.most_dead,
            told=told,
            stop=stop,
        )
        position = work.run(position)
    numbers = {
        Counter.TOTAL: position.rows,
        Counter.FAILED: position.dead,
        Counter.SKIPPED: position.erased,
    }
    recording.finished(recording.IMPORT, manifest.digest, call.by, numbers)
    return replace(done, position=position)


def _target(holder: Holder, manifest: Manifest, call: ImportCall) -> Target:
    columns = [column.name for column in manifest.columns]
    known = {column.name for column in holder.columns}
    # Documents have no columns; what tells those of another store apart says the manifest.
    key = tuple(call.key or (() if known else manifest.key) or holder.key)
    unknown = [name for name in columns if name not in known] if known else []
    if unknown:
        raise UsageError(
            f"{holder.name} has no column {', '.join(unknown)}, which the files have. Nothing was written.",
            hint=f"It has {', '.join(sorted(known))}. Is the header right, and the target?",
        )
    missing = [name for name in key if name not in columns] if known else []
    if call.mode is not Mode.INSERT and (missing or not key):
        raise UsageError(
            f"Mode {call.mode} takes a key, and the files don't hold "
            f"{', '.join(missing) or 'one'}. Nothing was written.",
            hint="Name columns of the files with --key: those of a unique constraint.",
        )
    if not known and manifest.masked and call.mode is Mode.UPSERT:
        raise UsageError(
            f"The files lack what is personal ({', '.join(manifest.masked)}), and upsert would take that out "
            "of documents that are there. Nothing was written.",
            hint="--mode merge leaves what is there, and --mode insert takes what isn't.",
        )
    return Target(
        holder=holder, columns=columns, key=key, mode=call.mode, form=formats.of_store(manifest.form)
    )


def _id(store: Store, manifest: Manifest, target: Target) -> str:
    """Stand for this import of these files: the same files into the same table, in the same way."""
    files = [[part.file, part.sha256] for part in manifest.parts]
    told = [store.alias, files, target.holder.name, list(target.columns), list(target.key), target.mode]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _skip(file: BinaryIO, left: int) -> None:
    """Read past what is done: compressed files have no other way."""
    while left and (read := len(file.read(min(left, _PIECE)))):
        left -= read
