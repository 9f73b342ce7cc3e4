"""A private set of embedded servers in one folder, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from accord.embedded.base import ServerState
from accord.embedded.catalog import DEFAULT, delete_home, server, start_all, stop_all
from accord.embedded.paths import EmbeddedPaths, cache_folder
from accord.embedded.watchdog import Watchdog
from accord.events import Reporter, silent


class EmbeddedCluster:
    """
    A set of embedded servers in one folder.

    As a context manager it starts on entry and stops on exit.

    Args:
        root: The folder for their data; `ACCORD_HOME` does not change it.
        names: Which servers.
        die_with_parent: End them also when this process ends without calling `stop`,
            by SIGKILL included. For tests.
        delete: Delete the folder after stopping.
        cache: Where programs are unpacked, instead of the user's cache folder.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str] = DEFAULT,
        *,
        die_with_parent: bool = False,
        delete: bool = False,
        cache: Path | None = None,
    ) -> None:
        self.paths = EmbeddedPaths(home=root.absolute(), cache=cache or cache_folder())
        self.servers = [server(self.paths, name) for name in names]
        self._delete = delete
        self._watchdog = Watchdog(self.paths.home, delete=delete) if die_with_parent else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()

    def start(self, reporter: Reporter = silent) -> list[ServerState]:
        """Start what doesn't run; see `ensure_running`."""
        if self._watchdog is not None:
            self._watchdog.watch()
        return start_all(self.servers, reporter, may_move=True)

    def urls(self) -> dict[str, str]:
        """Return each server's URL by name."""
        return {each.name: each.url() for each in self.servers}

    def status(self) -> list[ServerState]:
        """Look at each server."""
        return [each.status() for each in self.servers]

    def stop(self, reporter: Reporter = silent) -> None:
        """Stop every server; with `delete`, remove their folder."""
        stop_all(self.servers, reporter)
        if self._delete:
            delete_home(self.servers)
        if self._watchdog is not None:
            self._watchdog.dismiss()
