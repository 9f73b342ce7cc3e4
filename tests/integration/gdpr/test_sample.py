"""The sample project's data map against its real stores: complete, indexed, and erasing everything."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from tests.fix_project import ROOT, Project

pytestmark = [pytest.mark.integration, pytest.mark.slow]

CANARY = "zqxcanary"
PERSON = 7
FRIEND = 8


class Sample:
    """A process that answers questions about the sample's data map."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(Path(__file__).parent / "sample.py")],
            cwd=ROOT,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{do} {question.get('entry')} ended the process"
        return json.loads(answer)

    def erase_all(self, keys: str, limit: int) -> None:
        for entry in self.ask("entries"):
            for _ in range(200):
                if self.ask("erase", entry=entry, keys=keys, limit=limit)["done"]:
                    break
            else:
                raise AssertionError(f"{entry} is never done")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


@pytest.fixture(scope="module")
def module_project(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Project]:
    """Give the sample project, migrated and filled, to all tests of this module."""
    from tests.fix_postgres import execute

    server = request.getfixturevalue("postgres_url")
    mongod = request.getfixturevalue("mongod")
    name = f"gdprmap_{abs(hash(str(tmp_path_factory.getbasetemp()))) % 10**8}"
    execute(server, f"CREATE DATABASE {name} TEMPLATE template0")
    project = Project(
        database_url=server.rsplit("/", 1)[0] + f"/{name}" if "?" not in server else server,
        mongodb_url=mongod.url(name, "replicaSet=rs0"),
        search_url=request.getfixturevalue("opensearch_url"),
        prefix=f"{name.replace('_', '-')}-",
    )
    try:
        project.manage("migrate_all", "--noinput")
        seed = ("--listeners", "20", "--tracks", "40", "--venues", "14")
        project.manage("streaming_seed", "--noinput", *seed)
        yield project
    finally:
        project.clean()
        execute(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def sample(module_project: Project) -> Iterator[Sample]:
    process = Sample(module_project)
    yield process
    process.close()


def sql(project: Project, *statements: str) -> None:
    connection = psycopg2.connect(project.database_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def test_sample_is_classified_completely(module_project: Project) -> None:
    """The sample's data map holds against all of its live stores."""
    done = module_project.run("gdpr_datamap", "check", "--format", "json")

    assert json.loads(done.stdout)["findings"] == [
        finding for finding in json.loads(done.stdout)["findings"] if finding["id"] == "gdpr.W019"
    ], done.stdout + done.stderr
    assert done.returncode == 0
