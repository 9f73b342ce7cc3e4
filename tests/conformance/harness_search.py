"""The harness of the search store: an index prefix and revision files of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accord.conformance.files import AppHarness
from accord.conformance.harness import Edits
from accord.seam.types import Step
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


_STUCK = 'search.PutTemplate("stuck", ["stuck-*"])'


def _revision(*operations: str, back: str = "pass") -> str:
    """Write a revision of these operations; `back` is the body of a function of that name."""
    listed = ", ".join(operations)
    body = f"class Migration(search.Migration):\n    operations = [{listed}]\n"
    return f"import searchindex as search\n\n\ndef back(context):\n    {back}\n\n\n{body}"


class SearchHarness(AppHarness):
    """A namespace of the search store for one test; the index prefix follows from the app's label."""

    name = "search"
    leaves_traces = True  # a mapping can't lose a field
    alias = ALIAS
    package = "search_migrations"
    step_names = ("0001_tracks", "0002_plays", "0003_titles")
    texts = (_CREATE, _FILL, _FINAL)
    half = Edits(
        begun=_revision(
            'search.CreateIndex("artists")', 'search.PutMapping("nowhere", {}, leave_on_revert=True)'
        ),
        mended=_revision('search.CreateIndex("artists")', 'search.CreateIndex("voices")'),
        edited=_revision('search.CreateIndex("painters")', 'search.CreateIndex("voices")'),
    )
    refused = _revision('search.CreateIndex("odd", mappings={"properties": {"a": {"type": "nonsense"}}})')
    stuck = Edits(
        begun=_revision(
            "search.RunPython(search.RunPython.nothing, back)", _STUCK, back="raise ZeroDivisionError"
        ),
        mended=_revision("search.RunPython(search.RunPython.nothing, back)", _STUCK),
        edited=_revision('search.PutTemplate("other", ["other-*"])', _STUCK),
    )

    def __init__(self, folder: Path, url: str, app: str = "", texts: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, url, app, texts)
        self.prefix = f"{self.app.replace('_', '-')}-"
        self._stores: list[SearchStore] = []

    def store(self, url: str = "") -> SearchStore:
        """Make a new store, as another process would; behind another address if wished."""
        self._stores.append(SearchStore(ALIAS, {"URL": url or self.url, "PREFIX": self.prefix}))
        return self._stores[-1]

    def steps(self) -> list[Step]:
        """Read all steps of the namespace from disk, in order."""
        return [step for step in self.store().steps() if step.key.app == self.app]

    def close(self) -> None:
        """Remove what the namespace holds on the server; let connections and the app go."""
        for store in self._stores:
            store.close()
        self.clean()
        super().close()

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

    def rewrite_mark(self, name: str, form: int) -> None:
        """Change the form of a mark."""
        body = {"doc": {"marks": {name: {"form": form}}}}
        self.ask("POST", f"/{self.prefix}accord-ledger/_update/ledger", body)

    def _templates(self) -> Mapping[str, Any]:
        found = self.ask("GET", f"/_index_template/{self.prefix}*").get("index_templates", ())
        return {item["name"]: item["index_template"] for item in found}


def _without_noise(body: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = {name: value for name, value in body["settings"].items() if name not in NOISE}
    return {**body, "settings": settings}
