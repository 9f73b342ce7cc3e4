"""Stores are opened for one piece of work, and never shared."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.test import override_settings

from accord.errors import UnknownStore
from accord.seam.registry import Registry, opened
from accord.testing import MemoryStore


class Connected(MemoryStore):
    """A store that remembers whether it was closed."""

    def __init__(self, alias: str, options: Mapping[str, object]) -> None:
        super().__init__(alias)
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _two_stores() -> Iterator[None]:
    entry = {"BACKEND": f"{__name__}.Connected"}
    changed = {**settings.ACCORD, "STORES": {"first": entry, "second": entry}}
    with override_settings(ACCORD=changed):
        yield


def closed(stores: Registry, alias: str) -> int:
    """Give how often a store was closed."""
    store = stores[alias]
    assert isinstance(store, Connected)
    return store.closed


def test_every_piece_of_work_has_adapters_of_its_own() -> None:
    """One after the other and one inside the other: no adapter is met twice."""
    with opened() as stores, opened() as others:
        assert stores["first"] is stores["first"]
        assert stores["first"] is not others["first"]
        met = stores["first"]
    with opened() as again:
        assert again["first"] is not met


def test_stores_are_closed_when_the_work_is_done_or_fails() -> None:
    """Whoever looked into one lets its connections go, whatever happened."""
    with opened() as stores:
        assert closed(stores, "first") == 0
    assert closed(stores, "first") == 1

    with pytest.raises(UnknownStore), opened() as stores:  # noqa: PT012 - the first one must be open
        stores["first"].ping()
        stores["third"].ping()
    assert closed(stores, "first") == 1


def test_store_that_is_not_asked_is_not_built() -> None:
    """A command that reads the lease alone loads no driver."""
    with opened() as stores:
        stores["first"].ping()
        assert list(stores)[-2:] == ["first", "second"]

    assert closed(stores, "second") == 0, "built after the end, so never closed"


def test_threads_never_meet_on_an_adapter() -> None:
    """Two threads at work at the same moment hold different adapters."""
    both = threading.Barrier(2)

    def work(_: int) -> int:
        with opened() as stores:
            store = stores["first"]
            both.wait(10)
            return id(store)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(work, range(2))

    assert first != second
