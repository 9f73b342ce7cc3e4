"""Fixtures of search: real servers shared by a whole test run, and an index prefix for each test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from accord.embedded import EmbeddedCluster
from accord.types import Lease
from tests.conformance.harness_search import SearchHarness

MakeHarness = Callable[..., SearchHarness]


@contextmanager
def shared_server(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Give the URL of a server that all workers of a run share; whoever started it ends it, last.

    A server that is named by the environment (`ACCORD_TEST_OPENSEARCH_URL`) is used instead.
    """
    given = os.environ.get(f"ACCORD_TEST_{name.upper()}_URL")
    if given:
        yield given
        return
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"search-{name}"
    users = home / "users"
    users.mkdir(parents=True, exist_ok=True)
    owner = _first(home)
    mine = users / str(os.getpid())
    mine.touch()
    cluster = EmbeddedCluster(home / "servers", [name], die_with_parent=owner)
    try:
        cluster.start()
        yield cluster.urls()[name]
    finally:
        mine.unlink()
        if owner:
            _wait_for_others(users)
            cluster.stop()


def _first(home: Path) -> bool:
    try:
        (home / "owner").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _wait_for_others(users: Path) -> None:
    while any(_alive(int(user.name)) for user in users.iterdir()):
        time.sleep(0.1)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="session")
def opensearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of OpenSearch with k-NN."""
    with shared_server("opensearch", tmp_path_factory) as url:
        yield url


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of the core of Elasticsearch, which has no `_reindex` and no language analyzers."""
    with shared_server("elasticsearch", tmp_path_factory) as url:
        yield url


@pytest.fixture(params=["opensearch", "elasticsearch"])
def search_url(request: pytest.FixtureRequest) -> str:
    """Give the address of each engine in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def make_search_harness(tmp_path: Path) -> Iterator[MakeHarness]:
    """Give a maker of search stores with revision files of their own."""
    made: list[SearchHarness] = []

    def make(url: str, revisions: Mapping[str, str] | None = None) -> SearchHarness:
        made.append(SearchHarness(tmp_path, url, revisions=revisions))
        return made[-1]

    yield make
    for harness in made:
        harness.close()


@pytest.fixture
def search_harness(make_search_harness: MakeHarness, opensearch_url: str) -> SearchHarness:
    """Give a search store on OpenSearch with the revisions of the conformance suite."""
    return make_search_harness(opensearch_url)


def lease(fence: int = 1) -> Lease:
    """Give a lease with a fencing token."""
    return Lease(scope="test", owner="test", run_id=f"run-{fence}", fence=fence)


OVERTAKE: list[Callable[[], object]] = []
"""What a revision of a test calls while it is being applied."""
