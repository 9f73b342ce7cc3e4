"""What an operation shows is what it sends: one text."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

import mongo_migrations as mongo
from accord.seam.types import Direction
from mongo_migrations import rendering

pytestmark = pytest.mark.integration

SCHEMA = frozenset({"create", "createIndexes", "dropIndexes", "drop", "renameCollection", "collMod"})


class Heard(CommandListener):
    """Remembers the commands about the schema, as far as an operation wrote them."""

    def __init__(self, database: str) -> None:
        self.commands: list[dict[str, Any]] = []
        self._prefix = f"{database}."

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in SCHEMA and "accord_ledger" not in str(event.command):
            own = {name: value for name, value in event.command.items() if name[0] != "$"}
            self.commands.append({name: self._plain(own[name]) for name in own if name not in _DRIVERS_OWN})

    def _plain(self, value: Any) -> Any:
        return value.removeprefix(self._prefix) if isinstance(value, str) else value

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...


_DRIVERS_OWN = frozenset({"lsid", "writeConcern", "txnNumber"})


@pytest.mark.parametrize(
    "operation",
    [
        mongo.CreateCollection("fresh", validator={"name": {"$type": "string"}}, validation_action="warn"),
        mongo.CreateCollection("fresh", capped_size=4096),
        mongo.DropCollection("music", restore=[mongo.CreateCollection("music", clustered=True)]),
        mongo.RenameCollection("music", "songs"),
        mongo.CreateIndex("music", [("a", 1)], name="a", unique=True),
        mongo.CreateIndexes("music", [mongo.Index([("a", 1)])]),
        mongo.DropIndex("music", mongo.Index([("kept", 1)])),
    ],
)
def test_what_is_shown_is_what_is_sent(bench: Any, mongo_url: str, operation: mongo.Operation) -> None:
    """Apply and revert send the very commands that a dry run shows, and no other."""
    bench.db.create_collection("music")
    bench.db.music.create_index([("kept", 1)])
    heard = Heard(bench.db.name)
    with MongoClient[Any](mongo_url, event_listeners=[heard]) as client:
        bench.store._opened = client
        for direction in Direction:
            heard.commands.clear()
            getattr(bench, direction)(operation)
            sent = [text.text for command in heard.commands for text in rendering.statements(command)]

            assert sent == [text.text for text in operation.explain(direction)]
        bench.store.close()


def test_rules_are_sent_as_they_are_shown(bench: Any, mongo_url: str) -> None:
    """Their way back is not shown: only the ledger knows it."""
    bench.db.create_collection("music")
    heard = Heard(bench.db.name)
    operation = mongo.SetValidator("music", {"name": {"$type": "string"}})
    with MongoClient[Any](mongo_url, event_listeners=[heard]) as client:
        bench.store._opened = client
        bench.apply(operation)
        bench.store.close()

    sent = [text.text for command in heard.commands for text in rendering.statements(command)]
    assert sent == [text.text for text in operation.explain(Direction.APPLY)]
