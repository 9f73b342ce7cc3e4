"""One batch of an import: which of its records are sent, and where each of them stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

from accord.bulk.dead_letters import DeadLetter
from accord.bulk.records import lines_of, split
from accord.seam.bulk import FileFormat, Written

Gone = Callable[[Sequence[bytes]], Collection[int]]
"""Returns the numbers of the records whose person was erased."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """
    Whole records of a part.

    Attributes:
        file: The part.
        form: How it is written.
        line: Lines before the first record.
        body: The records.
        kept: Numbers of those that are sent; None for all of them.
    """

    file: str
    form: FileFormat
    line: int
    body: bytes
    kept: Sequence[int] | None = None

    @classmethod
    def read(cls, data: bytes, *, file: str, form: FileFormat, line: int) -> Batch:
        """Make one of a piece of a file; the header, which is its first line, is no record."""
        head = data.find(b"\n") + 1 if form is FileFormat.CSV and line == 0 else 0
        return cls(file=file, form=form, line=line + (1 if head else 0), body=data[head:])

    def without(self, gone: Gone) -> Batch:
        """Return it without the records of people who were erased."""
        left_out = frozenset(gone(self._every))
        return replace(self, kept=[number for number in range(len(self._every)) if number not in left_out])

    @property
    def records(self) -> Sequence[bytes] | bytes:
        """What is sent: in one piece where nothing is left out."""
        if self.kept is None:
            return self.body
        every = self._every
        return self.body if len(self.kept) == len(every) else [every[number] for number in self.kept]

    @property
    def erased(self) -> int:
        """How many records are left out."""
        return 0 if self.kept is None else len(self._every) - len(self.kept)

    def letters(self, written: Written) -> Iterator[DeadLetter]:
        """Yield the dead letters of what was refused."""
        if not written.dead:
            return
        every = self._every
        before = list(accumulate((lines_of(record, self.form) for record in every), initial=self.line))
        for dead in written.dead:
            at = dead.index if self.kept is None else self.kept[dead.index]
            yield DeadLetter(file=self.file, line=before[at] + 1, reason=dead.reason, record=every[at])

    @cached_property
    def _every(self) -> list[bytes]:
        return split(self.body, self.form)
