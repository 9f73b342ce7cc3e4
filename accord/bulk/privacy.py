"""Which columns of an export are personal, and whose rows of an import may not come back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from accord import personal
from accord.acting import Account
from accord.audit.events import ObjectKind
from accord.denied import Denial
from accord.erased import tombstones
from accord.errors import NotAllowed, UsageError
from accord.personal import Owner
from accord.seam.bulk import Column, Holder

PERMISSION = "accord.export_personal"
"""What an account needs to export personal columns."""

Owners = Sequence[tuple[Owner, int]]
"""Whose keys stand in which column of the file, counted from 0."""


def personal_columns(store: str, holder: Holder, columns: Sequence[Column]) -> Sequence[str]:
    """
    Name the columns that somebody's data map calls personal.

    Args:
        store: Alias of the store.
        holder: The table.
        columns: Those that are asked for.
    """
    place = personal.place(store, holder.name)
    return [one.name for one in columns if place.is_personal(one.name)]


def require_permission(by: Account | None) -> None:
    """
    Make sure that an account may export personal columns.

    Raises:
        NotAllowed: It may not.
    """
    if by is None or not by.has_perm(PERMISSION):  # type: ignore[attr-defined]  # of whatever model has permissions
        raise NotAllowed(
            f"Exporting personal columns takes the permission {PERMISSION}.",
            hint="Leave --personal out, and they aren't in the files; or act as an account that has it, "
            "with --as.",
        ).told(Denial(by=by, kind=ObjectKind.STORE.value))


def owners_in(store: str, holder: Holder, columns: Sequence[str]) -> Owners:
    """
    Find the columns of a file that say whose its rows are.

    A file without them names nobody, and nobody can be brought back by it.

    Raises:
        UsageError: Whose the rows are is told by something else than a column.
    """
    place = personal.place(store, holder.name)
    found = [(owner, columns.index(owner.path)) for owner in place.owners if owner.path in columns]
    if place.owned_elsewhere and not found and any(map(place.is_personal, columns)):
        raise UsageError(
            f"Whose the rows of {holder.name} are can't be told from a file: the data map finds them by "
            "other rows. Somebody who was erased could come back.",
            hint="Import the other rows first, then run gdpr_replay --dry-run; or say --unfiltered, and run "
            "it afterwards.",
        )
    return found


@contextmanager
def sparing(owners: Owners) -> Iterator[Callable[[Sequence[Sequence[str]]], set[int]]]:
    """
    Hold fences back while a batch is written.

    Yields:
        A function that takes rows as texts and returns the numbers of those whose person was erased.
    """
    with ExitStack() as stack:
        asked = {
            kind: stack.enter_context(tombstones.sparing(kind))
            for kind in sorted({o.kind for o, _ in owners})
        }

        def gone(rows: Sequence[Sequence[str]]) -> set[int]:
            found = set[int]()
            for owner, at in owners:
                keys = {number: _spellings(row[at]) for number, row in enumerate(rows) if len(row) > at}
                erased = asked[owner.kind](one for several in keys.values() for one in several)
                found |= {number for number, several in keys.items() if not erased.isdisjoint(several)}
            return found

        yield gone


def _spellings(text: str) -> set[Hashable]:
    """Return the keys that a store may make of a text: 042 is 42 to a column of numbers."""
    found: set[Hashable] = {text, text.strip()}
    with suppress(ValueError):
        found.add(int(text))
    return found
