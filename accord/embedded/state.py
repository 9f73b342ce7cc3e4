"""What is remembered about an embedded server between two commands."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SavedState:
    """
    The part of a server that has to stay the same from command to command.

    Attributes:
        port: Where it listens, also while it doesn't.
        data: Its data folder when that can't be inside the home folder, else None.
    """

    port: int
    data: str | None = None
    version: int = _VERSION

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """
        Read the file.

        Returns:
            None where there is none, or where it can't be understood; a new one is made then.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(port=int(found["port"]), data=found["data"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def create(self, path: Path) -> SavedState:
        """
        Write the file unless another command was first.

        Returns:
            What the file says in the end.
        """
        draft = self._draft(path)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        found = SavedState.read(path)
        if found is None:  # a torn or foreign file stood there: ours replaces it
            self.replace(path)
        return found or self

    def replace(self, path: Path) -> None:
        """Write the file in one step over what is there; the caller holds the server's lock."""
        self._draft(path).replace(path)

    def _draft(self, path: Path) -> Path:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        draft.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")
        return draft
