"""Indexes under a store's prefix that no search revision declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from accord.seam.undeclared import OWN, Undeclared
from searchindex.names import Names
from searchindex.operations.base import Expected
from searchindex.transport import Transport, at


def undeclared(transport: Transport, names: Names, expected: Expected, ledger: str) -> Iterator[Undeclared]:
    """
    Name them. Hidden indexes, and those that begin with a dot, are the server's.

    Args:
        transport: The server.
        names: How the store names things.
        expected: What its revisions leave.
        ledger: The ledger's alias.
    """
    path = f"{at(names.prefix + '*')}/_alias?expand_wildcards=open,closed&ignore_unavailable=true"
    found = transport.find(path) or {}
    known = _Known(names, expected, ledger)
    for index in sorted(found):
        own = index.startswith(names.prefix) and not index.startswith(".")
        if own and not known.covers(index, found[index].get("aliases", {})):
            yield Undeclared(what="index", name=index)


class _Known:
    """What counts as declared: behind a declared alias, named as revisions name, or of a template."""

    def __init__(self, names: Names, expected: Expected, ledger: str) -> None:
        standing = {item: wanted for item, wanted in expected.objects.items() if wanted is not None}
        self._names = names
        self._aliases = {
            ledger,
            *(names.alias(name) for kind, name in standing if kind in ("index", "alias")),
        }
        self._exact = {name for kind, name in standing if kind == "physical"}
        self._patterns = [
            names.alias(pattern)
            for (kind, _), wanted in standing.items()
            if kind == "template"
            for pattern in _patterns(wanted)
        ]

    def covers(self, index: str, aliases: Collection[str]) -> bool:
        """Check whether a revision, or the suite itself, may have made an index."""
        plain = index.removeprefix(self._names.prefix)
        if plain.startswith(OWN) or index in self._exact or not self._aliases.isdisjoint([index, *aliases]):
            return True
        name, _, number = index.rpartition("-")
        if number.isdigit() and name in self._aliases:
            return True  # an earlier one, which a copy left behind
        return any(fnmatchcase(index, pattern) for pattern in self._patterns)


def _patterns(wanted: Mapping[str, Any]) -> Collection[str]:
    found: Collection[str] = wanted.get("index_patterns", ())
    return found
