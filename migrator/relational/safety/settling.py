"""The part of a database's store that is told which steps it may send in parts."""

from __future__ import annotations

from abc import ABC

from accord.seam.rewriting import AS_EVER, Rewriting


class Settles(ABC):
    """A store that may send steps in parts; until it is told otherwise, those that lock large tables."""

    _rewriting: Rewriting = AS_EVER
    _holder: tuple[str, int] | None

    def settle(self, rewriting: Rewriting) -> None:
        """Take note of which steps may be sent in parts. See :class:`accord.seam.rewriting.Rewrites`."""
        self._rewriting = rewriting
        self._holder = None  # what knows it is made anew
