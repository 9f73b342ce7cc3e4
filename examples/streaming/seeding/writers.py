"""Writing sample data into each store: what is there already stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.management.color import no_style
from django.db import connections, models, router

from accord.errors import StoreError
from examples.streaming.stores import collections, search
from searchindex.transport import at

Row = TypeVar("Row", bound=models.Model)
Document = Mapping[str, Any]


def add_rows(rows: Iterable[Row]) -> None:
    """Insert rows of one model whose keys are new."""
    listed = list(rows)
    if listed:
        type(listed[0])._base_manager.bulk_create(listed, ignore_conflicts=True, batch_size=2_000)


def move_sequences(kinds: Sequence[type[models.Model]]) -> None:
    """Let PostgreSQL give out keys behind those that were written by hand."""
    connection = connections[router.db_for_write(kinds[0])]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kinds):
            cursor.execute(statement)


def add_model_documents(rows: Iterable[Row]) -> None:
    """Insert documents of one Django model whose keys are new; MongoDB can't ignore conflicts by itself."""
    listed = list(rows)
    if not listed:
        return
    manager = type(listed[0])._base_manager
    there = set(manager.filter(pk__in=[row.pk for row in listed]).values_list("pk", flat=True))
    manager.bulk_create([row for row in listed if row.pk not in there], batch_size=2_000)


def add_documents(collection: str, documents: Iterable[Document]) -> None:
    """Insert documents of a collection whose keys are new."""
    listed = list(documents)
    keys = [document["_id"] for document in listed]
    target = collections()[collection]
    there = {found["_id"] for found in target.find({"_id": {"$in": keys}}, {"_id": 1})}
    missing = [dict(document) for document in listed if document["_id"] not in there]
    if missing:
        target.insert_many(missing, ordered=False)


def index_documents(name: str, documents: Iterable[tuple[int | str, Document]]) -> int:
    """
    Write documents into a search index by their keys; one that is there is written anew.

    Returns:
        How many were written.

    Raises:
        StoreError: The index refuses one or more of them.
    """
    store = search()
    lines = [line for key, document in documents for line in (_action(key), document)]
    if not lines:
        return 0
    body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    answer = store.transport.request("POST", at(store.names.alias(name), "_bulk"), body).body
    refused = [item["index"] for item in answer["items"] if item["index"]["status"] >= 400]
    if refused:
        kinds = ", ".join(sorted({item["error"]["type"] for item in refused}))
        raise StoreError(
            f"The index {name} refuses {len(refused)} documents ({kinds}).",
            hint="Compare its mapping with the sample's newest revision: migrate_all --check.",
        )
    return len(answer["items"])


def count_documents(name: str) -> int:
    """Count the documents of a search index, those of the last moment included."""
    store = search()
    store.transport.request("POST", at(store.names.alias(name), "_refresh"))
    return int(store.transport.get(at(store.names.alias(name), "_count"))["count"])


def _action(key: int | str) -> Mapping[str, Any]:
    return {"index": {"_id": str(key)}}
