"""Why a PostgreSQL doesn't let us work: each cause its own sentence."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.fix_postgres import execute
from tests.fix_stranger import Visit

pytestmark = pytest.mark.acceptance


@pytest.fixture
def site(visit: Visit, new_database: Callable[[], str]) -> Visit:
    """Give a small site on an empty database."""
    without = ["django.contrib.admin", "mongo_migrations", "searchindex", "gdpr"]
    return partial(visit, database_url=new_database(), without=without)


@pytest.fixture
def newcomer(postgres_url: str) -> Iterator[dict[str, Any]]:
    """Give a role that may connect, and nothing else."""
    name = f"role_{uuid.uuid4().hex[:8]}"
    execute(postgres_url, f"CREATE ROLE {name} LOGIN PASSWORD 'hush'")
    yield {"USER": name, "PASSWORD": "hush"}
    databases = "SELECT datname FROM pg_database WHERE datallowconn AND datname LIKE 'test%'"
    with psycopg2.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute(databases)
        names = [each for (each,) in cursor.fetchall()]
    for each in names:
        execute(urlsplit(postgres_url)._replace(path=f"/{each}").geturl(), f"DROP OWNED BY {name}")
    execute(postgres_url, f"DROP ROLE {name}")


def test_a_right_that_is_missing_is_told_as_that(site: Visit, newcomer: dict[str, Any]) -> None:
    """On the first write, and on reading what others wrote: the server is neither away nor closed to us."""
    as_newcomer = {"databases": {"default": newcomer}}
    [first] = site("migrate_all --noinput", **as_newcomer).came
    [applied] = site("migrate_all --noinput").came
    [later] = site("migrate_all --plan", **as_newcomer).came

    assert (first.code, applied.code, later.code) == (8, 0, 8), first.said + applied.said + later.said
    assert "[ACC-602]" in first.said
    assert "permission denied for schema public" in first.said
    assert "[ACC-602]" in later.said
    assert "permission denied for table django_migrations" in later.said
    assert not [word for word in ("is away", "credentials") if word in first.said + later.said]


def test_a_schema_that_does_not_exist_is_told_as_that(site: Visit) -> None:
    """The search path names none that is there."""
    options = {"OPTIONS": {"options": "-c search_path=nowhere"}}
    [came] = site("migrate_all --noinput", databases={"default": options}).came

    assert (came.code, "[ACC-602]" in came.said, "search_path" in came.said) == (8, True, True), came.said


def test_a_session_that_was_ended_is_told_with_the_step_that_was_under_way(site: Visit) -> None:
    """The server is up: nobody is told to start it."""
    [came] = site("migrate_all --noinput", apps=["tests.projects.stranger.doomed"]).came

    assert came.code == 8, came.said
    assert "ended our connection" in came.said
    assert "default:doomed.0001_initial was under way" in came.said
    assert "Start the server" not in came.said
