"""`gdpr_datamap freeze`: show what came and went since the last review, and write that down after a yes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from accord.cli.answer import Answer
from accord.cli.printable import say_aside
from accord.cli.questions import require_yes
from accord.words import counted
from gdpr.datamap import lock
from gdpr.datamap.map import DataMap
from gdpr.stores.base import opened_stores

SCHEMA = "accord.datamap-freeze/1"


def freeze(data_map: DataMap, wanted: Sequence[str], *, interactive: bool) -> Answer:
    """
    Write the fields that the stores have into the lock file.

    Args:
        data_map: The data map.
        wanted: Aliases of the only stores that are asked; of the others, what was reviewed stays.
        interactive: Whether to show the changes and ask first.

    Raises:
        NotConfirmed: The answer was not yes.
        StoreUnavailable: A store can't be reached; nothing is written.
    """
    path, before = lock.location(), lock.load()
    with opened_stores() as stores:
        declared = data_map.by_store()
        live = {
            store.alias: store.inventory(declared.get(store.alias, ())) for store in stores.chosen(wanted)
        }
    after = lock.frozen(before, data_map, live)
    changes = list(lock.changes(before, after))
    if changes and interactive:
        say_aside("\n".join([*changes, ""]))
        require_yes(f"Were these {counted(len(changes), 'line')} reviewed? They go into {path.name}.")
    if changes or before is None:
        _replace(path, lock.written(after))
    return Answer(
        document={"schema": SCHEMA, "file": path.name, "changes": changes},
        lines=_lines(path, changes, shown=interactive),
    )


def _lines(path: Path, changes: Sequence[str], *, shown: bool) -> Iterator[str]:
    yield from () if shown else changes
    yield (
        f"Wrote {counted(len(changes), 'change')} to {path.name}; commit it."
        if changes
        else f"{path.name} holds everything."
    )


def _replace(path: Path, text: str) -> None:
    """Write a file so that whoever reads it, or stops us, finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as to:
        to.write(text)
        to.flush()
        os.fsync(to.fileno())
    draft = Path(to.name)
    draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
    draft.replace(path)
