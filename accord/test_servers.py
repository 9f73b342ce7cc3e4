"""
Embedded servers for a run of tests: which ones, under which variables their addresses are, and when they end.

What the option `accord_embedded` of :mod:`accord.pytest_plugin` starts. Nothing here loads Django: settings
are read later.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from accord import embedded
from accord.errors import UsageError

VARIABLES: Mapping[str, str] = {
    "postgres": "DATABASE_URL",
    "mongodb": "MONGODB_URL",
    "opensearch": "ELASTICSEARCH_URL",
    "elasticsearch": "ELASTICSEARCH_URL",
}
"""By server: the variable in which settings look for its address, unless the project says another."""


def parse(words: Sequence[str]) -> Mapping[str, str]:
    """
    Read which servers are wanted.

    Args:
        words: `SERVER` or `SERVER=VARIABLE`, each once.

    Returns:
        Variable names by server.

    Raises:
        UsageError: A server is unknown or named twice, or two share a variable.
    """
    pairs = [word.partition("=")[::2] for word in words]
    names = [name for name, _ in pairs]
    embedded.check_names(names)
    wanted = {name: variable or VARIABLES[name] for name, variable in pairs}
    for what in (names, list(wanted.values())):
        for twice in sorted({each for each in what if what.count(each) > 1}):
            raise UsageError(
                f"accord_embedded says {twice} twice.",
                hint="Name each server once, and give each a variable of its own: SERVER=VARIABLE.",
            )
    return wanted


class ServersOfARun:
    """
    The servers of one run of tests, in a folder of their own that goes with them.

    They end with this process, by SIGKILL too.

    Args:
        wanted: Variable names by server; one that is set already stands for a server of somebody's own.
        environ: Where the addresses are put.
    """

    def __init__(self, wanted: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> None:
        self.given = {name: variable for name, variable in wanted.items() if environ.get(variable)}
        self.ours = {name: variable for name, variable in wanted.items() if name not in self.given}
        self._environ = environ
        self._before: dict[str, str | None] = {}
        self._cluster: embedded.EmbeddedCluster | None = None

    def begin(self, *, start: bool = True) -> None:
        """
        Start them, and put their addresses where settings look.

        Args:
            start: Whether to start them; without, there are addresses alone, for who only lists tests.

        Raises:
            EmbeddedError: A server can't be fetched or started.
        """
        if not self.ours:
            return
        home = Path(tempfile.mkdtemp(prefix="accord-tests-"))
        self._cluster = embedded.EmbeddedCluster(home, tuple(self.ours), die_with_parent=start, delete=True)
        if start:
            self._cluster.start()
        # Settings that ask accord.embedded for addresses find these servers by ACCORD_HOME.
        self._put("ACCORD_HOME", str(home))
        for name, url in self._cluster.urls().items():
            self._put(self.ours[name], url)

    def end(self) -> None:
        """End them, delete what they held, and leave the environment as it was."""
        if self._cluster is not None:
            self._cluster.stop()
            self._cluster = None
        for name, value in self._before.items():
            if value is None:
                self._environ.pop(name, None)
            else:
                self._environ[name] = value
        self._before.clear()

    def told(self) -> str:
        """Say in a line what runs; no address is in it."""
        started = ", ".join(f"{name} in {variable}" for name, variable in self.ours.items())
        given = ", ".join(f"{variable} as it is set" for variable in self.given.values())
        return "accord: embedded " + "; ".join(part for part in (started, given) if part)

    def _put(self, name: str, value: str) -> None:
        self._before[name] = self._environ.get(name)
        self._environ[name] = value
