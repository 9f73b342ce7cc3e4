"""
Copying as a job in batches: what a range of keys holds is read, and written over what is there of it.

The target has no part in the engine's transaction, so a batch may come twice; it comes to the same, for the
key of a row makes the `_id` of its document. Each batch shows its rows at a moment of its own.
"""

from __future__ import annotations

import hashlib
import inspect
import io
from collections.abc import Iterator, Sequence

from accord.batch_models import BatchJob, JobState, Place
from accord.batches import Bounds, Done, Portion, Sizes, Work, jobs, kinds
from accord.bulk.copies import Copy, declared_as
from accord.bulk.documents import function_of
from accord.bulk.errors import CopyRefused
from accord.bulk.fitting import Fitted, fit
from accord.bulk.privacy import sparing
from accord.bulk.records import rows, split
from accord.errors import UsageError
from accord.seam.bulk import FileFormat, Slice, Written
from accord.seam.registry import opened

KIND = "accord.copy"
_SLICE = 100_000
"""Rows of a slice, about: what one worker takes."""
_FORM = FileFormat.JSONL


class Copying(Work):
    """
    Copies what a declaration says.

    It has no subject of its own: who was erased is asked for every kind of person that the data map finds in
    the source. That is read only, and never asked whether it suffers.

    Args:
        name: Of the declaration.
        personal: Whether somebody who may has agreed that personal columns go along.
    """

    sizes = Sizes(first=500, most=20_000)

    def __init__(self, name: str, *, personal: bool = False) -> None:
        self._name, self._personal = name, personal

    @property
    def version(self) -> str:
        """Return what tells this code, declaration and function from other ones."""
        copy = declared_as(self._name)
        module = inspect.getmodule(function_of(copy))
        told = (super().version, repr(copy), inspect.getsource(module) if module else "")
        return hashlib.sha256("\0".join(told).encode()).hexdigest()

    def slices(self) -> Iterator[Bounds]:
        """Cut the source into ranges of keys."""
        with opened() as stores:
            fitted = fit(self._declared(), stores)
            with fitted.writing(), fitted.source.reading(fitted.selection, _FORM) as reading:
                found = reading.slices(_SLICE)
                # What can't be read in batches says so before anything is begun.
                reading.head(found[0], 1)
        for one in found:
            yield {"after": list(one.after), "until": list(one.until)}

    def batch(self, portion: Portion) -> Done:
        """Copy the next rows of a range."""
        after = (portion.cursor or portion.bounds)["after"]
        left = Slice(after=tuple(after), until=tuple(portion.bounds["until"]))
        with opened() as stores:
            fitted = fit(self._declared(), stores)
            part, data = _read(fitted, left, portion.size)
            lines = split(data, _FORM)
            _write(fitted, lines)
        cursor = None if part == left else {"after": list(part.until)}
        return Done(cursor=cursor, rows=len(lines), bytes=len(data))

    def _declared(self) -> Copy:
        copy = declared_as(self._name)
        if copy.personal and not self._personal:
            raise UsageError(
                f"The copy “{copy.name}” takes personal columns along, and nobody agreed to that.",
                hint="Begin it by the command, as an account that may.",
            )
        return copy


def begin(copy: Copy, *, place: Place, workers: int, anew: bool) -> BatchJob:
    """
    Begin the job of a copy, or go on with one that isn't done and is of the same declaration.

    Args:
        copy: What is declared. Whoever calls has asked whether personal columns may go along.
        place: Where the job runs.
        workers: How many work on it.
        anew: Whether one that isn't done is forgotten instead.
    """
    name, arguments = f"copy {copy.name}", {"name": copy.name, "personal": copy.personal}
    job = jobs.find_named(name)
    if job is not None and (anew or not _goes_on(job, kinds.build(KIND, arguments))):
        jobs.forget(name)
    job = jobs.start(name, KIND, arguments, place=place, workers=workers)
    if job.state in jobs.ENDED:
        jobs.resume(job)
    return job


def _goes_on(job: BatchJob, work: Work) -> bool:
    """Return whether what a job has done is what is declared now."""
    return job.kind == KIND and job.state != JobState.DONE and job.version == work.version


def _read(fitted: Fitted, left: Slice, size: int) -> tuple[Slice, bytes]:
    """Read the next rows of a range, and say which range they are."""
    out = io.BytesIO()
    with fitted.source.reading(fitted.selection, _FORM) as reading:
        part = reading.head(left, size)
        reading.read(part, out)
    return part, out.getvalue()


def _write(fitted: Fitted, lines: Sequence[bytes]) -> None:
    """Write rows but those of people who were erased; no fence goes up meanwhile."""
    with fitted.writing() as target, sparing(fitted.owners, _rows) as gone:
        left_out = gone(lines) if fitted.owners else ()
        kept = [row for number, row in enumerate(_rows(lines)) if number not in left_out]
        written = target.put([fitted.maker.line(row) for row in kept])
    if written.dead:
        raise _refusal(fitted, written, len(kept))


def _rows(lines: Sequence[bytes]) -> Sequence[dict[str, object]]:
    return [dict(row) for row in rows(lines, _FORM, ())]


def _refusal(fitted: Fitted, written: Written, count: int) -> CopyRefused:
    # What a store says of a document may quote it.
    why = f": {written.dead[0].reason}" if fitted.is_open else ""
    return CopyRefused(
        f"{fitted.into.holder.name} refused {len(written.dead):,} of {count:,} documents{why}",
        hint="The others are there. Correct the declaration, the rows or the target, then run this again.",
    )
