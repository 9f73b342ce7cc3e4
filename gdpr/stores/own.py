"""Whether stores belong to the environment of the settings: nobody is erased from another one's."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from accord import conf
from accord.errors import StoreUnavailable
from accord.identity import identity_of, refuse_foreign
from accord.seam.registry import Registry
from gdpr.datamap.externals import EXTERNAL


class Own:
    """
    What stores say of themselves, asked once in a piece of work.

    Args:
        opened: The stores.
    """

    def __init__(self, opened: Registry) -> None:
        self._opened = opened
        self._found: set[str] = set()
        self._looked = False

    def require(self, alias: str) -> None:
        """
        Make sure that a store says of itself that it belongs to this environment, or says nothing.

        Raises:
            ForeignEnvironment: It belongs to another one: nobody is erased from it.
            StoreUnavailable: It can't be asked.
        """
        # An external place says nothing of itself: which one it is, the project's own settings say.
        if alias not in self._found and not alias.startswith(EXTERNAL):
            refuse_foreign({alias: identity_of(self._opened[alias])}, conf.load().environment)
            self._found.add(alias)

    def require_all(self, aliases: Iterable[str]) -> None:
        """
        Ask stores once, before anything begins; one that is away is asked again before its first batch.

        Raises:
            ForeignEnvironment: One belongs to another environment.
        """
        if not self._looked:
            for alias in aliases:
                with suppress(StoreUnavailable):
                    self.require(alias)
            self._looked = True
