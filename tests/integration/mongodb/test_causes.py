"""What ended a command of a step: each cause its own sentence and next move, on a server that says so."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pymongo import MongoClient

from accord.errors import AccordError, StepFailed, StoreRefused, StoreUnavailable
from accord.testing import make_lease
from tests.conformance.harness_mongo import MongoHarness
from tests.fix_mongodb import OddMongod

pytestmark = pytest.mark.integration
HEAD = "import mongo_migrations as mongo\n\n\n"
SLOW = 'db.command({{"count": "things", "query": {{"$where": "sleep(50) || true"}}{more}}})'
FUNCTION = HEAD + (
    "def act(db, session):\n    {body}\n\n\n"
    "class Migration(mongo.Migration):\n    operations = [mongo.RunPython(act, mongo.RunPython.noop)]\n"
)
COLLECTION = HEAD + 'class Migration(mongo.Migration):\n    operations = [mongo.CreateCollection("{name}")]\n'
SORT = 'list(db.things.aggregate([{"$sort": {"text": 1}}], allowDiskUse=False))'

REAL: Mapping[str, tuple[str, str, str]] = {
    "rights": (COLLECTION.format(name="forbidden"), "doesn't give us a right", "Grant it to the user"),
    "time": (
        FUNCTION.format(body=SLOW.format(more=', "maxTimeMS": 20')),
        "longer than maxTimeMS",
        "Raise maxTimeMS",
    ),
    "memory": (FUNCTION.format(body=SORT), "no memory left", "allowDiskUse"),
}
"""A revision, words of the message, and words of the hint."""
ARRANGED: Mapping[str, tuple[Mapping[str, Any], type[AccordError], str, str]] = {
    "lifetime": ({"errorCode": 290}, StepFailed, "transactionLifetimeLimit", "smaller batch_size"),
    "lock": ({"errorCode": 24}, StepFailed, "didn't get a lock", "db.currentOp()"),
    "disk": ({"errorCode": 14031}, StepFailed, "no room left on its disk", "Make room"),
    "read-only": ({"errorCode": 371}, StepFailed, "takes no writes from us", "setUserWriteBlockMode"),
    "not primary": ({"errorCode": 10107}, StoreUnavailable, "no primary that takes writes", "rs.status()"),
    "broken off": ({"closeConnection": True}, StoreUnavailable, "ended our connection", "log says who"),
}
"""What the server is told to answer to the command that makes a collection; the error, and its words."""


@pytest.fixture
def narrow(
    tmp_path: Path, odd_mongod: Callable[..., OddMongod]
) -> Iterator[tuple[MongoHarness, MongoClient[Any]]]:
    """Give a store whose user may do little, on a server that takes orders to fail; and its administrator."""
    key = tmp_path / "key"
    key.write_text(secrets.token_hex(20))
    key.chmod(0o600)
    flags = (
        "--setParameter",
        "enableTestCommands=1",
        "--setParameter",
        "internalQueryMaxBlockingSortMemoryUsageBytes=4096",
    )
    server = odd_mongod("--replSet", "rs0", "--auth", "--keyFile", str(key), *flags)
    server.initiate()
    with MongoClient[Any](server.url()) as client:
        client.admin.command({"createUser": "root", "pwd": "root", "roles": ["root"]})
    with MongoClient[Any](f"mongodb://root:root@127.0.0.1:{server.port}/") as root:
        database = root["music"]
        database.things.insert_many([{"text": f"jane@example.com {number}" * 20} for number in range(200)])
        allowed = [
            {
                "resource": {"db": "music", "collection": name},
                "actions": ["find", "insert", "update", "remove", "createCollection", "collMod"],
            }
            for name in ("accord_ledger", "things", "made")
        ]
        anywhere = {
            "resource": {"db": "music", "collection": ""},
            "actions": ["listCollections", "listIndexes"],
        }
        database.command({"createRole": "narrow", "privileges": [*allowed, anywhere], "roles": []})
        database.command({"createUser": "ada", "pwd": "hush", "roles": ["narrow"]})
        harness = MongoHarness(tmp_path, f"mongodb://ada:hush@127.0.0.1:{server.port}/music?replicaSet=rs0")
        with override_settings(ACCORD={"CONNECT_TIMEOUT": 2}):
            yield harness, root
        harness.close()


def failure(harness: MongoHarness, text: str) -> AccordError:
    """Apply a revision of this text, which fails, and give its error; data stays out of it."""
    harness.write_revision("0004_cause", text)
    with pytest.raises(AccordError) as caught:
        harness.store().apply(harness.step("0004_cause"), make_lease())
    assert "jane" not in caught.value.message
    assert "hush" not in caught.value.message
    return caught.value


def test_each_cause_has_its_own_sentence_and_next_move(
    narrow: tuple[MongoHarness, MongoClient[Any]],
) -> None:
    """What the server ended by itself, what a person killed, and what a cluster says that is in trouble."""
    harness, root = narrow
    for name, (text, says, hint) in REAL.items():
        found = failure(harness, text)
        assert (type(found), says in found.message, hint in found.hint) == (StepFailed, True, True), (
            name,
            found,
        )
        assert "0004_cause, operation 1" in found.message

    threading.Thread(target=kill_slow, args=[root]).start()
    killed = failure(harness, FUNCTION.format(body=SLOW.format(more="")))
    assert "somebody killed the operation" in killed.message
    assert "may run" in killed.hint

    for name, (fault, kind, says, hint) in ARRANGED.items():
        # Twice: the driver repeats by itself what may help.
        data = {"failCommands": ["create"], "namespace": "music.made", "appName": "accord", **fault}
        root.admin.command({"configureFailPoint": "failCommand", "mode": {"times": 2}, "data": data})
        found = failure(harness, COLLECTION.format(name="made"))
        root.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
        assert (type(found), says in found.message, hint in found.hint) == (kind, True, True), (name, found)


def test_a_right_that_the_ledger_lacks_is_no_wrong_password(
    narrow: tuple[MongoHarness, MongoClient[Any]],
) -> None:
    """The server knows us: nobody is sent to look for a password."""
    harness, root = narrow
    root["music"].command({"revokePrivilegesFromRole": "narrow", "privileges": [
        {"resource": {"db": "music", "collection": "accord_ledger"}, "actions": ["find"]},
    ]})  # fmt: skip

    with pytest.raises(StoreRefused, match="doesn't give us a right that this takes") as caught:
        harness.store().applied()

    assert "Grant it to the user of the URL of the store “mongodb”" in caught.value.hint
    assert "password" not in caught.value.hint


def kill_slow(client: MongoClient[Any]) -> None:
    """Kill the operation that sleeps, once it is there."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for found in client.admin.aggregate(
            [{"$currentOp": {"allUsers": True}}, {"$match": {"command.count": "things"}}]
        ):
            client.admin.command({"killOp": 1, "op": found["opid"]})
            return
        time.sleep(0.02)
