"""Fixtures of a project that has tests of its own, which run in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from accord.isolation import lifted
from searchindex.endpoint import parse_url
from searchindex.transport import Transport
from tests.fix_mongodb import Mongod
from tests.fix_postgres import rows_of
from tests.fix_workshop import ROOT

FOLDER = ROOT / "tests" / "projects" / "tested"


@dataclass(frozen=True, kw_only=True)
class IsolatedProject:
    """
    The project, on stores that hold something.

    Attributes:
        database_url: Its real PostgreSQL database.
        mongodb_url: Its real MongoDB database.
        search_url: The search server.
        prefix: The real prefix.
        folder: Where its tests write what they saw.
    """

    database_url: str
    mongodb_url: str
    search_url: str
    prefix: str
    folder: Path

    def django(self, *flags: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run its tests by Django's command."""
        return self._run("django", "test", "tests.projects.tested.notes.tests", "--noinput", *flags, **more)

    def pytest(
        self, *flags: str, file: str = "test_with_pytest.py", **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a file of its tests by pytest, with the plugin that an installed wheel brings."""
        ini = ("-c", str(FOLDER / "pytest.ini"), "-p", "accord.pytest_plugin")
        return self._run("pytest", *ini, *flags, str(FOLDER / "notes" / file), **more)

    @property
    def seen(self) -> Sequence[Mapping[str, Any]]:
        """What its tests saw, in order."""
        file = self.folder / "seen"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def state(self) -> Mapping[str, Any]:
        """Read all that the real stores hold."""
        with MongoClient[Any](self.mongodb_url) as client:
            database = client.get_default_database()
            documents = {name: list(database[name].find()) for name in database.list_collection_names()}
        indexes = self.indexes(f"{self.prefix}*")
        tables = rows_of(self.database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {"documents": documents, "indexes": indexes, "tables": sorted(tables)}

    def indexes(self, pattern: str) -> Mapping[str, int]:
        """Count the documents of indexes, by index."""
        transport = Transport(parse_url(self.search_url, connect_timeout=5))
        try:
            found = sorted(transport.find(f"/{pattern}/_alias?expand_wildcards=all") or ())
            transport.request("POST", f"/{pattern}/_refresh", accept=(404,))
            return {name: transport.get(f"/{name}/_count")["count"] for name in found}
        finally:
            transport.close()

    def leftovers(self) -> Sequence[str]:
        """Name the test databases and test indexes that there are."""
        with MongoClient[Any](self.mongodb_url) as client:
            name = client.get_default_database().name
            found = [each for each in client.list_database_names() if each.startswith(f"test_{name}")]
        name = self.database_url.rsplit("/", 1)[1]
        databases = rows_of(
            self.database_url, f"SELECT datname FROM pg_database WHERE datname LIKE 'test_{name}%'"
        )
        return [*found, *(row[0] for row in databases), *self.indexes(f"test_{self.prefix}*")]

    def _run(
        self, *command: str, told: Mapping[str, Any] | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
                "DJANGO_SETTINGS_MODULE": "tests.projects.tested.settings",
                "DATABASE_URL": self.database_url,
                "MONGODB_URL": self.mongodb_url,
                "ELASTICSEARCH_URL": self.search_url,
                "ELASTICSEARCH_PREFIX": self.prefix,
                "TESTED": json.dumps(told or {}),
                "TESTED_SEEN": str(self.folder / "seen"),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="session", autouse=True)
def _stores_of_the_settings() -> Iterator[None]:
    """Tests of the suite itself make servers and databases of their own, and name those in the settings."""
    with lifted():
        yield


@pytest.fixture
def tested(
    new_database: Callable[[], str], mongod: Mongod, opensearch_url: str, tmp_path: Path
) -> Iterator[IsolatedProject]:
    """Give the project, with a document and an indexed one in the real stores; nothing of it is left over."""
    name = f"real_{uuid.uuid4().hex[:10]}"
    project = IsolatedProject(
        database_url=new_database(),
        mongodb_url=mongod.url(name, "replicaSet=rs0"),
        search_url=opensearch_url,
        prefix=f"{name}-",
        folder=tmp_path,
    )
    transport = Transport(parse_url(opensearch_url, connect_timeout=5))
    transport.request("PUT", f"/{name}-books/_doc/1?refresh=true", {"text": "real"})
    with MongoClient[Any](project.mongodb_url) as client:
        client[name]["books"].insert_one({"_id": 1, "real": True})
        yield project
        for each in [name, *(one for one in client.list_database_names() if one.startswith(f"test_{name}"))]:
            client.drop_database(each)
    for index in [*project.indexes(f"{name}-*"), *project.indexes(f"test_{name}*")]:
        transport.request("DELETE", f"/{index}", accept=(404,))
    transport.close()
