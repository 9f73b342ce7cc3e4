"""The harness of the MongoDB store: a database and revision files of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient
from pymongo.database import Database

from accord.conformance.files import AppHarness
from accord.conformance.harness import Edits
from mongo_migrations.store import MongoStore

ALIAS = "mongodb"
LEDGER = "accord_ledger"

_CREATE = '''"""Playlists of listeners."""

from __future__ import annotations

import mongo_migrations as mongo


class Migration(mongo.Migration):
    operations = [
        mongo.CreateCollection(
            "playlists",
            validator={"$jsonSchema": {"bsonType": "object", "required": ["owner_id"]}},
        ),
        mongo.CreateIndex("playlists", [("owner_id", 1), ("name", -1)], name="owner"),
    ]
'''

_FILL = '''"""Plays are counted."""

from __future__ import annotations

import mongo_migrations as mongo


def fill(db, session):
    db.playlists.insert_many(
        [{"_id": number, "owner_id": number % 7, "name": f"n{number}", "plays": 0} for number in range(300)],
        session=session,
    )


def empty(db, session):
    db.playlists.delete_many({}, session=session)


class Migration(mongo.Migration):
    dependencies = [("APP", "0001_playlists")]
    operations = [
        mongo.CreateIndexes(
            "playlists",
            [mongo.Index([("plays", -1)], name="plays"), mongo.Index([("name", "text")], name="words")],
        ),
        mongo.RunPython(fill, empty),
        mongo.UpdateInBatches(
            "playlists", {"$inc": {"plays": 1}}, backward={"$inc": {"plays": -1}}, batch_size=50
        ),
        mongo.SetValidator("playlists", {"$jsonSchema": {"required": ["owner_id", "plays"]}}),
    ]
'''

_FINAL = '''"""Plays live in one field."""

from __future__ import annotations

import mongo_migrations as mongo


class Migration(mongo.Migration):
    dependencies = [("APP", "0002_plays")]
    operations = [
        mongo.RenameCollection("playlists", "lists"),
        mongo.UpdateInBatches("lists", [{"$set": {"title": "$name"}}, {"$unset": "name"}], batch_size=70),
    ]
'''


_STUCK = 'mongo.CreateCollection("stuck")'


def _revision(*operations: str, back: str = "pass") -> str:
    """Write a revision of these operations; `back` is the body of a function of that name."""
    listed = ", ".join(operations)
    body = f"class Migration(mongo.Migration):\n    operations = [{listed}]\n"
    return f"import mongo_migrations as mongo\n\n\ndef back(db, session):\n    {back}\n\n\n{body}"


class MongoHarness(AppHarness):
    """A namespace of the MongoDB store for one test."""

    name = "mongodb"
    alias = ALIAS
    package = "mongo_migrations"
    step_names = ("0001_playlists", "0002_plays", "0003_titles")
    texts = (_CREATE, _FILL, _FINAL)
    half = Edits(
        begun=_revision('mongo.CreateCollection("artists")', 'mongo.RenameCollection("singers", "voices")'),
        mended=_revision('mongo.CreateCollection("artists")', 'mongo.CreateCollection("voices")'),
        edited=_revision('mongo.CreateCollection("painters")', 'mongo.CreateCollection("voices")'),
    )
    refused = _revision('mongo.CreateCollection("odd", options={"nonsense": 1})')
    stuck = Edits(
        begun=_revision(
            "mongo.RunPython(mongo.RunPython.noop, back)", _STUCK, back="raise ZeroDivisionError"
        ),
        mended=_revision("mongo.RunPython(mongo.RunPython.noop, back)", _STUCK),
        edited=_revision('mongo.CreateCollection("other")', _STUCK),
    )

    def __init__(self, folder: Path, url: str, app: str = "", texts: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, url, app, texts)
        self._stores: list[MongoStore] = []
        self._client: MongoClient[dict[str, Any]] = MongoClient(url)

    def store(self) -> MongoStore:
        """Make a new store, as another process would."""
        self._stores.append(MongoStore(ALIAS, {"URL": self.url, "LEDGER": LEDGER}))
        return self._stores[-1]

    def close(self) -> None:
        """Let connections and the app go."""
        for store in self._stores:
            store.close()
        self._client.close()
        super().close()

    # --- what stands there --------------------------------------------------------------------------

    @property
    def db(self) -> Database[dict[str, Any]]:
        """The driver's own view of the database."""
        return self._client.get_default_database()

    def observe(self) -> object:
        """Read collections, options, indexes and documents."""
        described = {found["name"]: found for found in self.db.list_collections()}
        names = sorted(name for name in described if name != LEDGER and not name.startswith("system."))
        return {name: self._observe_collection(name, described[name]["options"]) for name in names}

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger as it is."""
        return {entry["_id"]: entry for entry in self.db[LEDGER].find() if entry["_id"] != "fence"}

    def spoil(self) -> None:
        """Make the collection of the first step exist with another definition."""
        self.db.create_collection("playlists", capped=True, size=4096)

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark."""
        self.db[LEDGER].update_one({"_id": f"mark/{name}"}, {"$set": {"form": form}})

    def _observe_collection(self, name: str, options: Mapping[str, Any]) -> object:
        if "validator" in options:
            # collMod writes these two out where createCollection leaves them implied.
            options = {"validationLevel": "strict", "validationAction": "error", **options}
        indexes = sorted(self.db[name].list_indexes(), key=lambda index: str(index["name"]))
        documents = self.db[name].find().sort("_id", 1)
        return {
            "options": json_util.dumps(options, sort_keys=True),
            "indexes": [json_util.dumps(index) for index in indexes],
            "documents": [json_util.dumps(document, sort_keys=True) for document in documents],
        }
