"""
Isolation: while tests run, every store is a test store, as Django makes it of its own databases.

That tests run is seen from Django itself, so that no runner can be forgotten: whoever asks for the options
of a store is given those of its test store, or an error; never the real ones (docs/adr/0025-test-stores.md).
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import connections

from accord import conf, db, extras
from accord.errors import ConfigurationError

TEST = "TEST"
"""Name of the entry of a store's options that says what its test store is like."""


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """
    What this process knows of the tests that it runs.

    Attributes:
        begun: Whether a runner of ours has said that tests run.
        suffix: Tells the test stores of this worker from those of its siblings.
        real: Names of the databases of `DATABASES` before Django made test databases of them.
        modules: `MIGRATION_MODULES` as the settings have it, None where nobody remembered it.
        lifted: Whether the stores are those of the settings nevertheless.
    """

    begun: bool = False
    suffix: str = ""
    real: Mapping[str, str] = field(default_factory=dict)
    modules: Any = None
    lifted: bool = False


_current = Isolation()


def begin(suffix: str = "") -> None:
    """
    Isolate every store from now on.

    Args:
        suffix: Tells this worker's test stores from those of its siblings, as `gw0` or `1`.
    """
    _change(begun=True, suffix=suffix)


def end() -> None:
    """Leave the decision to what Django says."""
    _change(begun=False, suffix="", real={}, modules=None)


def remember_databases() -> None:
    """Note what Django's databases are called and migrated by, before test databases are made of them."""
    names = {alias: str(connections.databases[alias]["NAME"]) for alias in connections.databases}
    _change(real=names, modules=settings.MIGRATION_MODULES)


def made_from_models() -> Collection[str]:
    """
    Name the test databases whose tables Django made from the models, and by no migration.

    A runner that took all migrations away for that (`--nomigrations` of pytest-django) is undone: the
    databases are there, and what is asked from now on is what stands in them.
    """
    everywhere = _current.modules is not None and settings.MIGRATION_MODULES is not _current.modules
    if everywhere:
        settings.MIGRATION_MODULES = _current.modules
    found = {alias: connections.databases[alias].get("TEST") or {} for alias in connections.databases}
    return {
        alias
        for alias, test in found.items()
        if not is_real(alias) and (everywhere or test.get("MIGRATE") is False)
    }


@contextmanager
def lifted() -> Iterator[None]:
    """Let stores be those of the settings, for tests that make servers and databases of their own."""
    before = _current.lifted
    _change(lifted=True)
    try:
        yield
    finally:
        _change(lifted=before)


@contextmanager
def suffixed(suffix: str) -> Iterator[None]:
    """Work on the test stores of another worker for the time of a block."""
    before = _current.suffix
    _change(suffix=suffix)
    try:
        yield
    finally:
        _change(suffix=before)


def is_testing() -> bool:
    """Return whether tests run in this process: one of our runners has begun, or any runner of Django's."""
    # Django's own mark; whoever doesn't test has not even loaded the module.
    state = getattr(sys.modules.get("django.test.utils"), "_TestState", None)
    return not _current.lifted and (_current.begun or hasattr(state, "saved_data"))


def is_real(alias: str) -> bool:
    """
    Return whether tests run and a database of `DATABASES` is the real one nevertheless.

    Django makes test databases only of those that a test declares.

    Args:
        alias: The database.
    """
    if not is_testing() or alias not in connections.databases:
        return False
    entry = connections.databases[alias]
    name = str(entry["NAME"])
    if alias in _current.real:
        return name == _current.real[alias] and not _is_memory(entry)
    declared = (entry.get("TEST") or {}).get("NAME")
    return not (name.startswith("test_") or name == declared or _is_memory(entry))


def real_name(alias: str) -> str:
    """
    Return what a database of `DATABASES` is called when no tests run.

    Args:
        alias: The database.
    """
    name = str(connections.databases[alias]["NAME"])
    return _current.real.get(alias) or (name.removeprefix("test_") if is_testing() else name)


def refuse_real(alias: str) -> None:
    """
    Make sure that nothing is done in a real database while tests run.

    Raises:
        ConfigurationError: The database is the real one.
    """
    if is_real(alias):
        raise ConfigurationError(
            f"Tests run, and Django made no test database of “{alias}”: this would work on the real one.",
            hint=f"Name it where the test declares its databases: databases = {{'{alias}'}}, or "
            f"@pytest.mark.django_db(databases=['{alias}']).",
        )


def options_of(store: conf.StoreSettings) -> Mapping[str, object]:
    """
    Return what a store's class is called with: the options of its test store while tests run.

    Args:
        store: The store.

    Raises:
        ConfigurationError: There can be no test store: `TEST` doesn't fit, or names the real one.
    """
    options = {name: value for name, value in store.configured.items() if name != TEST}
    return isolated_options(store, _current.suffix) if is_testing() else options


def isolated_options(store: conf.StoreSettings, suffix: str = "") -> Mapping[str, object]:
    """
    Return the options of a store's test store.

    Args:
        store: The store, with the options that the settings give it.
        suffix: See :func:`begin`.

    Raises:
        ConfigurationError: As for :func:`options_of`.
    """
    options = {name: value for name, value in store.configured.items() if name != TEST}
    given = store.configured.get(TEST, {})
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"ACCORD['STORES']['{store.alias}']['TEST'] must be a dictionary.",
            hint="See docs/howto/test-a-project.md.",
        )
    if store.backend == conf.RELATIONAL_BACKEND:
        return options
    extras.require(store.backend.rpartition(".")[0], f"The store “{store.alias}”")
    backend = store.backend_class()
    # The seam, whose `HasTestStore` this is, stands above this module.
    if not hasattr(backend, "test_options"):
        return _replaced(store.alias, options, given)
    made: Mapping[str, object] = backend.test_options(store.alias, options, given, suffix)
    _refuse_shared(backend, store, made)
    return made


def _replaced(alias: str, options: Mapping[str, object], given: Mapping[str, object]) -> Mapping[str, object]:
    """Put `TEST` in the place of the options of the same names, for a class that knows of no test stores."""
    made = {**options, **given}
    if made == options:
        raise ConfigurationError(
            f"Tests run, and the class of the store “{alias}” can't tell where its test store is.",
            hint=f"Say it: ACCORD['STORES']['{alias}']['TEST'] = {{...}}; its options take the place of the "
            "store's own while tests run.",
        )
    return made


def _refuse_shared(backend: Any, store: conf.StoreSettings, made: Mapping[str, object]) -> None:
    """Make sure that a test store is no real one, neither its own nor another's of the same class."""
    for alias, other in conf.load().configured_stores().items():
        if other.backend != store.backend:
            continue
        options = {name: value for name, value in other.configured.items() if name != TEST}
        if backend.overlaps(made, options):
            raise ConfigurationError(
                f"The test store of “{store.alias}” would be the real store “{alias}”: tests begin and end "
                "by emptying it.",
                hint=f"Give ACCORD['STORES']['{store.alias}']['TEST'] another name, or leave it out.",
            )


def _is_memory(entry: Mapping[str, Any]) -> bool:
    name = str(entry["NAME"])
    return db.product_of(entry["ENGINE"]) == "sqlite" and (":memory:" in name or "mode=memory" in name)


def _change(**values: Any) -> None:
    global _current  # noqa: PLW0603 - tests run once in a process
    _current = replace(_current, **values)
