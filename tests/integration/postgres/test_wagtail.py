"""The whole history of Wagtail: the same database as Django's own `migrate` leaves, there and back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from accord.embedded import postgres_binary

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).parents[3]


def do(how: str, url: str) -> Any:
    """Do something in a process with Wagtail's settings."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.postgres.wagtail_run", how],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["found"]


def schema(url: str) -> str:
    """Dump the schema without our own tables, and without the random line of a dump."""
    parts = urlsplit(url)
    dump = subprocess.run(
        [
            postgres_binary("pg_dump"),
            *("--schema-only", "--exclude-table=accord_*", "--no-owner"),
            *("--host", str(parts.hostname), "--port", str(parts.port)),
            *("--username", str(parts.username), parts.path.lstrip("/")),
        ],
        env={**os.environ, "PGPASSWORD": str(parts.password)},
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in dump.stdout.splitlines() if "restrict " not in line)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return sorted(cursor.fetchall())
    finally:
        connection.close()


def assert_same_database(ours: str, theirs: str) -> None:
    """Compare the schema, Django's ledger, and the rows that Django's own receivers write."""
    assert schema(ours) == schema(theirs)
    for query in (
        "SELECT app, name FROM django_migrations",
        "SELECT app_label, model FROM django_content_type",
        "SELECT codename, name FROM auth_permission",
    ):
        assert rows(ours, query) == rows(theirs, query)


def test_wagtail_ends_as_with_django_and_goes_back_where_django_can(new_database: Callable[[], str]) -> None:
    """Catalog, ledger, content types and permissions agree after every way that both can go."""
    ours, theirs = new_database(), new_database()

    assert do("store", ours) > 150
    do("django", theirs)
    assert_same_database(ours, theirs)

    assert do("store", ours) == 0
    assert_same_database(ours, theirs)
    assert list(do("probe", ours)) == ["done"]

    assert do("store-back", ours) > 30
    do("django-back", theirs)
    assert_same_database(ours, theirs)

    do("store", ours)
    do("django", theirs)
    assert_same_database(ours, theirs)


def test_database_that_django_migrated_is_adopted_as_it_is(new_database: Callable[[], str]) -> None:
    """A project that used `migrate` until now has nothing to do, and every step is found to be there."""
    theirs = new_database()
    do("django", theirs)

    assert do("store", theirs) == 0
    assert list(do("probe", theirs)) == ["done"]
