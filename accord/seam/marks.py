"""
Marks: short texts that a store keeps about itself, such as the environment that it belongs to.

A mark lies beside the data and goes where they go: a copy or a restored backup brings it along, and the
settings of whoever connects say nothing about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from accord.errors import AccordError, DriftError, ExitCode, StaleFence
from accord.seam.types import Lease

FORM = 1
"""The form in which this version writes a mark. What is kept in another one is never guessed at."""
LONGEST_NAME = 64


class MarkNotUnderstood(DriftError):
    """A store keeps a mark about itself that this version can't read. Nothing was changed."""

    code = "ACC-936"


class MarkChanged(AccordError):
    """A mark that a store keeps about itself was written by somebody else meanwhile. It was left."""

    code = "ACC-937"
    exit_code = ExitCode.PARTIAL
    http_status = 409


@runtime_checkable
class KeepsMarks(Protocol):
    """A store that keeps marks about itself."""

    alias: str

    def takes_marks(self) -> bool:
        """Return whether anything may be marked there: a mirror may not. No server is asked."""
        ...

    def read_mark(self, name: str) -> str | None:
        """
        Read a mark. Nothing is created.

        Returns:
            Its value; None where there is none.

        Raises:
            MarkNotUnderstood: It is kept in a form that this version can't read.
            StoreUnavailable: The store can't be reached.
        """
        ...

    def write_mark(self, name: str, value: str, lease: Lease, *, expected: str | None) -> None:
        """
        Write a mark, if it is as expected. Where it holds the value already, nothing is left to do.

        Args:
            name: At most :data:`LONGEST_NAME` characters.
            value: The new value.
            lease: The right to write. The store has seen its token from now on, as by a step.
            expected: The value that was read before; None where there was none.

        Raises:
            MarkChanged: It is another one than expected. Nothing was changed.
            StaleFence: The store has seen a later fencing token. Nothing was changed.
            MarkNotUnderstood: As for :meth:`read_mark`. Nothing was changed.
            StoreUnavailable: The store can't be reached.
        """
        ...


@dataclass(frozen=True)
class Kept:
    """
    A mark as a store keeps it, before anybody believes it.

    Attributes:
        form: In which form it is kept.
        value: The text, if the form is ours.
    """

    form: object
    value: object

    @classmethod
    def read(cls, document: object) -> Kept | None:
        """Read what a store keeps as a document; None where it keeps nothing."""
        if document is None:
            return None
        if not isinstance(document, Mapping):
            return cls(None, None)
        return cls(document.get("form"), document.get("value"))


def value_of(store: str, name: str, kept: Kept | None) -> str | None:
    """
    Return the value of a mark.

    Args:
        store: Alias of the store, for the message.
        name: Name of the mark.
        kept: What the store keeps; None where it keeps nothing.

    Raises:
        MarkNotUnderstood: It is kept in another form than ours.
    """
    if kept is None:
        return None
    # A driver may have an integer of its own; True is the integer 1 to Python, and no form.
    known = isinstance(kept.form, int) and kept.form == FORM and kept.form is not True
    if known and isinstance(kept.value, str):
        return kept.value
    raise not_understood(store, name, f"is kept in the form {kept.form!r}")


def not_understood(store: str, name: str, what: str) -> MarkNotUnderstood:
    """Return the error for a mark that this version can't read; `what` says what is the matter."""
    return MarkNotUnderstood(
        f"The mark “{name}” of the store “{store}” {what}, which this version can't read.",
        hint="Was it written by a newer version, or by hand? Run the version that wrote it.",
    )


def changed(store: str, name: str) -> MarkChanged:
    """Return the error for a mark that isn't what its writer expected."""
    return MarkChanged(
        f"The mark “{name}” of the store “{store}” is another one than was read a moment ago; it was left.",
        hint="Somebody else wrote it meanwhile. Run the same command again.",
    )


def stale(store: str, name: str, lease: Lease) -> StaleFence:
    """Return the error for a writer that was overtaken."""
    return StaleFence(
        f"The store “{store}” has seen a later run than {lease.run_id or lease.owner}; the mark “{name}” "
        "was not written.",
        hint="Another run took over. Let it end, then run the same command again.",
    )
