"""What the suite asks of the harness that stands around a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from accord.seam.stores import Store
from accord.seam.types import Step


class Harness(Protocol):
    """
    A namespace of a store, for one test: its own revision files and its own place on the server.

    The first step creates an object; the second needs it, adds to it and fills data; the third
    needs the second.

    Attributes:
        name: Of the store, for display.
        app: Label of the app that the revisions belong to.
        step_names: The three steps.
        leaves_traces: True where a revert may leave something, because the server takes it back in no way.
    """

    name: str
    app: str
    step_names: tuple[str, str, str]
    leaves_traces: bool

    def store(self) -> Store:
        """Return a new store, as another process would."""
        ...

    def step(self, name: str) -> Step:
        """Read a step from disk."""
        ...

    def observe(self) -> object:
        """Read schema and data by the driver alone, the ledger left out."""
        ...

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        ...

    def edit(self, name: str, *, comment_only: bool) -> None:
        """Change a revision file in its meaning, or in a comment alone."""
        ...

    def write_revision(self, name: str, text: str) -> Path:
        """Write a revision file and make the loader see it."""
        ...

    def remove(self, name: str) -> None:
        """Delete a revision file."""
        ...

    def spoil(self) -> None:
        """Create the object of the first step with another definition."""
        ...

    def script(self, action: str) -> list[str]:
        """Return the command that does a step in another process; the step's name follows."""
        ...

    def close(self) -> None:
        """Clean up."""
        ...


@dataclass(frozen=True, kw_only=True)
class Edits:
    """
    Texts of a revision of two operations that stops between them, and of what may become of its file.

    Attributes:
        begun: As it stops.
        mended: Only the operation that stops is another one, or does something else.
        edited: An operation that is done is another one.
    """

    begun: str
    mended: str
    edited: str


class RevisionHarness(Harness, Protocol):
    """
    A harness of a store that is built on :mod:`accord.revisions`.

    Attributes:
        half: Its second operation can't be applied.
        stuck: Its second operation can be reverted, and its first can't: a function raises, which has the
            same name in `mended`, and another one in `edited`.
        refused: Text of a revision whose only operation is refused by the server.
    """

    half: Edits
    stuck: Edits
    refused: str


class MarksHarness(Harness, Protocol):
    """A harness of a store that keeps marks about itself: :class:`accord.seam.marks.KeepsMarks`."""

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark that is there, by the driver alone."""
        ...
