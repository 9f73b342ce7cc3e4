"""Where embedded servers keep their data, and where their programs are unpacked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class EmbeddedPaths:
    """
    The two folders of a set of embedded servers.

    Attributes:
        home: Holds one folder a server: data, log, port, password.
        cache: Downloads and unpacked programs, shared by every checkout of a user.
    """

    home: Path
    cache: Path

    @classmethod
    def of(cls, root: Path) -> EmbeddedPaths:
        """
        Find the folders that belong to a checkout.

        Args:
            root: The checkout's folder; `ACCORD_HOME` overrides what follows from it.
        """
        home = os.environ.get("ACCORD_HOME")
        return cls(home=Path(home).absolute() if home else root.absolute() / ".accord", cache=cache_folder())


def cache_folder() -> Path:
    """Find the download cache: `ACCORD_CACHE`, else the user's cache folder."""
    if own := os.environ.get("ACCORD_CACHE"):
        return Path(own).absolute()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).absolute() / "accord"
    return Path.home() / ".cache" / "accord"
