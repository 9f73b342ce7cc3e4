"""Fixtures of Alembic histories: a database and a history for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.conformance.harness_alembic import AlembicHarness

NewDatabase = Callable[[], str]
_NUMBERS = itertools.count()


@pytest.fixture
def alembic_database(postgres_url: str) -> Iterator[NewDatabase]:
    """Make empty databases, and drop them when the test is over."""
    made: list[str] = []

    def make() -> str:
        made.append(f"alembic_{next(_NUMBERS)}")
        _run(postgres_url, f"CREATE DATABASE {made[-1]}")
        return urlsplit(postgres_url)._replace(path=f"/{made[-1]}").geturl()

    yield make
    for name in made:
        _run(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


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
