"""The harness of the search store: an index prefix and revision files of its own."""

from __future__ import annotations

import importlib
import json
import sys
import uuid
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig, apps

from accord.types import Step, StepKey
from searchindex.store import SearchStore

ALIAS = "search"
NOISE = (
    "index.creation_date",
    "index.uuid",
    "index.history_uuid",
    "index.provided_name",
    "index.version.created",
)

_CREATE = '''"""Tracks can be searched."""

from __future__ import annotations

import searchindex as search


class Migration(search.Migration):
    operations = [
        search.CreateIndex(
            "tracks",
            mappings={
                "dynamic": "strict",
                "properties": {"title": {"type": "text"}, "number": {"type": "integer"}},
            },
            settings={"number_of_shards": 1, "number_of_replicas": 0},
        ),
    ]
'''

_FILL = '''"""Tracks have plays."""

from __future__ import annotations

import searchindex as search


def fill(context):
    lines = []
    for number in range(300):
        lines.append({"index": {"_index": context.index("tracks"), "_id": str(number)}})
        lines.append({"title": f"track {number}", "number": number, "plays": number % 7})
        if len(lines) == 200:
            context.check()
            assert not context.client.bulk(operations=lines)["errors"]
            lines = []
    context.client.indices.refresh(index=context.index("tracks"))
    return 300


def empty(context):
    for number in range(300):
        context.client.options(ignore_status=404).delete(index=context.index("tracks"), id=str(number))
    context.client.indices.refresh(index=context.index("tracks"))


class Migration(search.Migration):
    dependencies = [("APP", "0001_tracks")]
    operations = [
        search.PutMapping("tracks", {"properties": {"plays": {"type": "long"}}}, leave_on_revert=True),
        search.PutTemplate("charts", ["charts-*"], {"settings": {"number_of_replicas": 0}}),
        search.RunPython(fill, empty),
        search.PutSettings("tracks", {"refresh_interval": "5s"}),
    ]
'''

_FINAL = '''"""Titles are keywords, and the charts have an alias."""

from __future__ import annotations

import searchindex as search


class Migration(search.Migration):
    dependencies = [("APP", "0002_plays")]
    irreversible = "the old titles are analysed in another way"
    operations = [
        search.Reindex(
            "tracks",
            mappings={
                "dynamic": "strict",
                "properties": {
                    "title": {"type": "keyword"},
                    "number": {"type": "integer"},
                    "plays": {"type": "long"},
                },
            },
        ),
        search.SwitchAlias("charts", "tracks", {"filter": {"range": {"plays": {"gte": 3}}}}),
    ]
'''


class SearchHarness:
    """
    A namespace of the search store for one test.

    Args:
        folder: Where the revision files go.
        url: Address of the server.
        app: Label of the app; a new one if it is not given. The index prefix follows from it.
        revisions: Names and texts of the revisions.
    """

    name = "search"
    step_names = ("0001_tracks", "0002_plays", "0003_titles")

    def __init__(
        self, folder: Path, url: str, app: str = "", revisions: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.url = folder, url
        self.app = app or f"music_{uuid.uuid4().hex[:8]}"
        self.prefix = f"{self.app.replace('_', '-')}-"
        self._revisions = folder / self.app / "search_migrations"
        self._stores: list[SearchStore] = []
        if not self._revisions.exists():
            self._write_app(revisions or dict(zip(self.step_names, (_CREATE, _FILL, _FINAL), strict=True)))
        self._register_app()

    # --- the namespace ----------------------------------------------------------------------------

    def to_json(self) -> dict[str, str]:
        """Say where it is, for another process."""
        return {"folder": str(self.folder), "url": self.url, "app": self.app}

    @classmethod
    def from_json(cls, data: Mapping[str, str]) -> SearchHarness:
        """Find the namespace that another process said."""
        return cls(Path(data["folder"]), data["url"], data["app"])

    def store(self, url: str = "") -> SearchStore:
        """Make a new store, as another process would; behind another address if wished."""
        self._stores.append(SearchStore(ALIAS, {"URL": url or self.url, "PREFIX": self.prefix}))
        return self._stores[-1]

    def key(self, name: str) -> StepKey:
        """Give the key of a step."""
        return StepKey(ALIAS, self.app, name)

    def step(self, name: str) -> Step:
        """Read a step from disk."""
        return next(step for step in self.store().steps() if step.key == self.key(name))

    def steps(self) -> list[Step]:
        """Read all steps of the namespace from disk, in order."""
        return [step for step in self.store().steps() if step.key.app == self.app]

    def script(self, action: str) -> list[str]:
        """Give the command that does a step in another process; the step's name follows."""
        return [
            sys.executable,
            "-m",
            "tests.conformance.crash",
            self.name,
            json.dumps(self.to_json()),
            action,
        ]

    def close(self) -> None:
        """Remove what the namespace holds on the server; let connections and the app go."""
        for store in self._stores:
            store.close()
        self.clean()
        self._forget_modules()
        apps.app_configs.pop(self.app, None)
        if str(self.folder) in sys.path:
            sys.path.remove(str(self.folder))

    def clean(self) -> None:
        """Remove what the namespace holds on the server."""
        for index in self.ask("GET", f"/{self.prefix}*?expand_wildcards=all&filter_path=*.aliases"):
            self.ask("DELETE", f"/{index}")
        for template in self._templates():
            self.ask("DELETE", f"/_index_template/{template}")

    # --- what stands there --------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the server directly; an answer of 404 is nothing."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found = json.loads(answer.read() or "{}")
        finally:
            connection.close()
        if answer.status >= 400 and answer.status != 404:
            raise AssertionError(f"{method} {path}: {found}")
        return {} if answer.status == 404 else found

    def observe(self) -> object:
        """Read indexes, aliases, templates and documents."""
        found = self.ask("GET", f"/{self.prefix}*?flat_settings=true&expand_wildcards=all")
        own = {name: body for name, body in found.items() if not name.startswith(f"{self.prefix}accord-")}
        return {
            "indexes": {name: _without_noise(body) for name, body in sorted(own.items())},
            "documents": {name: self.documents(name) for name in sorted(own)},
            "templates": {name: self._templates()[name] for name in sorted(self._templates())},
        }

    def documents(self, index: str) -> Mapping[str, Any]:
        """Read every document of an index or alias, by id."""
        self.ask("POST", f"/{index}/_refresh")
        found = self.ask("POST", f"/{index}/_search", {"size": 10_000, "query": {"match_all": {}}})
        return {
            hit["_id"]: hit["_source"] for hit in sorted(found["hits"]["hits"], key=lambda hit: hit["_id"])
        }

    def ledger(self) -> Mapping[str, Any]:
        """Read the ledger's document as it is."""
        source: Mapping[str, Any] = self.ask("GET", f"/{self.prefix}accord-ledger/_doc/ledger").get(
            "_source", {}
        )
        return source

    def ledger_entries(self) -> Mapping[str, Mapping[str, object]]:
        """Read the ledger's entries as they are."""
        entries: Mapping[str, Mapping[str, object]] = self.ledger().get("entries", {})
        return entries

    def spoil(self) -> None:
        """Make the index of the first step exist with another definition."""
        body = {
            "aliases": {f"{self.prefix}tracks": {"is_write_index": True}},
            "mappings": {"properties": {"title": {"type": "keyword"}, "number": {"type": "integer"}}},
        }
        self.ask("PUT", f"/{self.prefix}tracks-0001", body)

    def _templates(self) -> Mapping[str, Any]:
        found = self.ask("GET", f"/_index_template/{self.prefix}*").get("index_templates", ())
        return {item["name"]: item["index_template"] for item in found}

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

    def _write_app(self, revisions: Mapping[str, str]) -> None:
        self._revisions.mkdir(parents=True)
        (self._revisions.parent / "__init__.py").touch()
        (self._revisions / "__init__.py").touch()
        for name, text in revisions.items():
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


def _without_noise(body: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = {name: value for name, value in body["settings"].items() if name not in NOISE}
    return {**body, "settings": settings}
