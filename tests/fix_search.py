"""Fixtures of search: real servers shared by a whole test run, and an index prefix for each test."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from accord.embedded import EmbeddedCluster
from accord.seam.types import Lease
from tests.conformance.harness_search import SearchHarness

MakeHarness = Callable[..., SearchHarness]


@contextmanager
def shared_server(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Give the URL of a server that all workers of a run share.

    Whoever finds it down starts it and ends it, once nobody uses it any more: a worker may come
    when all the others have gone. A server that is named by the environment
    (`ACCORD_TEST_OPENSEARCH_URL`) is used instead.
    """
    given = os.environ.get(f"ACCORD_TEST_{name.upper()}_URL")
    if given:
        yield given
        return
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"search-{name}"
    users = home / "users"
    users.mkdir(parents=True, exist_ok=True)
    mine = users / str(os.getpid())
    with _alone(home):
        mine.touch()
        started = not all(state.running for state in EmbeddedCluster(home / "servers", [name]).status())
        cluster = EmbeddedCluster(home / "servers", [name], die_with_parent=started)
        cluster.start()
    try:
        yield cluster.urls()[name]
    finally:
        mine.unlink()
        if started:
            _stop_when_unused(cluster, home, users)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep the other workers from starting or stopping the server meanwhile."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _stop_when_unused(cluster: EmbeddedCluster, home: Path, users: Path) -> None:
    while True:
        with _alone(home):
            if not any(Path(f"/proc/{user.name}").exists() for user in users.iterdir()):
                cluster.stop()
                return
        time.sleep(0.1)


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
        made.append(SearchHarness(tmp_path, url, texts=revisions))
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
