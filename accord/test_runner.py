"""
Test runners of Django that make a test store of every store, as Django's own do of its databases.

    TEST_RUNNER = "accord.test_runner.StoresDiscoverRunner"
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.core.management.base import CommandError
from django.db import connections
from django.test import runner as django_runner
from django.test.runner import DiscoverRunner, ParallelTestSuite

from accord import conf, isolation
from accord.errors import AccordError

PREPARING = "migrator.test_stores"
"""What makes and removes test stores; the package lies above this one."""
STEPPING = "migrator.test_steps"
"""What takes them from step to step; likewise."""


def _init_worker(counter: Any, *args: Any, **kwargs: Any) -> None:
    """Switch a worker to the databases, and then to the stores, that were made for it."""
    django_runner._init_worker(counter, *args, **kwargs)  # type: ignore[attr-defined]  # noqa: SLF001
    isolation.begin(str(django_runner._worker_id))  # type: ignore[attr-defined]  # noqa: SLF001


class StoresTestSuite(ParallelTestSuite):
    """Tests in several processes, each with test stores of its own."""

    init_worker = _init_worker


class StoresRunnerMixin:
    """Makes and removes test stores; put it in front of a project's own runner class."""

    parallel_test_suite: type[ParallelTestSuite] = StoresTestSuite

    def setup_test_environment(self, **kwargs: Any) -> None:
        """Isolate every store, before anything is asked."""
        isolation.begin()
        super().setup_test_environment(**kwargs)  # type: ignore[misc]

    def teardown_test_environment(self, **kwargs: Any) -> None:
        """Let go."""
        super().teardown_test_environment(**kwargs)  # type: ignore[misc]
        isolation.end()

    def get_databases(self, suite: Any) -> Any:
        """Return the databases that tests use: where they use any, all that a store may depend on."""
        found = super().get_databases(suite)  # type: ignore[misc]
        if found and conf.load().configured_stores():
            return {**dict.fromkeys(connections.databases, False), **found}
        return found

    def setup_databases(self, **kwargs: Any) -> Any:
        """
        Make Django's test databases, then the stores beside them.

        Raises:
            CommandError: A test store can't be made; those of Django are gone again.
        """
        isolation.remember_databases()
        made = super().setup_databases(**kwargs)  # type: ignore[misc]
        if made:
            try:
                for_each_worker(self._workers, prepare(keep=self.keepdb))
            except AccordError as exc:
                super().teardown_databases(made, **kwargs)  # type: ignore[misc]
                raise CommandError(f"{exc}\n  {exc.hint}") from exc
        return made

    def teardown_databases(self, old_config: Any, **kwargs: Any) -> None:
        """Remove the stores, then Django's test databases."""
        try:
            if old_config and not self.keepdb:
                for_each_worker(self._workers, remove())
        finally:
            super().teardown_databases(old_config, **kwargs)  # type: ignore[misc]

    keepdb: bool
    parallel: int

    @property
    def _workers(self) -> int:
        return self.parallel if self.parallel > 1 else 0


class StoresDiscoverRunner(StoresRunnerMixin, DiscoverRunner):
    """Django's own runner, with test stores."""


def prepare(*, keep: bool) -> Callable[[], None]:
    """Return what makes the test stores of a worker."""
    return lambda: import_module(PREPARING).prepare(keep=keep)


def remove() -> Callable[[], None]:
    """Return what removes the test stores of a worker."""
    return lambda: import_module(PREPARING).remove()


def steps_in_tests() -> Any:
    """Return what takes the test stores from step to step, for one test."""
    return import_module(STEPPING).StepsInTests()


def for_each_worker(workers: int, act: Callable[[], None]) -> None:
    """
    Do something for the test stores of this process, and for those of each worker that is going to be.

    Args:
        workers: How many there are going to be.
        act: What is done.
    """
    act()
    for number in range(1, workers + 1):
        before = {alias: dict(connections.databases[alias]) for alias in connections.databases}
        try:
            for alias in connections:
                if not isolation.is_real(alias):
                    connections[alias].creation.setup_worker_connection(number)
            with isolation.suffixed(str(number)):
                act()
        finally:
            for alias, entry in before.items():
                connections[alias].close()
                connections.databases[alias].update(entry)
