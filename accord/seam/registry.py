"""The registry: builds the configured stores by dotted path, each when it is first asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from accord import conf, extras, isolation
from accord.errors import ConfigurationError, UnknownStore
from accord.seam.stores import Closes, Store


class Registry(Mapping[str, Store]):
    """
    The stores of a project by alias, in the order of the plan.

    A store's class is called with its alias and its options (the entry in
    `ACCORD["STORES"]` without `BACKEND`). Looking at the aliases builds nothing.
    """

    def __init__(self, configured: Mapping[str, conf.StoreSettings]) -> None:
        self._configured = configured
        self._built: dict[str, Store] = {}

    def __getitem__(self, alias: str) -> Store:
        """
        Return a store, building it on the first call.

        Raises:
            UnknownStore: No store has this alias.
            ConfigurationError: Its class can't be imported or refuses its options.
        """
        if alias not in self._built:
            self._built[alias] = _build(self._settings(alias))
        return self._built[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(self._configured)

    def __len__(self) -> int:
        return len(self._configured)

    def _settings(self, alias: str) -> conf.StoreSettings:
        if alias in self._configured:
            return self._configured[alias]
        near = difflib.get_close_matches(alias, self._configured, n=1)
        guess = f"Did you mean “{near[0]}”? " if near else ""
        raise UnknownStore(
            f"There is no store “{alias}”.", hint=f"{guess}Configured stores: {', '.join(self._configured)}."
        )

    def close(self) -> None:
        """Close every connection that a built store holds."""
        for store in self._built.values():
            if isinstance(store, Closes):
                store.close()


def _build(settings: conf.StoreSettings) -> Store:
    try:
        extras.require(settings.backend.rpartition(".")[0], f"The store “{settings.alias}”")
        store_class = settings.backend_class()
    except (ImportError, AttributeError, ValueError) as exc:
        raise ConfigurationError(
            f"The backend {settings.backend} of the store “{settings.alias}” can't be imported: {exc}.",
            hint="Correct BACKEND, or install the package that has it.",
        ) from exc
    store: Store = store_class(settings.alias, isolation.options_of(settings))
    return store


@contextmanager
def opened() -> Iterator[Registry]:
    """
    Open the stores of the settings for one piece of work: a command, a request, a check, a task.

    Nothing is kept between two pieces of work, so no two threads ever share an adapter. Opening
    builds nothing: a store that isn't asked costs nothing.

    Yields:
        The stores; their connections are closed at the end.
    """
    stores = Registry(conf.load().store_settings())
    try:
        yield stores
    finally:
        stores.close()
