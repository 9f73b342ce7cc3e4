"""An export that is under way: which parts are whole, so that it can go on after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from accord.bulk.errors import BulkFileError
from accord.bulk.manifest import NAME, Part
from accord.bulk.parts import write_text
from accord.errors import UsageError
from accord.seam.bulk import Slice

_UNDER_WAY = "under-way.json"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far an export is.

    Attributes:
        asked: Digest of what was asked for.
        slices: The ranges that it was cut into; a part each.
        parts: Those that are whole, by the number of their slice.
    """

    asked: str
    slices: Sequence[Slice] = ()
    parts: Mapping[int, Part] = field(default_factory=dict)

    def plus(self, number: int, part: Part) -> Progress:
        """Return it with a part added."""
        return replace(self, parts={**self.parts, number: part})


@dataclass(frozen=True)
class Folder:
    """The folder that an export goes to, held by this process."""

    path: Path

    def read(self, asked: str, *, resume: bool, anew: bool) -> Progress:
        """
        Return how far an export is; one that hasn't begun has no slices.

        Args:
            asked: Digest of what is asked for.
            resume: Whether the parts of one that was ended are kept.
            anew: Whether they aren't.

        Raises:
            UsageError: The folder holds something else, or nobody said what becomes of what was begun.
        """
        if anew and not resume:
            self._refuse_full(anew=self._is_begun)
            return Progress(asked=asked)
        begun = self._begun()
        if begun is None:
            self._refuse_full(anew=False)
            return Progress(asked=asked)
        if begun.asked != asked:
            raise UsageError(
                f"{self.path} holds another export that was begun.",
                hint="Name another folder, or begin again in this one with --anew.",
            )
        if not resume:
            raise UsageError(
                f"{self.path} holds {len(begun.parts)} parts of this export, which was ended before its end.",
                hint="--resume keeps them, and the others are of a later moment; --anew begins again, and "
                "all of it is of one.",
            )
        return begun

    def save(self, progress: Progress) -> None:
        """Write down how far it is."""
        told = {
            "asked": progress.asked,
            "slices": [asdict(one) for one in progress.slices],
            "parts": {str(number): asdict(part) for number, part in progress.parts.items()},
        }
        write_text(self.path / _UNDER_WAY, json.dumps(told))

    def finish(self, manifest: str) -> None:
        """Write the manifest: the export is finished once it is there."""
        write_text(self.path / NAME, manifest)
        (self.path / _UNDER_WAY).unlink(missing_ok=True)

    @property
    def _is_begun(self) -> bool:
        return (self.path / _UNDER_WAY).exists() and not (self.path / NAME).exists()

    def _begun(self) -> Progress | None:
        path = self.path / _UNDER_WAY
        if not self._is_begun:
            return None
        try:
            return _parsed(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise BulkFileError(
                f"{path} can't be read: how far the export is can't be told.", hint="Begin again with --anew."
            ) from exc

    def _refuse_full(self, *, anew: bool) -> None:
        found = [one.name for one in self.path.iterdir()]
        if (NAME in found) or (found and not anew):
            raise UsageError(
                f"{self.path} isn't empty.", hint="Name a folder that is empty or not there with --output."
            )
        for name in found:
            (self.path / name).unlink()


@contextmanager
def held(path: Path) -> Iterator[Folder]:
    """
    Hold a folder for this process, and make it where it isn't there.

    Raises:
        UsageError: Another process exports into it.
        BulkFileError: It can't be made or opened.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as exc:
        raise BulkFileError(
            f"{path} can't be used: {exc.strerror}.", hint="Name another folder with --output."
        ) from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Folder(path)
    except BlockingIOError as exc:
        raise UsageError(f"Another process exports into {path}.", hint="Wait until it has ended.") from exc
    finally:
        os.close(descriptor)


def _parsed(found: Mapping[str, Any]) -> Progress:
    return Progress(
        asked=str(found["asked"]),
        slices=[Slice(after=tuple(one["after"]), until=tuple(one["until"])) for one in found["slices"]],
        parts={int(number): Part(**part) for number, part in found["parts"].items()},
    )
