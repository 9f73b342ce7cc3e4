"""A backup of indexes by their documents, with templates, mappings, settings and aliases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from accord.errors import StoreError
from gdpr.errors import DrillFailed
from searchindex.endpoint import parse_url
from searchindex.engines.identify import identify
from searchindex.transport import Transport
from searchindex.views import documents

PAGE = 1_000
_SECONDS = 60
# What an index gets from the server that makes it.
_OF_THE_SERVER = ("creation_date", "uuid", "version", "provided_name", "history", "resize", "routing")
_ALL = "expand_wildcards=all"


class SearchBackup:
    """
    The indexes of a prefix.

    Args:
        server: URL of the server.
        prefix: What their names begin with.
        file: Where the backup is.
    """

    def __init__(self, server: str, prefix: str, file: Path) -> None:
        self._server = server
        self._prefix = prefix
        self._file = file

    def make(self) -> None:
        """Back up."""
        found = {
            "templates": self._templates(),
            "indexes": self._ask("GET", f"/{self._prefix}*?{_ALL}"),
        }
        with self._file.open("w", encoding="utf-8") as file:
            file.write(json.dumps(found) + "\n")
            for name in found["indexes"]:
                file.writelines(json.dumps(line) + "\n" for line in self._documents(name))

    def restore(self) -> None:
        """Delete the indexes, and make them as they were."""
        self.clean()
        with self._file.open(encoding="utf-8") as file:
            found = json.loads(file.readline())
            for template in found["templates"]:
                self._ask("PUT", f"/_index_template/{template['name']}", template["index_template"])
            blocks = {name: self._make_index(name, index) for name, index in found["indexes"].items()}
            self._write(json.loads(line) for line in file)
        for name, block in blocks.items():
            if block:
                self._ask("PUT", f"/{name}/_settings", {"index": {"blocks": block}})

    def clean(self) -> None:
        """Delete the indexes and templates of the prefix."""
        for name in self._ask("GET", f"/{self._prefix}*?{_ALL}&filter_path=*.aliases"):
            self._ask("DELETE", f"/{name}")
        for template in self._templates():
            self._ask("DELETE", f"/_index_template/{template['name']}")

    def _templates(self) -> list[Mapping[str, Any]]:
        found = self._ask("GET", f"/_index_template/{self._prefix}*", missing=True)
        templates: list[Mapping[str, Any]] = found.get("index_templates", [])
        return [one for one in templates if one["name"].startswith(self._prefix)]

    def _documents(self, name: str) -> Iterator[Mapping[str, Any]]:
        """Yield every document of an index, as they are when the first one is asked for."""
        # An index that was made a moment ago answers 503 until its shards have started.
        self._ask("GET", f"/_cluster/health/{name}?wait_for_status=yellow&timeout={_SECONDS // 2}s")
        self._ask("POST", f"/{name}/_refresh?{_ALL}")
        try:
            with closing(Transport(parse_url(self._server, connect_timeout=_SECONDS))) as transport:
                for hit in documents(transport, identify(transport), name):
                    yield {key: hit[key] for key in _OF_A_HIT if key in hit}
        except StoreError as exc:
            raise DrillFailed(exc.message, hint=exc.hint) from exc

    def _make_index(self, name: str, index: dict[str, Any]) -> Any:
        settings = {key: one for key, one in index["settings"]["index"].items() if key not in _OF_THE_SERVER}
        block = settings.pop("blocks", {})
        self._ask("PUT", f"/{name}", {**index, "settings": {"index": settings}})
        return block

    def _write(self, hits: Iterator[Mapping[str, Any]]) -> None:
        lines: list[str] = []
        for hit in hits:
            where = {"_index": hit["_index"], "_id": hit["_id"]}
            where |= {"routing": hit["_routing"]} if "_routing" in hit else {}
            lines += [json.dumps({"index": where}), json.dumps(hit["_source"])]
            if len(lines) >= 2 * PAGE:
                self._bulk(lines)
                lines = []
        if lines:
            self._bulk(lines)

    def _bulk(self, lines: list[str]) -> None:
        done = self._ask("POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")
        if done["errors"]:
            raise DrillFailed("The search server did not take its own documents back.", hint=str(done)[:500])

    def _ask(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        return ask(self._server, method, path, body, missing=missing)


_OF_A_HIT = ("_index", "_id", "_routing", "_source")


def ask(server: str, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
    """
    Send a request to a search server.

    Args:
        server: Its URL.
        method: GET, PUT, POST or DELETE.
        path: With its query.
        body: JSON, or a text that is sent as it is.
        missing: Whether 404 is an empty answer.

    Raises:
        DrillFailed: It was refused.
    """
    content = body if isinstance(body, str) else json.dumps(body) if body is not None else None
    connection = HTTPConnection(urlsplit(server).netloc, timeout=_SECONDS)
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if missing and answer.status == HTTPStatus.NOT_FOUND:
        return {}
    if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise DrillFailed(f"The search server refused {method} {path} ({answer.status}).", hint=text[:500])
    return json.loads(text)
