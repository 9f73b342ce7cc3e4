"""Copies from store to store that the apps of a project declare, each in its `copies.py`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from accord.errors import ConfigurationError, UsageError

MODULE = "copies"
ID = "_id"
"""What tells one document from another in every target; the key of its row makes it."""
_LIST = "COPIES"
_NAME = re.compile(r"^[a-z0-9_]{1,50}$")
_HINT = "See docs/howto/copy-between-stores.md."


@dataclass(frozen=True, kw_only=True)
class From:
    """
    What is copied.

    Attributes:
        store: Alias of the store.
        name: A model as `app.Model`, a table, or a collection.
        columns: Which columns, or members of documents; none for all that a table has.
        query: Which rows or documents, in the store's own words; empty for all.
    """

    store: str
    name: str
    columns: Sequence[str] = ()
    query: str = ""


@dataclass(frozen=True, kw_only=True)
class Into:
    """
    Where it goes. All that is there belongs to the copy.

    Attributes:
        store: Alias of the store.
        name: A collection or an index that is there.
    """

    store: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Copy:
    """
    A collection or an index that is filled from another store.

    Attributes:
        name: What it is called at the command line.
        source: What is copied.
        target: Where it goes.
        names: Columns that are called otherwise in documents.
        constants: What every document has besides.
        row: Dotted path of a function that takes the document of a row, and returns what is written.
        key: Columns that make the `_id`; the primary key unless given. No two rows have the same.
        personal: Whether columns go along that the data map calls personal. The target has to stand in the
            data map then, and whoever copies needs the permission `accord.export_personal`.
    """

    name: str
    source: From
    target: Into
    names: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    row: str = ""
    key: Sequence[str] = ()
    personal: bool = False

    def __post_init__(self) -> None:
        """
        Check what can be checked without a store.

        Raises:
            ConfigurationError: Something doesn't fit.
        """
        problem = self._problem()
        if problem:
            raise ConfigurationError(f"Copy({self.name!r}): {problem}.", hint=_HINT)

    def _problem(self) -> str:
        if not _NAME.match(self.name):
            return "its name has to be 1 to 50 of a-z, 0-9 and _"
        given = Counter((*self.names.values(), *self.constants))
        twice = sorted(name for name, count in given.items() if count > 1)
        if twice:
            return f"documents would have {', '.join(twice)} twice"
        return f"{ID} is made of the key, and can't be given" if ID in given else ""


def declarations() -> Mapping[str, Copy]:
    """
    Read `COPIES` in the `copies.py` of every installed app that has one.

    Returns:
        What is declared, by name.

    Raises:
        ConfigurationError: Something else stands there, a name twice, or a target of two copies.
    """
    found: dict[str, Copy] = {}
    targets: dict[Into, str] = {}
    for copy in _all():
        other = copy.name if copy.name in found else targets.get(copy.target)
        if other is not None:
            fact = "is declared twice" if other == copy.name else f"fills what “{other}” fills"
            raise ConfigurationError(f"The copy “{copy.name}” {fact}.", hint=_HINT)
        found[copy.name], targets[copy.target] = copy, copy.name
    return found


def declared_as(name: str) -> Copy:
    """
    Return the copy of a name.

    Raises:
        UsageError: No app declares it.
    """
    found = declarations()
    if name not in found:
        raise UsageError(
            f"No app declares a copy “{name}”. Declared: {', '.join(sorted(found)) or 'none'}.",
            hint=f"Write COPIES = [Copy(...)] into the copies.py of an app. {_HINT}",
        )
    return found[name]


def _all() -> Iterator[Copy]:
    for config in apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, MODULE):
            continue
        module = import_module(f"{config.name}.{MODULE}")
        for copy in getattr(module, _LIST, ()):
            if not isinstance(copy, Copy):
                raise ConfigurationError(
                    f"{_LIST} of {module.__name__} holds a {type(copy).__name__}, which is no Copy.",
                    hint=_HINT,
                )
            yield copy
