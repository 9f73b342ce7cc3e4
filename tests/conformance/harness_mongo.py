"""The harness of the MongoDB store: a database and revision files of its own."""

from __future__ import annotations

import importlib
import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bson import json_util
from django.apps import AppConfig, apps
from pymongo import MongoClient
from pymongo.database import Database

from accord.types import Step, StepKey
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


class MongoHarness:
    """
    A namespace of the MongoDB store for one test.

    Args:
        folder: Where the revision files go.
        url: Address of a database that nobody else uses.
        app: Label of the app; a new one if it is not given.
    """

    name = "mongodb"
    step_names = ("0001_playlists", "0002_plays", "0003_titles")

    def __init__(self, folder: Path, url: str, app: str = "") -> None:
        self.folder, self.url = folder, url
        self.app = app or f"music_{uuid.uuid4().hex[:8]}"
        self._revisions = folder / self.app / "mongo_migrations"
        self._stores: list[MongoStore] = []
        self._client: MongoClient[dict[str, Any]] = MongoClient(url)
        if not self._revisions.exists():
            self._write_app()
        self._register_app()

    # --- the namespace ----------------------------------------------------------------------------

    def to_json(self) -> dict[str, str]:
        """Say where it is, for another process."""
        return {"folder": str(self.folder), "url": self.url, "app": self.app}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> MongoHarness:
        """Find the namespace that another process said."""
        return cls(Path(data["folder"]), data["url"], data["app"])

    def store(self) -> MongoStore:
        """Make a new store, as another process would."""
        self._stores.append(MongoStore(ALIAS, {"URL": self.url, "LEDGER": LEDGER}))
        return self._stores[-1]

    def key(self, name: str) -> StepKey:
        """Give the key of a step."""
        return StepKey(ALIAS, self.app, name)

    def step(self, name: str) -> Step:
        """Read a step from disk."""
        return next(step for step in self.store().steps() if step.key.name == name)

    def script(self, action: str) -> list[str]:
        """Give the command that does a step in a process of its own; the step's name follows."""
        return [
            sys.executable,
            "-m",
            "tests.conformance.crash",
            self.name,
            json.dumps(self.to_json()),
            action,
        ]

    def close(self) -> None:
        """Let connections and the app go."""
        for store in self._stores:
            store.close()
        self._client.close()
        self._forget_modules()
        apps.app_configs.pop(self.app, None)
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))

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

    # --- files ----------------------------------------------------------------------------------------

    def write_revision(self, name: str, text: str) -> Path:
        """Write a revision file and make the loader see it."""
        path = self._revisions / f"{name}.py"
        path.write_text(text.replace("APP", self.app))
        self._forget_modules()
        return path

    def edit(self, name: str, *, comment_only: bool) -> None:
        """Change a revision file in its meaning, or in a comment alone."""
        path = self._revisions / f"{name}.py"
        addition = "# Looked at again.\n" if comment_only else "CHANGED = True\n"
        self.write_revision(name, path.read_text() + addition)

    def remove(self, name: str) -> None:
        """Delete a revision file."""
        (self._revisions / f"{name}.py").unlink()
        self._forget_modules()

    def _write_app(self) -> None:
        self._revisions.mkdir(parents=True)
        (self._revisions.parent / "__init__.py").touch()
        (self._revisions / "__init__.py").touch()
        for name, text in zip(self.step_names, (_CREATE, _FILL, _FINAL), strict=True):
            self.write_revision(name, text)

    def _register_app(self) -> None:
        sys.path.insert(0, str(self.folder))
        importlib.invalidate_caches()
        config = AppConfig(self.app, importlib.import_module(self.app))
        config.apps, config.models = apps, {}
        apps.app_configs[self.app] = config

    def _forget_modules(self) -> None:
        for name in [name for name in sys.modules if name.startswith(f"{self.app}.")]:
            del sys.modules[name]
        importlib.invalidate_caches()
