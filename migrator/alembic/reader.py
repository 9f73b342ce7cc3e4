"""Reading a history from disk, each file once for as long as it stays as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from accord.types import Source
from migrator.alembic import scripts
from migrator.alembic.history import History, build
from migrator.alembic.layout import HistoryConfig, NeedsAlembic
from migrator.alembic.scripts import Script

if TYPE_CHECKING:
    from migrator.alembic.environment import HistoryEnvironment

_Signature = tuple[int, int, int]


class Reader:
    """
    The revision files of a history.

    Args:
        config: The history's configuration.
        environment: Gives Alembic's view, for what can't be told without it.
    """

    def __init__(self, config: HistoryConfig, environment: Callable[[], HistoryEnvironment]) -> None:
        self._config = config
        self._environment = environment
        self._files: dict[Path, tuple[_Signature, Script, Source]] = {}
        self._history: tuple[tuple[Script, ...], History] | None = None

    def history(self) -> History:
        """
        Read what is on disk now.

        Raises:
            ConfigurationError: The configuration can't be used.
            RevisionError: A revision can't be used.
        """
        found = tuple(self._scripts())
        if self._history is None or self._history[0] != found:
            self._history = (found, build(found))
        return self._history[1]

    def source(self, script: Script) -> Source:
        """Give the file behind a revision that :meth:`history` has given."""
        return self._files[script.path][2]

    def _scripts(self) -> Iterator[Script]:
        try:
            paths: Iterable[Path] = list(self._config.layout().files())
        except NeedsAlembic:
            yield from map(self._remembered, self._environment().scripts())
            return
        for path in paths:
            yield self._read(path)

    def _read(self, path: Path) -> Script:
        status = path.stat()
        signature = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._files.get(path)
        if known is None or known[0] != signature:
            with warnings.catch_warnings():
                # An odd escape in somebody's docstring is theirs to see when they run `alembic`.
                warnings.simplefilter("ignore")
                known = (signature, scripts.read(path), Source(path))
            self._files[path] = known
        return known[1]

    def _remembered(self, script: Script) -> Script:
        self._files[script.path] = ((0, 0, 0), script, Source(script.path))
        return script
