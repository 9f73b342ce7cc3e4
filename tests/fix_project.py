"""Fixtures of the whole sample project: stores of its own, and its commands in processes of their own."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg2
import pytest
from bson import ObjectId, json_util
from pymongo import MongoClient

from accord.embedded import postgres_binary
from tests.fix_mongodb import Mongod
from tests.forks import Finished, run_python

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 240
# What differs between two runs that did the same: when, who, under which token; and how much of it
# the last process changed itself, which one that was killed can't tell any more.
VOLATILE = frozenset(
    (
        *("run_id", "run", "fence", "nonce", "session", "writes", "process", "changed"),
        *("applied", "applied_at", "updated_at", "recorded_at", "started_at"),
    )
)
_JSON = {"content-type": "application/json"}
NOISE = re.compile(r"index\.(creation_date|uuid|history_uuid|provided_name|version\.created|resize.*)$")


@dataclass(frozen=True, kw_only=True)
class Project:
    """
    The sample project on stores that nobody else uses.

    Attributes:
        database_url: Its PostgreSQL database.
        mongodb_url: Its MongoDB database.
        search_url: The search server.
        prefix: What its indexes' names begin with.
        extra: Further environment variables.
    """

    database_url: str = field(repr=False)
    mongodb_url: str
    search_url: str
    prefix: str
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What its commands find in their environment."""
        return {
            **os.environ,
            "ACCORD_ENV": "test",
            "DATABASE_URL": self.database_url,
            "MONGODB_URL": self.mongodb_url,
            "ELASTICSEARCH_URL": self.search_url,
            "ELASTICSEARCH_PREFIX": self.prefix,
            "DJANGO_SETTINGS_MODULE": "core.settings",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "200",
            "MEDIA_ROOT": str(self.media),
            **self.extra,
        }

    def start(self, *arguments: str, program: tuple[str, ...] = ("manage.py",)) -> subprocess.Popen[str]:
        """Start a command and give its process."""
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, program: tuple[str, ...] = ("manage.py",)) -> Finished:
        """Run a command to its end, whatever that is."""
        return run_python((*program, *arguments), env=self.environment, cwd=ROOT, timeout=SECONDS)

    def manage(self, *arguments: str) -> str:
        """Run a command that must succeed, and give what it answered."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"{arguments} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def answer(self, *arguments: str) -> Any:
        """Run a command that must succeed, and read its JSON document."""
        return json.loads(self.manage(*arguments, "--format", "json"))

    # --- what stands in the stores, read by the drivers alone -----------------------------------------

    def everything(self) -> dict[str, Any]:
        """Read schemas, documents, mappings and ledgers of all stores, without what must differ."""
        found: dict[str, Any] = {
            "postgres": self.postgres_schema(),
            "postgres rows": self.postgres_ledgers(),
            "mongodb": self.mongodb_content(),
            # Another project has the same indexes under another prefix.
            "search": json.loads(json.dumps(self.search_content()).replace(self.prefix, "PREFIX-")),
        }
        return found

    def postgres_schema(self) -> str:
        """Dump the schema."""
        dump = subprocess.run(
            [str(postgres_binary("pg_dump")), "--schema-only", "--no-owner", self.database_url],
            capture_output=True,
            text=True,
            check=True,
        )
        return "\n".join(line for line in dump.stdout.splitlines() if not line.startswith(("--", "\\")))

    def postgres_ledgers(self) -> dict[str, list[tuple[Any, ...]]]:
        """Read what is recorded as applied."""
        return {
            "django_migrations": self.rows("SELECT app, name FROM django_migrations ORDER BY 1, 2"),
            "accord_ledger": self.rows("SELECT app, name, checksum, state FROM accord_ledger ORDER BY 1, 2"),
            "alembic_version": self.rows("SELECT version_num FROM alembic_version ORDER BY 1"),
            "rates": self.rows("SELECT count(*) FROM royalties_rate"),
        }

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask PostgreSQL; a table that isn't there has no rows."""
        connection = psycopg2.connect(self.database_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        except psycopg2.errors.UndefinedTable:
            return []
        finally:
            connection.close()

    def mongodb_content(self) -> dict[str, Any]:
        """Read collections, options, indexes and documents of both databases."""
        with MongoClient[dict[str, Any]](self.mongodb_url) as client:
            name = client.get_default_database().name
            return {
                f"{number}.{collection['name']}": self._collection(client[database], collection)
                for number, database in enumerate((name, f"{name}_documents"))
                for collection in sorted(client[database].list_collections(), key=lambda found: found["name"])
            }

    @staticmethod
    def _collection(database: Any, collection: Mapping[str, Any]) -> Any:
        found = database[collection["name"]]
        # An ObjectId is made up anew each time; whatever else a key may be says what a document is.
        documents = [_calm(_without_object_id(document)) for document in found.find()]
        return {
            "options": collection["options"],
            "indexes": sorted(json_util.dumps(index) for index in found.list_indexes()),
            "documents": sorted(json_util.dumps(document, sort_keys=True) for document in documents),
        }

    def search_content(self) -> dict[str, Any]:
        """Read indexes, aliases, settings, templates and the ledger."""
        indexes = self.ask("GET", f"/{self.prefix}*?flat_settings=true&expand_wildcards=all")
        templates = self.ask("GET", f"/_index_template/{self.prefix}*").get("index_templates", [])
        ledger = self.ask("GET", f"/{self.prefix}accord-ledger/_doc/ledger").get("_source", {})
        for index in indexes.values():
            index["settings"] = {k: v for k, v in index["settings"].items() if not NOISE.search(k)}
        return {"indexes": indexes, "templates": templates, "ledger": _calm(ledger)}

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the search server directly; an answer of 404 is nothing."""
        text, headers = (None, {}) if body is None else (json.dumps(body), _JSON)
        connection = HTTPConnection(urlsplit(self.search_url).netloc, timeout=60)
        try:
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            content = json.loads(answer.read() or "{}")
        finally:
            connection.close()
        return {} if answer.status == 404 else content

    @property
    def register(self) -> Path:
        """The register of erasures: here each database has one of its own address."""
        config = environ.Env.db_url_config(self.database_url)
        address = "\n".join(str(config.get(name) or "") for name in ("HOST", "PORT", "NAME"))
        name = hashlib.sha256(address.encode()).hexdigest()[:16]
        return ROOT / ".accord" / f"erasure-register-{name}.jsonl"

    @property
    def media(self) -> Path:
        """Where files lie that people upload: a folder of this project's own."""
        return self.register.with_suffix(".media")

    def clean(self) -> None:
        """Remove everything from MongoDB and search; the PostgreSQL database is dropped by its maker."""
        shutil.rmtree(self.media, ignore_errors=True)
        for file in self.register.parent.glob(f"{self.register.name}*"):
            file.unlink()
        with MongoClient[dict[str, Any]](self.mongodb_url) as client:
            name = client.get_default_database().name
            client.drop_database(name)
            client.drop_database(f"{name}_documents")
        found = self.ask("GET", f"/{self.prefix}*?expand_wildcards=all&filter_path=*.aliases")
        if found:
            self.ask("DELETE", f"/{','.join(found)}")
        for template in self.ask("GET", f"/_index_template/{self.prefix}*").get("index_templates", []):
            self.ask("DELETE", f"/_index_template/{template['name']}")


def _without_object_id(document: Mapping[str, Any]) -> Mapping[str, Any]:
    key = document["_id"]
    return {k: v for k, v in document.items() if k != "_id" or not isinstance(key, ObjectId)}


def _calm(value: Any) -> Any:
    """Leave out, at every depth, what differs between two runs that did the same."""
    if isinstance(value, Mapping):
        # Which store it is says each store itself, by chance.
        is_mark = {"form", "value"} <= value.keys()
        names = [name for name in value if name not in VOLATILE and not (is_mark and name == "value")]
        return {name: _calm(value[name]) for name in names}
    return [_calm(item) for item in value] if isinstance(value, list) else value


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Name the places where two states differ, with what stands there."""
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        names = sorted({*found, *expected}, key=str)
        parts = [(f"{place}/{name}", found.get(name), expected.get(name)) for name in names]
        return [line for name, left, right in parts for line in differences(left, right, name)]
    if found == expected:
        return []
    if isinstance(found, str) and isinstance(expected, str):
        found, expected = found.splitlines(), expected.splitlines()
    if isinstance(found, list) and isinstance(expected, list):
        added = [item for item in found if item not in expected]
        missing = [item for item in expected if item not in found]
        return [f"{place}: added {added}, missing {missing}"]
    return [f"{place}: {found!r} instead of {expected!r}"]


@pytest.fixture
def new_project(
    new_database: Callable[[], str], mongod: Mongod, opensearch_url: str
) -> Iterator[Callable[..., Project]]:
    """Give a maker of sample projects on empty stores."""
    made: list[Project] = []

    def make(**extra: str) -> Project:
        name = f"test_{uuid.uuid4().hex[:10]}"
        made.append(
            Project(
                database_url=new_database(),
                mongodb_url=mongod.url(name, "replicaSet=rs0"),
                search_url=opensearch_url,
                prefix=f"{name.replace('_', '-')}-",
                extra=extra,
            )
        )
        return made[-1]

    yield make
    for project in made:
        project.clean()


@pytest.fixture
def project(new_project: Callable[..., Project]) -> Project:
    """Give the sample project on empty stores."""
    return new_project()
