"""Snapshots: the schema of each store as it stands, in a file that is reviewed and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from urllib.parse import quote

from accord.errors import ExitCode, StoreUnavailable
from accord.seam.describing import Describes, Description
from accord.seam.stores import Store
from migrator.engine import snapshot_files
from migrator.engine.line_diff import differing


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """
    What stands in some stores.

    Attributes:
        files: What the file of each store holds, by the store.
        names: What that file is called, by the store.
        shared: Stores whose database is described by another one, with that one.
        undescribed: Stores that can't be described.
    """

    files: Mapping[str, str]
    names: Mapping[str, str]
    shared: Mapping[str, str]
    undescribed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """
    What became of the file of a store, or how it compares.

    Attributes:
        store: The store.
        file: Name of the file.
        changed: True where the file held something else than what stands.
        diff: Unified, from the file to what stands; empty where they are equal, or where it was written.
    """

    store: str
    file: str
    changed: bool
    diff: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SnapshotReport:
    """
    What a snapshot came to.

    Attributes:
        compared: True where nothing was written.
        outcomes: Each file.
        strays: Files of a snapshot that belong to no store, where all were asked.
        snapshot: What was described.
    """

    compared: bool
    outcomes: tuple[FileOutcome, ...]
    strays: tuple[str, ...]
    snapshot: Snapshot

    @property
    def exit_code(self) -> ExitCode:
        """Drift where a file compared differs or is nobody's, a failure where no store could be described."""
        if not self.outcomes:
            return ExitCode.FAILED
        differs = self.strays or any(one.changed for one in self.outcomes)
        return ExitCode.DRIFT if self.compared and differs else ExitCode.DONE


def taken(stores: Mapping[str, Store], aliases: Sequence[str]) -> Snapshot:
    """
    Describe the live stores. Nothing is changed.

    Args:
        stores: The stores by alias.
        aliases: Which ones; all unless some are named.

    Raises:
        UnknownStore: There is no such store.
        StoreUnavailable: One can't be reached.
    """
    looks = _Looks(stores)
    asked = {alias: looks.at(alias) for alias in dict.fromkeys(aliases or stores)}
    owners = {alias: looks.owner(alias, found) for alias, found in asked.items() if found is not None}
    described = {alias: found for alias, found in asked.items() if found is not None}
    files = {owners[alias]: _file_text(owners[alias], found) for alias, found in described.items()}
    return Snapshot(
        files=files,
        names={owners[alias]: _file_name(owners[alias], found) for alias, found in described.items()},
        shared={alias: owner for alias, owner in owners.items() if alias != owner},
        undescribed=tuple(alias for alias in asked if alias not in described),
    )


class _Looks:
    """Descriptions of stores, each made once."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = stores
        self._found: dict[str, Description | None] = {}

    def at(self, alias: str) -> Description | None:
        """Describe a store; None where it can't be described."""
        if alias not in self._found:
            store = self._stores[alias]
            self._found[alias] = store.describe() if isinstance(store, Describes) else None
        return self._found[alias]

    def owner(self, alias: str, found: Description) -> str:
        """Name the store whose file describes the database: the first that has it, whichever were asked."""
        earlier = takewhile(lambda other: other != alias, self._stores)
        if not found.place:
            return alias
        return next((other for other in earlier if self._place(other) == found.place), alias)

    def _place(self, alias: str) -> str:
        try:
            found = self.at(alias)
        except StoreUnavailable:
            return ""  # What is away is not where the other one answered.
        return "" if found is None else found.place


def _file_name(alias: str, found: Description) -> str:
    return f"{quote(alias, safe='')}.{found.suffix}"


def _file_text(alias: str, found: Description) -> str:
    head = (
        f"{snapshot_files.MARK} of the store “{alias}”, for reading and comparing.",
        "Written by migrate_all --snapshot DIR; with --check, compared with what stands.",
    )
    return "".join(f"{found.comment}{line}\n" for line in head) + f"\n{found.text}"


def written(stores: Mapping[str, Store], folder: Path, aliases: Sequence[str] = ()) -> SnapshotReport:
    """
    Describe the live stores, then write a file for each; nothing is written where one is away.

    Args:
        stores: The stores by alias.
        folder: Where to; it is made where it isn't there.
        aliases: Which stores; all unless some are named.

    Raises:
        UnknownStore: There is no such store.
        StoreUnavailable: One can't be reached.
        SnapshotUnusable: The folder or a file can't be written.
    """
    snapshot = taken(stores, aliases)
    texts = {name: snapshot.files[alias] for alias, name in snapshot.names.items()}
    new = snapshot_files.write(folder, texts)
    outcomes = [
        FileOutcome(store=alias, file=name, changed=name in new) for alias, name in snapshot.names.items()
    ]
    strays = () if aliases else snapshot_files.strays(folder, snapshot.names.values())
    return SnapshotReport(compared=False, outcomes=tuple(outcomes), strays=strays, snapshot=snapshot)


def compared(stores: Mapping[str, Store], folder: Path, aliases: Sequence[str] = ()) -> SnapshotReport:
    """
    Hold the files of a snapshot against the live stores. Nothing is changed.

    Args:
        stores: The stores by alias.
        folder: Where the files are.
        aliases: Which stores; all unless some are named.

    Raises:
        UnknownStore: There is no such store.
        StoreUnavailable: One can't be reached.
        SnapshotUnusable: A file is missing or can't be read.
    """
    snapshot = taken(stores, aliases)
    texts = snapshot_files.read(folder, snapshot.names.values())
    outcomes = [
        _compared(alias, name, texts[name], snapshot.files[alias]) for alias, name in snapshot.names.items()
    ]
    strays = () if aliases else snapshot_files.strays(folder, snapshot.names.values())
    return SnapshotReport(compared=True, outcomes=tuple(outcomes), strays=strays, snapshot=snapshot)


def _compared(alias: str, name: str, text: str, live: str) -> FileOutcome:
    diff = tuple(differing(text, live, (name, f"{alias}, as it stands")))
    # What differs in nothing but the ends of its lines is equal: a checkout may write them otherwise.
    return FileOutcome(store=alias, file=name, changed=bool(diff), diff=diff)
