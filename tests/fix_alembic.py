"""Fixtures of Alembic histories: one PostgreSQL for a session, a database and a history for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from accord.embedded import EmbeddedCluster
from tests.conformance.harness_alembic import AlembicHarness

NewDatabase = Callable[[], str]
_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def alembic_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a PostgreSQL for this process of the session; it is gone when the process is."""
    folder = tmp_path_factory.mktemp("alembic_postgres")
    with EmbeddedCluster(folder, ("postgres",), die_with_parent=True, delete=True) as cluster:
        yield cluster.urls()["postgres"]


@pytest.fixture
def alembic_database(alembic_postgres: str) -> Iterator[NewDatabase]:
    """Make empty databases, and drop them when the test is over."""
    made: list[str] = []

    def make() -> str:
        made.append(f"alembic_{next(_NUMBERS)}")
        _run(alembic_postgres, f"CREATE DATABASE {made[-1]}")
        return urlsplit(alembic_postgres)._replace(path=f"/{made[-1]}").geturl()

    yield make
    for name in made:
        _run(alembic_postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def alembic_harness(tmp_path: Path, alembic_database: NewDatabase) -> AlembicHarness:
    """Give a test a history and an empty database."""
    return AlembicHarness(tmp_path / "history", alembic_database())


def _run(url: str, sql: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
    finally:
        connection.close()
