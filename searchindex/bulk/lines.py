"""How documents of an index are written in files, and read from them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.seam.bulk import FileFormat
from searchindex.views import Hit


@dataclass(frozen=True)
class Document:
    """
    A document on its way into an index.

    Attributes:
        id: Its id; empty where the file has none.
        routing: Empty for the usual one.
        source: What it holds, as JSON.
    """

    id: str
    routing: str
    source: bytes

    def action(self, action: str) -> bytes:
        """Return the lines of a bulk request for it."""
        told = {"_id": self.id, **({"routing": self.routing} if self.routing else {})}
        body = self.source if action != "update" else b'{"doc":' + self.source + b',"doc_as_upsert":true}'
        return json.dumps({action: told}, ensure_ascii=False).encode() + b"\n" + body + b"\n"


def written(hit: Hit, form: FileFormat, columns: Sequence[str], without: Sequence[str]) -> bytes:
    """
    Write a document.

    Args:
        hit: As a search returns it.
        form: Lines of bulk requests, or JSON Lines.
        columns: Paths that are kept; none for all of them.
        without: Paths that are left out.
    """
    source = hit["_source"]
    for path in without:
        source = _without(source, path)
    if columns:
        source = {path: found for path in columns if (found := _at(source, path)) is not None}
    body = (
        json.dumps(source, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass") + b"\n"
    )
    if form is FileFormat.JSONL:
        return body
    told = {"_id": hit["_id"], **({"routing": hit["_routing"]} if "_routing" in hit else {})}
    return json.dumps({"index": told}, ensure_ascii=False).encode() + b"\n" + body


def read(record: bytes, form: FileFormat, key: Sequence[str]) -> Document:
    """
    Read a record.

    Args:
        record: Two lines of a bulk request, or one of JSON Lines.
        form: Which of them.
        key: Members that tell one document from another, of files from another store.

    Raises:
        ValueError, TypeError, KeyError: It is no document.
    """
    if form is FileFormat.NDJSON:
        action, _, source = record.partition(b"\n")
        [told] = json.loads(action).values()
        source = source.rstrip(b"\r\n")
        _object(source)
        return Document(str(told.get("_id") or ""), str(told.get("routing") or ""), source)
    found = _object(record)
    own = found.pop("_id", None)
    if own is None and key and "_id" not in key:
        own = "/".join(str(found[name]) for name in key)
    source = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    return Document("" if own is None else str(own), "", source)


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("it is no JSON object")
    return found


def _at(value: Any, path: str) -> Any:
    """Return what is at a path; a document may also write it as one name."""
    if not isinstance(value, Mapping):
        return None
    if path in value:
        return value[path]
    head, _, rest = path.partition(".")
    return _at(value.get(head), rest) if rest else None


def _without(value: Any, path: str) -> Any:
    """Return a value without what is at a path, in each item of lists on the way."""
    if isinstance(value, list):
        return [_without(item, path) for item in value]
    if not isinstance(value, Mapping):
        return value
    head, _, rest = path.partition(".")
    # {"author.email": ...} is {"author": {"email": ...}} to a server.
    kept = {name: item for name, item in value.items() if name != path and not name.startswith(f"{path}.")}
    return {name: _without(item, rest) if name == head and rest else item for name, item in kept.items()}
