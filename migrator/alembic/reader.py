"""Reading a history from disk, each file once for as long as it stays as it is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from accord.seam.types import Source, Step
from migrator.alembic import scripts
from migrator.alembic.history import History, build
from migrator.alembic.layout import HistoryConfig, NeedsAlembic
from migrator.alembic.scripts import Script
from migrator.errors import LedgerOrphan

if TYPE_CHECKING:
    from migrator.alembic.environment import HistoryEnvironment

_Signature = tuple[int, int, int]
_UNKNOWN = (0, 0, 0)


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

    def current(self, step: Step) -> History:
        """
        Return the history for one step: as it was last read, unless the step's own file has changed.

        Listing a thousand files before each of a thousand steps would take longer than the steps.

        Raises:
            LedgerOrphan: No file declares the step's revision.
            RevisionError: A revision can't be used.
        """
        if self._history is None or not self._is_current(self._history[1], step.key.name):
            self.history()
        history = self._history[1] if self._history else self.history()
        if step.key.name not in history.scripts:
            raise LedgerOrphan(
                f"No file declares the revision of {step.key}.",
                hint="Restore the file from version control, or strike the entry: "
                f'migrate_all --forget {step.key} --reason "WHY"',
            )
        return history

    def _is_current(self, history: History, revision: str) -> bool:
        script = history.scripts.get(revision)
        if script is None:
            return False
        signature = self._files[script.path][0]
        return signature == _UNKNOWN or (script.path.exists() and signature == _signature(script.path))

    def source(self, script: Script) -> Source:
        """Return the file behind a revision that :meth:`history` has given."""
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
        signature = _signature(path)
        known = self._files.get(path)
        if known is None or known[0] != signature:
            with warnings.catch_warnings():
                # An odd escape in somebody's docstring is theirs to see when they run `alembic`.
                warnings.simplefilter("ignore")
                known = (signature, scripts.read(path), Source(path))
            self._files[path] = known
        return known[1]

    def _remembered(self, script: Script) -> Script:
        self._files[script.path] = (_UNKNOWN, script, Source(script.path))
        return script


def _signature(path: Path) -> _Signature:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino
