"""What is known of database products, without asking one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import OperationalError, ProgrammingError

from accord.connecting import (
    AWAY,
    CREDENTIALS,
    ENDED,
    FULL,
    IDLE,
    POOLER,
    STARTING,
    TRANSACTION_TIME,
    Trouble,
)
from accord.errors import UnsupportedServer
from migrator.relational.vendors import PostgreSQL

POSTGRESQL = PostgreSQL()


@pytest.mark.parametrize(
    ("declared", "live"),
    [
        ("varchar(80)", "character varying(80)"),
        ("varchar", "character varying"),
        ("numeric(10, 2)", "numeric(10,2)"),
        ("timestamp with time zone", "timestamp with time zone"),
        ("time", "time without time zone"),
        ("varchar(10)[]", "character varying(10)[]"),
        ("bigint", "bigint"),
        ("serial", "integer"),
        ("double precision", "double precision"),
        ("jsonb", "jsonb"),
        ("bool", "boolean"),
    ],
)
def test_declared_and_live_types_are_written_alike(declared: str, live: str) -> None:
    """Django's short names and the catalog's long ones are the same type."""
    assert POSTGRESQL.normalised(declared) == POSTGRESQL.normalised(live)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("varchar(80)", "varchar(81)"),
        ("integer", "bigint"),
        ("numeric(10, 2)", "numeric(10, 3)"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("text", "varchar"),
        ("integer", "integer[]"),
    ],
)
def test_different_types_stay_different(one: str, other: str) -> None:
    """Size, precision, time zone and arrays count."""
    assert POSTGRESQL.normalised(one) != POSTGRESQL.normalised(other)


def test_old_server_is_unsupported() -> None:
    """PostgreSQL 13 is refused with the version it has and the one it needs."""
    connection = cast("Any", SimpleNamespace(alias="default", pg_version=130011))

    with pytest.raises(UnsupportedServer, match=r"PostgreSQL 13\.11; the oldest supported is 14"):
        POSTGRESQL.check_version(connection)


@pytest.mark.parametrize(
    "text",
    [
        'FATAL:  password authentication failed for user "app"',
        'connection to server failed: FATAL:  database "shop" does not exist',
        'FATAL:  role "app" does not exist',
        "FATAL:  no pg_hba.conf entry for host",
    ],
)
def test_server_that_does_not_let_us_in_is_told_from_one_that_is_away(text: str) -> None:
    """A refusal is recognised by what the server says before there is any code."""
    assert POSTGRESQL.trouble(OperationalError(text)) is CREDENTIALS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("connection to server failed: Connection refused", AWAY),
        ("timeout expired", AWAY),
        ("FATAL:  unsupported startup parameter: options", POOLER),
        ("FATAL:  sorry, too many clients already", FULL),
        ("FATAL:  the database system is starting up", STARTING),
        ("server closed the connection unexpectedly", ENDED),
        ("terminating connection due to administrator command", ENDED),
        ("terminating connection due to idle-in-transaction timeout", IDLE),
        ("terminating connection due to transaction timeout\nserver closed the connection", TRANSACTION_TIME),
    ],
)
def test_each_cause_has_its_own_sentence(text: str, expected: Trouble) -> None:
    """A pooler that refuses a parameter, a server that is full or starts up: neither is away."""
    assert POSTGRESQL.trouble(OperationalError(text)) is expected


def test_missing_table_is_no_refusal() -> None:
    """An error in a statement says nothing about credentials."""
    assert POSTGRESQL.trouble(ProgrammingError('relation "x" does not exist')) is None
