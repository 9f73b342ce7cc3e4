"""Fixtures of PostgreSQL: a real server for a session, and a database of its own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from pymongo import MongoClient
from pytest_django.plugin import DjangoDbBlocker

from accord.embedded import EmbeddedCluster
from tests import own_postgres
from tests.conformance.harness_relational import DocumentsHarness, RelationalHarness
from tests.fix_mongodb import Mongod


def execute(url: str, *statements: str) -> None:
    """Send statements outside of any transaction."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()


def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    """Ask a database by the driver alone."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Give the address of a server that is shared by the tests of this process.

    `ACCORD_TEST_POSTGRES=15` starts one that the machine has; `postgres://...` names one that runs, which
    stays as it is but for the databases that tests make and drop.
    """
    other = os.environ.get("ACCORD_TEST_POSTGRES", "")
    if other.isdigit():
        folder = own_postgres.programs(other)
        assert folder is not None, f"this machine has no PostgreSQL {other} of its own"
        with own_postgres.running(folder) as url:
            yield url
        return
    if other:
        yield other
        return
    home = tmp_path_factory.mktemp("postgres")
    with EmbeddedCluster(home, ("postgres",), die_with_parent=True, delete=True) as cluster:
        yield cluster.urls()["postgres"]


@pytest.fixture
def new_database(postgres_url: str) -> Iterator[Callable[[], str]]:
    """Give a maker of empty databases that go away after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid.uuid4().hex[:12]}")
        execute(postgres_url, f"CREATE DATABASE {made[-1]} TEMPLATE template0")
        return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{made[-1]}"))

    yield make
    execute(postgres_url, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in made))


@pytest.fixture
def relational_harness(
    tmp_path: Path, new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker
) -> Iterator[RelationalHarness]:
    """Give a relational store on PostgreSQL with migration files of its own."""
    with django_db_blocker.unblock():
        harness = RelationalHarness(tmp_path, new_database())
        yield harness
        harness.close()


@pytest.fixture
def documents_harness(
    tmp_path: Path, mongo_url: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[DocumentsHarness]:
    """Give a relational store on MongoDB with migration files of its own."""
    with django_db_blocker.unblock():
        harness = DocumentsHarness(tmp_path, mongo_url)
        yield harness
        harness.close()


@pytest.fixture
def new_documents(mongod: Mongod) -> Iterator[Callable[[], str]]:
    """Give a maker of empty databases of MongoDB that go away after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid.uuid4().hex[:12]}")
        return mongod.url(made[-1], "replicaSet=rs0")

    yield make
    with MongoClient[dict[str, Any]](mongod.url()) as client:
        for name in made:
            client.drop_database(name)
