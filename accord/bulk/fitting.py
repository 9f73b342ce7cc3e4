"""A declared copy, held against its stores and against what the data map says of both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from accord import personal
from accord.bulk.copies import Copy
from accord.bulk.documents import Maker, function_of
from accord.bulk.exporting import columns_of
from accord.bulk.privacy import Owners
from accord.errors import UsageError
from accord.personal import Place
from accord.seam.bulk import (
    Column,
    Exports,
    FileFormat,
    Holder,
    Imports,
    Mirroring,
    Mode,
    Selection,
    Target,
)
from accord.seam.stores import Store

_HINT = "See docs/howto/copy-between-stores.md."


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """
    A copy that fits.

    Attributes:
        copy: What is declared.
        source: Where it is read.
        selection: What is read: also keys, and what says whose a row is.
        target: Where it is written.
        into: How.
        maker: Makes documents of rows.
        masked: Columns that are left out, because the data map calls them personal.
        owners: What says whose a row is.
        is_open: Whether the data map knows nothing personal of the source, so that values may be told.
    """

    copy: Copy
    source: Exports
    selection: Selection
    target: Imports
    into: Target
    maker: Maker
    masked: Sequence[str]
    owners: Owners
    is_open: bool

    @contextmanager
    def writing(self) -> Iterator[Mirroring]:
        """
        Open the target.

        Raises:
            UsageError: It is no place that a copy can keep.
        """
        with self.target.writing(self.into, "") as opened:
            if not isinstance(opened, Mirroring):
                raise UsageError(
                    f"Nothing can be copied into “{self.target.alias}”; collections and indexes take copies.",
                    hint="Export the source, and import the files.",
                )
            yield opened


def fit(copy: Copy, stores: Mapping[str, Store]) -> Fitted:
    """
    Hold a copy against its stores. Nothing is read of rows, and nothing written.

    Raises:
        UsageError: It doesn't fit what is there.
        ConfigurationError: Its function can't be imported.
        StoreUnavailable: A store can't be reached.
    """
    source, target = stores[copy.source.store], stores[copy.target.store]
    if not isinstance(source, Exports) or not isinstance(target, Imports):
        raise UsageError(f"The copy “{copy.name}” can't go between these stores.", hint=_HINT)
    holder = source.exportable(copy.source.name)
    asked, key = _asked(copy, holder), tuple(copy.key or holder.key)
    place = personal.place(source.alias, holder.name)
    masked = () if copy.personal else [name for name in asked if place.is_personal(name)]
    kept = [name for name in asked if name not in masked]
    _refuse_unfit(copy, holder, key)
    _refuse_personal(copy, place, kept, key)
    owners = [one for one in place.owners if not holder.columns or _head(one.path) in _names(holder)]
    read = dict.fromkeys((*kept, *key, *(_head(owner.path) for owner in owners)))
    return Fitted(
        copy=copy,
        source=source,
        selection=Selection(holder=holder, columns=columns_of(holder, tuple(read)), query=copy.source.query),
        target=target,
        into=Target(
            holder=target.importable(copy.target.name),
            columns=(),
            key=("_id",),
            mode=Mode.UPSERT,
            form=FileFormat.JSONL,
        ),
        maker=Maker(copy=copy, columns=kept, key=key, function=function_of(copy)),
        masked=masked,
        owners=owners,
        is_open=_is_unknown(place),
    )


def columns_named(fitted: Fitted, names: Sequence[str]) -> Sequence[Column]:
    """Return columns of the source by their names."""
    return columns_of(fitted.selection.holder, names)


def _asked(copy: Copy, holder: Holder) -> Sequence[str]:
    """Return what goes into documents, before anything is left out."""
    if not holder.columns and not copy.source.columns:
        raise UsageError(
            f"The copy “{copy.name}” names no members of the documents of {holder.name}.",
            hint="Name them with columns.",
        )
    return [column.name for column in columns_of(holder, copy.source.columns)]


def _refuse_unfit(copy: Copy, holder: Holder, key: Sequence[str]) -> None:
    """
    Make sure that rows can be walked over, and that each makes one document.

    Raises:
        UsageError: They can't.
    """
    known = _names(holder)
    unknown = sorted({*copy.names, *copy.key} - known) if known else []
    if unknown:
        raise UsageError(
            f"{holder.name} has no column {', '.join(unknown)}, which the copy “{copy.name}” names.",
            hint=f"It has {', '.join(sorted(known))}.",
        )
    if not holder.key or not key:
        raise UsageError(
            f"{holder.name} has no primary key, so nothing says where a copy goes on.",
            hint="Give the table one; or export it, and import the files.",
        )
    paths = [name for name in copy.source.columns if "." in name and not known]
    if paths:
        raise UsageError(
            f"The copy “{copy.name}” names paths: {', '.join(paths)}.", hint="Name members of documents."
        )


def _refuse_personal(copy: Copy, place: Place, kept: Sequence[str], key: Sequence[str]) -> None:
    """
    Let nothing personal go to where nobody would look for it.

    Raises:
        UsageError: It would.
    """
    hidden = [] if copy.personal else [name for name in key if place.is_personal(name)]
    if hidden or not kept:
        raise UsageError(
            f"The copy “{copy.name}” would have no {'key' if hidden else 'columns'} left: "
            "the data map calls them personal.",
            hint=f"Declare another key, or personal=True. {_HINT}",
        )
    concerned = [name for name in kept if place.is_personal(name)]
    if concerned and _is_unknown(personal.place(copy.target.store, copy.target.name)):
        raise UsageError(
            f"The data map doesn't have {copy.target.name} of “{copy.target.store}”, so an erasure would "
            f"never find what the copy “{copy.name}” brings there: {', '.join(concerned)}.",
            hint="Declare it in the data map first.",
        )
    if concerned and place.owned_elsewhere and not place.owners:
        raise UsageError(
            f"Whose the rows of {copy.source.name} are can't be told from a row: the data map finds them by "
            "other rows. Somebody who is being erased could come back.",
            hint="Leave personal=True out.",
        )


def _is_unknown(place: Place) -> bool:
    return not (place.personal or place.whole or place.owners or place.owned_elsewhere)


def _names(holder: Holder) -> set[str]:
    return {column.name for column in holder.columns}


def _head(path: str) -> str:
    return path.partition(".")[0]
