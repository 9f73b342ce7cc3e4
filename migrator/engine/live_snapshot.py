"""Holding the live stores against the reviewed snapshot, where every step is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from accord.seam.describing import Describes
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.stores import Store
from accord.seam.types import StepKey
from accord.words import counted
from migrator.engine import snapshot
from migrator.engine.live import LiveDifference, LiveLook
from migrator.engine.plan import Target
from migrator.engine.situation import Situation

_SIGNS = ("+", "-")


def kin(stores: Mapping[str, Store], aliases: Collection[str]) -> Collection[str]:
    """Return these stores, and those of the same product: their steps may be what stands in one database."""
    products = {_product(stores[alias]) for alias in aliases} - {None}
    return {*aliases, *(other for other in stores if _product(stores[other]) in products)}


def held_against(
    folder: Path, found: LiveLook, stores: Mapping[str, Store], situation: Situation, target: Target
) -> LiveLook:
    """
    Add what a reviewed snapshot says to a look.

    A store with a step that is pending or half done can't be as reviewed yet, nor can one that may share its
    database: that is unknown, and no drift.

    Args:
        folder: Where the snapshot is.
        found: The look.
        stores: The stores by alias.
        situation: Files, and the ledgers of :func:`kin`.
        target: Which stores were looked at. Of an app nobody can tell what of a store is its own.

    Raises:
        SnapshotUnusable: A file is missing, can't be read or is no snapshot's.
        StoreUnavailable: A store can't be reached.
    """
    asked = () if target.app else tuple(target.stores or stores)
    pending = sorted(situation.unfinished, key=str)
    waits = {alias: _first(pending, kin(stores, (alias,))) for alias in asked if _product(stores[alias])}
    ready = tuple(alias for alias, step in waits.items() if step is None)
    report = snapshot.compared(stores, folder, ready) if ready else None
    return replace(
        found,
        differences=(*found.differences, *(_differences(report) if report else ())),
        unknown=(*found.unknown, *_unknown(waits)),
    )


def _product(store: Store) -> str | None:
    return store.product if isinstance(store, Describes) else None


def _first(pending: Collection[StepKey], aliases: Collection[str]) -> StepKey | None:
    return next((key for key in pending if key.store in aliases), None)


def _unknown(waits: Mapping[str, StepKey | None]) -> Iterator[tuple[StepKey, str]]:
    """Name for each store that can't be compared yet the first step that is in the way."""
    for alias, step in waits.items():
        if step is not None:
            yield step, f"It is not applied: {alias} can't be held against its snapshot yet."


def _differences(report: snapshot.SnapshotReport) -> Iterator[LiveDifference]:
    """Tell each file that differs, with its first line that does."""
    for one in report.outcomes:
        lines = [line for line in one.diff[2:] if line.startswith(_SIGNS)]
        if lines:
            text = (
                f"{one.file} of the snapshot differs in {counted(len(lines), 'line')}, the first: {lines[0]}"
            )
            difference = Difference(kind=DifferenceKind.DIFFERENT, text=text)
            yield LiveDifference(store=one.store, difference=difference, keys=())
