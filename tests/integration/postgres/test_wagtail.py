"""The whole history of Wagtail: the same database as Django's own `migrate` leaves, there and back."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from accord.embedded import postgres_binary
from tests.fix_wagtail import wagtail

# A busy machine takes its time.
pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


def do(how: str, url: str) -> Any:
    """Do something in a process with Wagtail's settings."""
    return json.loads(wagtail(url, "-m", "tests.integration.postgres.wagtail_run", how))["found"]


def dump(url: str, *options: str) -> list[str]:
    """Dump a database without our own tables, and without the random line of a dump."""
    parts = urlsplit(url)
    done = subprocess.run(
        [
            postgres_binary("pg_dump"),
            *(*options, "--exclude-table=accord_*", "--exclude-table=migrator_*", "--no-owner"),
            *("--host", str(parts.hostname), "--port", str(parts.port)),
            *("--username", str(parts.username), parts.path.lstrip("/")),
        ],
        env={**os.environ, "PGPASSWORD": str(parts.password)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "restrict " not in line]


def schema(url: str) -> str:
    """Return what a database looks like."""
    return "\n".join(dump(url, "--schema-only"))


def contents(url: str) -> list[str]:
    """Return every row and every sequence's value; Django's ledger has times of its own."""
    return sorted(dump(url, "--data-only", "--inserts", "--exclude-table=django_migrations*"))


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


@pytest.mark.by_turns(3)
def test_wagtail_ends_as_with_django_and_goes_back_where_django_can(
    new_database: Callable[[], str], by_django: str
) -> None:
    """Catalog, ledger, content types and permissions agree after every way that both can go."""
    ours = new_database()

    assert do("store", ours) > 150
    assert_same_database(ours, by_django)

    assert do("store", ours) == 0
    assert_same_database(ours, by_django)
    assert list(do("probe", ours)) == ["done"]

    assert do("store-back", ours) > 30
    do("django-back", by_django)
    assert_same_database(ours, by_django)

    do("store", ours)
    do("django", by_django)
    assert_same_database(ours, by_django)


@pytest.mark.by_turns(6)
def test_wagtail_in_parts_ends_as_with_django(new_database: Callable[[], str], by_django: str) -> None:
    """As if every table were large: whatever can be sent in parts is, through the whole history."""
    ours = new_database()

    assert do("store-in-parts", ours) > 150

    assert_same_database(ours, by_django)
    assert list(do("probe", ours)) == ["done"]


def test_database_that_django_migrated_is_adopted_as_it_is(by_django: str) -> None:
    """A project that used `migrate` until now has nothing to do, and every step is found to be there."""
    assert do("store", by_django) == 0
    assert list(do("probe", by_django)) == ["done"]
