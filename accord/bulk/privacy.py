"""Which columns of an export are personal, and whose rows of an import may not come back."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from accord import personal
from accord.acting import Account
from accord.audit.events import ObjectKind
from accord.bulk.batch import Gone
from accord.denied import Denial
from accord.erased import tombstones
from accord.errors import NotAllowed, UsageError
from accord.personal import Owner
from accord.seam.bulk import Column, Holder

PERMISSION = "accord.export_personal"
"""What an account needs to export personal columns."""

Owners = Sequence[Owner]
"""What says whose the rows or documents of a file are."""


def masked_in(store: str, holder: Holder, columns: Sequence[Column]) -> Sequence[str]:
    """
    Name what somebody's data map calls personal: columns, or of whole documents paths in them.

    Args:
        store: Alias of the store.
        holder: The table, collection or index.
        columns: Those that are asked for; none for whole documents.

    Raises:
        UsageError: All of it is personal.
    """
    place = personal.place(store, holder.known_as)
    masked = [one.name for one in columns if place.is_personal(one.name)]
    if (columns and len(masked) == len(columns)) or (not columns and place.whole):
        raise UsageError(
            f"All that is asked for of {holder.name} is personal, so nothing is left to export.",
            hint="An account with the permission may say --personal.",
        )
    return masked if columns else sorted(place.personal)


_LEAVE_OUT = (
    "Leave --personal out, and they aren't in the files; or act as an account that has it, with --as."
)


def require_permission(by: Account | None, hint: str = _LEAVE_OUT) -> None:
    """
    Make sure that an account may export personal columns.

    Args:
        by: The account.
        hint: What else there is to do.

    Raises:
        NotAllowed: It may not.
    """
    if by is None or not by.has_perm(PERMISSION):  # type: ignore[attr-defined]  # of whatever model has permissions
        raise NotAllowed(
            f"Exporting personal columns takes the permission {PERMISSION}.",
            hint=hint,
        ).told(Denial(by=by, kind=ObjectKind.STORE.value))


def owners_in(store: str, holder: Holder, columns: Sequence[str]) -> Owners:
    """
    Find the columns of a file that say whose its rows are.

    A file without them names nobody, and nobody can be brought back by it.

    Raises:
        UsageError: Whose the rows are is told by something else than a column.
    """
    place = personal.place(store, holder.known_as)
    # Documents have no columns: whoever has none of these paths is nobody's.
    found = [owner for owner in place.owners if not columns or owner.path in columns]
    concerned = any(map(place.is_personal, columns)) if columns else bool(place.personal or place.whole)
    if place.owned_elsewhere and not found and concerned:
        raise UsageError(
            f"Whose the rows of {holder.name} are can't be told from a file: the data map finds them by "
            "other rows. Somebody who was erased could come back.",
            hint="Import the other rows first, then run gdpr_replay --dry-run; or say --unfiltered, and run "
            "it afterwards.",
        )
    return found


@contextmanager
def sparing(owners: Owners, read: Callable[[Sequence[bytes]], Sequence[Mapping[str, Any]]]) -> Iterator[Gone]:
    """
    Hold fences back while a batch is written.

    Args:
        owners: What says whose a record is.
        read: Reads records.

    Yields:
        A function that returns the numbers of those records whose person was erased.
    """
    kinds = sorted({owner.kind for owner in owners})
    with ExitStack() as stack:
        asked = {kind: stack.enter_context(tombstones.sparing(kind)) for kind in kinds}

        def gone(records: Sequence[bytes]) -> set[int]:
            found, documents = set[int](), read(records)
            for owner in owners:
                path = owner.path.split(".")
                keys = [_spellings(tombstones.texts_at(document, path)) for document in documents]
                erased = asked[owner.kind]({one for several in keys for one in several})
                found |= {number for number, several in enumerate(keys) if not erased.isdisjoint(several)}
            return found

        yield gone


def _spellings(texts: Iterable[str]) -> set[Hashable]:
    """Return the keys that a store may make of texts: 042 is 42 to a column of numbers."""
    found = set[Hashable]()
    for text in texts:
        found |= {text, text.strip()}
        for base in (10, 0):  # and so is 0x2A
            with suppress(ValueError):
                found.add(int(text, base))
    return found
