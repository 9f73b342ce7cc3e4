"""The files of a snapshot: read with what is wrong of each, written so that each is whole."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path

from accord.durable import sync_folder
from migrator.errors import SnapshotUnusable

MARK = "accord.description/1"
"""What the first line of each file holds, by which it is known again."""


def read(folder: Path, names: Iterable[str]) -> Mapping[str, str]:
    """
    Read some files.

    Args:
        folder: Where they are.
        names: What they are called.

    Raises:
        SnapshotUnusable: One is missing, can't be read or is no snapshot's; all such are named.
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    for name in names:
        try:
            found[name] = (folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            wrong.append(f"{name} is missing")
        except (OSError, UnicodeDecodeError) as exc:
            wrong.append(f"{name} can't be read ({_reason(exc)})")
        else:
            wrong += [] if _is_ours(found[name]) else [f"{name} is no file of a snapshot"]
    if wrong:
        raise _unreadable(folder, ", ".join(wrong))
    return found


def _unreadable(folder: Path, why: str) -> SnapshotUnusable:
    return SnapshotUnusable(
        f"The snapshot in {folder} can't be compared: {why}.",
        hint="Name the folder that holds it, or write it and have that reviewed: migrate_all --snapshot DIR",
    )


def write(folder: Path, texts: Mapping[str, str]) -> Collection[str]:
    """
    Write some files: all of them beside their places first, then each into its place in one act.

    A kill leaves every file whole, old or new; writing again does the rest.

    Args:
        folder: Where to; it is made where it isn't there.
        texts: What each holds, by its name.

    Returns:
        The names of those that held something else, or were not there.

    Raises:
        SnapshotUnusable: The folder or a file can't be written, or a file is there that is no snapshot's.
            No file was changed, unless the disk failed between two of them.
    """
    drafts: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder, texts)
        _sweep(folder, texts)
        new = {name: text for name, text in texts.items() if not _holds(folder / name, text)}
        for name, text in new.items():
            drafts[folder / name] = _drafted(folder, name, text)
        for place, draft in drafts.items():
            draft.replace(place)
        sync_folder(folder)
    except OSError as exc:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        raise SnapshotUnusable(
            f"The snapshot can't be written to {folder} ({_reason(exc)}).",
            hint="Name a folder that this user may write to.",
        ) from exc
    return new.keys()


def strays(folder: Path, names: Collection[str]) -> tuple[str, ...]:
    """
    Name the files of a snapshot that are none of these: of a store that is gone, or called otherwise.

    Args:
        folder: Where they are.
        names: Files that belong there.

    Raises:
        SnapshotUnusable: The folder can't be read.
    """
    known = frozenset(names)
    try:
        others = [path for path in folder.iterdir() if path.name not in known and path.name[0] != "."]
    except OSError as exc:
        raise _unreadable(folder, _reason(exc)) from exc
    return tuple(sorted(path.name for path in others if path.is_file() and MARK in _first_line(path)))


def _is_ours(text: str) -> bool:
    return MARK in text.partition("\n")[0]


def _refuse_foreign(folder: Path, names: Iterable[str]) -> None:
    """Leave alone what somebody else wrote: only a file that names itself a snapshot's is written over."""
    there = [name for name in names if (folder / name).exists()]
    foreign = [name for name in there if MARK not in _first_line(folder / name)]
    if foreign:
        raise SnapshotUnusable(
            f"The snapshot can't be written to {folder}: {', '.join(foreign)} is no file of a snapshot.",
            hint="Move it away, or name another folder.",
        )


def _sweep(folder: Path, names: Iterable[str]) -> None:
    """Take away the drafts of a writer that was killed."""
    for name in names:
        for draft in folder.glob(f".{escape(name)}.*.draft"):
            draft.unlink(missing_ok=True)


def _drafted(folder: Path, name: str, text: str) -> Path:
    draft = folder / f".{name}.{os.getpid()}.draft"
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _holds(path: Path, text: str) -> bool:
    """Look whether a file is there and holds a text, byte by byte."""
    try:
        return path.read_bytes() == text.encode()
    except FileNotFoundError:
        return False


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(200)
    except OSError:
        return ""


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return (exc.strerror or type(exc).__name__) if isinstance(exc, OSError) else "it is no text in UTF-8"
