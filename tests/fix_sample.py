"""The sample project, migrated and filled once for each worker, and copied store by store for each test."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2.errors
import pytest
from bson import SON
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.database import Database

from tests.fix_mongodb import Mongod
from tests.fix_postgres import execute
from tests.fix_project import Project

PEOPLE = ("streaming_seed", "--listeners", "12", "--tracks", "10", "--venues", "2", "--noinput")
COPY_SECONDS = 30
# What an index gets from the server that makes it.
_OF_THE_SERVER = ("creation_date", "uuid", "version", "provided_name", "history", "resize", "routing")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """
    A project that is copied and never used itself.

    Attributes:
        project: The project.
    """

    project: Project

    def copy_to(self, other: Project) -> None:
        """Fill the empty stores of another project with what is in this one's."""
        copy_postgres(self.project.database_url, other.database_url)
        copy_mongodb(self.project.mongodb_url, other.mongodb_url)
        copy_search(self.project, other)


def copy_postgres(source: str, target: str) -> None:
    """Make a database anew as a copy of another, as soon as the server itself is done with that one."""
    name, template = (urlsplit(url).path.strip("/") for url in (target, source))
    server = urlunsplit(urlsplit(target)._replace(path="/postgres"))
    execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    deadline = time.monotonic() + COPY_SECONDS
    while True:
        try:
            return execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        except psycopg2.errors.ObjectInUse:
            # Autovacuum may be looking at the template.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def copy_mongodb(source: str, target: str) -> None:
    """Copy the database of the revisions, and the one of the models."""
    with (
        MongoClient[RawBSONDocument](source, document_class=RawBSONDocument) as there,
        MongoClient[RawBSONDocument](target, document_class=RawBSONDocument) as here,
    ):
        old, new = there.get_default_database(), here.get_default_database()
        for suffix in ("", "_documents"):
            copy_database(there[old.name + suffix], here[new.name + suffix])


def copy_database(source: Database[Any], target: Database[Any]) -> None:
    """Copy collections with their options, indexes and documents, byte by byte; views come last."""
    found = sorted(source.list_collections(), key=lambda one: str(one["type"]) == "view")
    for collection in found:
        name = str(collection["name"])
        if name.startswith("system."):
            continue
        target.command(SON([("create", name), *collection["options"].items()]))
        if collection["type"] == "collection":
            copy_collection(source, target, name)


def copy_collection(source: Database[Any], target: Database[Any], name: str) -> None:
    """Copy the indexes and documents of a collection."""
    indexes = [
        {key: value for key, value in dict(index).items() if key not in ("v", "ns")}
        for index in source[name].list_indexes()
        if index["name"] != "_id_"
    ]
    if indexes:
        target.command(SON([("createIndexes", name), ("indexes", indexes)]))
    documents = list(source[name].find())
    if documents:
        target[name].insert_many(documents, ordered=True, bypass_document_validation=True)


def copy_search(source: Project, target: Project) -> None:
    """Copy templates, indexes with their aliases, and documents, under another prefix."""

    def renamed(value: Any) -> Any:
        return json.loads(json.dumps(value).replace(source.prefix, target.prefix))

    for found in source.ask("GET", f"/_index_template/{source.prefix}*").get("index_templates", []):
        asked(target, "PUT", f"/_index_template/{renamed(found['name'])}", renamed(found["index_template"]))
    indexes = source.ask("GET", f"/{source.prefix}*?expand_wildcards=all")
    # The server joins changes of its state that wait together.
    with ThreadPoolExecutor(max_workers=len(indexes) or 1) as pool:
        blocks = list(
            pool.map(lambda name: copy_index(target, renamed(name), renamed(indexes[name])), indexes)
        )
    copy_documents(source, target, renamed)
    for name, block in zip(indexes, blocks, strict=True):
        if block:
            asked(target, "PUT", f"/{renamed(name)}/_settings", {"index": {"blocks": block}})


def copy_index(target: Project, name: str, index: dict[str, Any]) -> Any:
    """Make an index without documents; its blocks come back, for when they are there."""
    index["settings"]["index"] = without_the_servers_own(index["settings"]["index"])
    block = index["settings"]["index"].pop("blocks", {})
    asked(target, "PUT", f"/{name}", index)
    return block


def without_the_servers_own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what an index can't be made with."""
    return {name: value for name, value in settings.items() if name not in _OF_THE_SERVER}


def copy_documents(source: Project, target: Project, renamed: Callable[[Any], Any]) -> None:
    """Copy the documents of all indexes; the sample has few."""
    asked(source, "POST", f"/{source.prefix}*/_refresh?expand_wildcards=all")
    every = f"/{source.prefix}*/_search?expand_wildcards=all"
    lines = []
    for hit in asked(source, "POST", every, {"size": 10_000})["hits"]["hits"]:
        where = {"_index": renamed(hit["_index"]), "_id": hit["_id"]}
        where |= {"routing": hit["_routing"]} if "_routing" in hit else {}
        lines += [json.dumps({"index": where}), json.dumps(renamed(hit["_source"]))]
    if lines:
        done = asked(target, "POST", "/_bulk?refresh=true", "\n".join(lines) + "\n")
        assert not done["errors"], done


def asked(project: Project, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the search server; anything but success is an error."""
    content = body if isinstance(body, str) else json.dumps(body) if body is not None else None
    connection = HTTPConnection(urlsplit(project.search_url).netloc, timeout=60)
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
    return json.loads(text)


@pytest.fixture(scope="session")
def new_sample(postgres_url: str, mongod: Mongod, opensearch_url: str) -> Iterator[Callable[[], Project]]:
    """Give a maker of projects on empty stores that live as long as the worker."""
    made: list[Project] = []

    def make() -> Project:
        name = f"test_{uuid.uuid4().hex[:10]}"
        execute(postgres_url, f"CREATE DATABASE {name} TEMPLATE template0")
        made.append(
            Project(
                database_url=urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}")),
                mongodb_url=mongod.url(name, "replicaSet=rs0"),
                search_url=opensearch_url,
                prefix=f"{name.replace('_', '-')}-",
            )
        )
        return made[-1]

    yield make
    for project in made:
        with suppress(OSError):  # the search server may have gone first, with everything in it
            project.clean()
        execute(
            postgres_url,
            f"DROP DATABASE IF EXISTS {urlsplit(project.database_url).path.strip('/')} WITH (FORCE)",
        )


@pytest.fixture(scope="session")
def migrated_sample(new_sample: Callable[[], Project]) -> Sample:
    """Give the sample project with every step applied and nothing in it."""
    project = new_sample()
    project.manage("migrate_all")
    return Sample(project=project)


@pytest.fixture(scope="session")
def filled_sample(new_sample: Callable[[], Project], migrated_sample: Sample) -> Sample:
    """Give the sample project with listeners in every store."""
    project = new_sample()
    migrated_sample.copy_to(project)
    project.manage(*PEOPLE)
    return Sample(project=project)


@pytest.fixture
def migrated(new_project: Callable[..., Project], migrated_sample: Sample) -> Project:
    """Give a sample project of the test's own, with every step applied."""
    project = new_project()
    migrated_sample.copy_to(project)
    return project
