"""Which aliases of `DATABASES` take part, and which are never asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from tests.fix_stranger import Visit

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

WITHOUT = ["django.contrib.admin", "mongo_migrations", "searchindex", "gdpr"]
ROUTERS = "tests.projects.stranger.routers"
CLOSED = {"HOST": "127.0.0.1", "PORT": "1"}
READ_ONLY = {"OPTIONS": {"options": "-c default_transaction_read_only=on"}}


@pytest.fixture
def shop(visit: Visit) -> Visit:
    """Give a small shop, and an app with a hinted operation."""
    apps = ["tests.projects.stranger.shop", "tests.projects.stranger.hinted"]
    return partial(visit, apps=apps, without=WITHOUT)


def name_of(url: str) -> dict[str, Any]:
    """Describe a database on the same server."""
    return {"NAME": urlsplit(url).path[1:]}


def routed(router: str) -> dict[str, Any]:
    """Set a router."""
    return {"DATABASE_ROUTERS": [f"{ROUTERS}.{router}"]}


def tables(url: str) -> set[str]:
    """Name the tables that aren't the suite's or Django's."""
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            names = {name for (name,) in cursor.fetchall()}
    finally:
        connection.close()
    return {name for name in names if name.startswith(("shop_", "archive", "auth_user"))}


@pytest.mark.parametrize("router", ["ByModel", "ByModelItself"])
def test_a_router_that_decides_by_model_gives_each_database_its_tables(
    shop: Visit, new_database: Callable[[], str], router: str
) -> None:
    """As `migrate` and `migrate --database logs` do; nothing is pending then, and all of it can be undone."""
    url, logs = new_database(), new_database()
    visit = partial(shop, database_url=url, databases={"logs": name_of(logs)}, settings=routed(router))
    first, again, listed = visit(
        "migrate_all --noinput", "migrate_all --check", "showmigrations_all --store logs shop"
    ).came

    assert (first.code, again.code) == (0, 0), first.said + again.said
    assert (tables(url) & {"shop_thing", "shop_logline"}, tables(logs)) == ({"shop_thing"}, {"shop_logline"})
    assert "[X]" in listed.said

    [undone] = visit("migrate_all --revert shop zero --store logs --noinput").came

    assert (undone.code, tables(logs), "shop_thing" in tables(url)) == (0, set(), True), undone.said


def test_an_operation_goes_where_its_hint_says(shop: Visit, new_database: Callable[[], str]) -> None:
    """A router that knows hints alone says nothing of the app, and still has a database for its operation."""
    url, logs = new_database(), new_database()
    [came] = shop(
        "migrate_all --noinput",
        database_url=url,
        databases={"logs": name_of(logs)},
        settings=routed("ByHint"),
    ).came

    assert came.code == 0, came.said
    assert (tables(logs), "archive" in tables(url)) == ({"archive"}, False)


@pytest.mark.by_turns(3)
@pytest.mark.parametrize(
    ("entry", "settings"),
    [
        ({**READ_ONLY, "TEST": {"MIRROR": "default"}}, {}),
        ({"TEST": {"MIRROR": "default"}}, {}),
        (READ_ONLY, {}),
        (READ_ONLY, routed("DefaultOnly")),
        ({}, routed("DefaultOnly")),
        ({**CLOSED, "TEST": {"MIRROR": "default"}}, {}),
        ({**CLOSED, **READ_ONLY}, {}),
        (CLOSED, routed("DefaultOnly")),
    ],
    ids=str,
)
def test_an_alias_that_takes_no_migrations_is_never_asked(
    shop: Visit, new_database: Callable[[], str], entry: dict[str, Any], settings: dict[str, Any]
) -> None:
    """A replica's ledger holds the rows of its primary, and its server may be away."""
    came = shop(
        *("migrate_all --noinput", "migrate_all --check", "migrate_all --noinput", "showmigrations_all"),
        database_url=new_database(),
        databases={"other": entry},
        settings=settings,
    ).came

    assert [each.code for each in came] == [0, 0, 0, 0], [each.said[-400:] for each in came]
    assert "other:" not in came[-1].said


def test_an_alias_that_store_leaves_out_is_not_connected_to(
    shop: Visit, new_database: Callable[[], str]
) -> None:
    """Whether it is planned, run, run again or reverted; without `--store` its absence is told."""
    *came, whole = shop(
        "migrate_all --plan --store default",
        "migrate_all --noinput --store default",
        "migrate_all --noinput --store default",
        "migrate_all --revert shop zero --store default --noinput",
        "migrate_all --plan",
        database_url=new_database(),
        databases={"other": CLOSED},
    ).came

    assert [each.code for each in came] == [0, 0, 0, 0], [each.said[-400:] for each in came]
    assert (whole.code, "ACC-601" in whole.said, "“other”" in whole.said) == (8, True, True)


def test_a_server_that_takes_no_writes_is_told_before_anything_is_written(
    shop: Visit, new_database: Callable[[], str]
) -> None:
    """Where only the server knows: the message names the ways to leave the alias out."""
    url, other = new_database(), new_database()
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name_of(other)['NAME']} SET default_transaction_read_only = on")
    connection.close()
    came, rest = shop(
        "migrate_all --noinput",
        "migrate_all --noinput --store default",
        database_url=url,
        databases={"other": name_of(other)},
    ).came

    assert (came.code, "ACC-602" in came.said, "MIRROR" in came.said) == (8, True, True), came.said
    assert rest.code == 0, rest.said


def test_an_ordinary_second_alias_takes_everything(shop: Visit, new_database: Callable[[], str]) -> None:
    """Without a router every database has every app, as before."""
    url, other = new_database(), new_database()
    came, listed = shop(
        "migrate_all --noinput",
        "showmigrations_all --format json --store other",
        database_url=url,
        databases={"other": name_of(other)},
    ).came

    assert came.code == 0, came.said
    assert tables(other) == tables(url)
    assert all(step["applied"] for step in json.loads(listed.said)["steps"])
