"""Servers that can't be used: each is told with its reason and the next move, and nothing is changed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient

from accord.errors import AccordError, StoreRefused, StoreUnavailable
from accord.testing import make_lease
from mongo_migrations.errors import ReplicaSetRequired
from mongo_migrations.store import MongoStore
from tests.conformance.harness_mongo import MongoHarness
from tests.fix_mongodb import OddMongod

pytestmark = pytest.mark.integration

Servers = Callable[..., OddMongod]
Harnesses = Callable[[str], MongoHarness]


@pytest.fixture
def new_harness(tmp_path: Path, odd_mongod: Servers) -> Iterator[Harnesses]:
    """Give a maker of harnesses; they go before the odd servers do, which they say goodbye to."""
    made: list[MongoHarness] = []

    def make(url: str) -> MongoHarness:
        made.append(MongoHarness(tmp_path, url))
        return made[-1]

    yield make
    for harness in made:
        harness.close()


@pytest.fixture(autouse=True)
def short_timeout() -> Iterator[None]:
    with override_settings(ACCORD={"CONNECT_TIMEOUT": 1}):
        yield


def test_unreachable_server_is_told_within_the_timeout() -> None:
    """Nobody waits for the driver's half minute, and the password stays out of the message."""
    store = MongoStore("mongodb", {"URL": "mongodb://ada:geheim@127.0.0.1:9/music"})
    started = time.monotonic()

    with pytest.raises(StoreUnavailable) as caught:
        store.applied()

    assert time.monotonic() - started < 4
    assert "127.0.0.1:9" in caught.value.message
    assert "geheim" not in caught.value.message + caught.value.hint
    assert caught.value.hint
    store.close()


def test_wrong_password_is_refused_and_not_shown(tmp_path: Path, odd_mongod: Servers) -> None:
    """A server that asks for a password tells a wrong one and a missing one from no server."""
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(20))
    key.chmod(0o600)
    server = odd_mongod("--replSet", "rs0", "--auth", "--keyFile", str(key))
    server.initiate()
    with MongoClient[Any](server.url()) as client:
        client.admin.command({"createUser": "ada", "pwd": "right", "roles": ["root"]})
    address = f"127.0.0.1:{server.port}/music?replicaSet=rs0&authSource=admin"

    for credentials in ("ada:wrong@", ""):
        store = MongoStore("mongodb", {"URL": f"mongodb://{credentials}{address}"})
        for question in (store.ping, store.applied):
            with pytest.raises(StoreRefused) as caught:
                question()
            assert "wrong" not in caught.value.message
        store.close()

    right = MongoStore("mongodb", {"URL": f"mongodb://ada:right@{address}"})
    assert right.ping().detail == "replica set rs0"
    right.close()


def test_server_that_stands_alone(odd_mongod: Servers, new_harness: Harnesses) -> None:
    """Without a replica set the ping refuses, and so does every step that needs a transaction."""
    server = odd_mongod()
    strict = MongoStore("mongodb", {"URL": server.url("music")})
    with pytest.raises(ReplicaSetRequired) as caught:
        strict.ping()
    assert "rs.initiate()" in caught.value.hint
    strict.close()

    harness = new_harness(server.url("music"))
    lax = MongoStore("mongodb", {"URL": server.url("music"), "REPLICA_SET_REQUIRED": False})
    assert lax.ping().detail == "stands alone"
    lax.apply(harness.step("0001_playlists"), make_lease())
    before = harness.observe()
    with pytest.raises(ReplicaSetRequired):
        lax.apply(harness.step("0002_plays"), make_lease())

    assert harness.observe() == before
    assert [key.name for key in lax.applied()] == ["0001_playlists"]
    lax.revert(harness.step("0001_playlists"), make_lease())
    assert harness.observe() == {}
    lax.close()


def test_replica_set_that_nobody_initiated(odd_mongod: Servers) -> None:
    """The message says that one command is missing, not that the server is down."""
    server = odd_mongod("--replSet", "rs0")
    for options in ("replicaSet=rs0", "directConnection=true"):
        store = MongoStore("mongodb", {"URL": server.url("music", options)})
        with pytest.raises(ReplicaSetRequired, match="initiate"):
            store.ping()
        store.close()


def test_server_that_hangs_is_unavailable(odd_mongod: Servers) -> None:
    """A server that accepts connections and answers nothing counts as unreachable."""
    server = odd_mongod("--replSet", "rs0")
    server.initiate()
    store = MongoStore("mongodb", {"URL": server.url("music", "replicaSet=rs0")})
    server.pause()
    try:
        with pytest.raises(StoreUnavailable):
            store.ping()
    finally:
        server.resume()
        store.close()


FAULTS: dict[str, dict[str, Any]] = {
    "update_cut": {"failCommands": ["update"], "closeConnection": True},
    "commit_cut": {"failCommands": ["commitTransaction"], "closeConnection": True},
    "answer_of_commit_lost": {
        "failCommands": ["commitTransaction"],
        "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"},
    },
    "write_conflict": {
        "failCommands": ["findAndModify"],
        "errorCode": 112,
        "errorLabels": ["TransientTransactionError"],
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_trouble_in_a_backfill_costs_a_retry_and_no_document(
    new_harness: Harnesses, faulty_url: str, fault: str
) -> None:
    """Lost connections, lost answers and conflicts are repeated by the labels that the server gives."""
    harness = new_harness(faulty_url)
    store = harness.store()
    store.apply(harness.step("0001_playlists"), make_lease())
    with MongoClient[Any](faulty_url) as client:
        failing = {"mode": {"times": 3}, "data": {**FAULTS[fault], "appName": "accord"}}
        client.admin.command({"configureFailPoint": "failCommand", **failing})

        store.apply(harness.step("0002_plays"), make_lease())

        assert client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})["count"] >= 3
    assert harness.db.playlists.count_documents({"plays": 1}) == 300


@pytest.fixture
def faulty_url(odd_mongod: Servers) -> str:
    """Give a replica set that can be told to fail."""
    server = odd_mongod("--replSet", "rs0", "--setParameter", "enableTestCommands=1")
    server.initiate()
    return server.url("music", "replicaSet=rs0")


def test_first_writes_of_ten_threads_at_once_make_one_ledger(mongo_url: str, new_harness: Harnesses) -> None:
    """The ledger may be created by many at the same moment; nobody fails, nothing is doubled."""
    harness = new_harness(mongo_url)
    step = harness.step("0001_playlists")
    errors: list[AccordError] = []
    begin = threading.Barrier(10)

    def record() -> None:
        store = MongoStore("mongodb", {"URL": mongo_url})
        begin.wait()
        try:
            store._connected_ledger().complete(step, make_lease(7), 2)
        except AccordError as exc:
            errors.append(exc)
        finally:
            store.close()

    threads = [threading.Thread(target=record) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert harness.db.accord_ledger.count_documents({}) == 2
