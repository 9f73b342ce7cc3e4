"""Options of an Alembic store."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import make_url

from accord.errors import ConfigurationError
from migrator.alembic.options import DatabaseUrl, parse


@pytest.mark.parametrize(
    ("text", "sqlalchemy", "libpq"),
    [
        ("postgres://u:p@h:5/db", "postgresql+psycopg2://u:p@h:5/db", "postgresql://u:p@h:5/db"),
        ("postgresql://u@h/db", "postgresql+psycopg2://u@h/db", "postgresql://u@h/db"),
        ("pgsql://h/db", "postgresql+psycopg2://h/db", "postgresql://h/db"),
        ("postgresql+asyncpg://h/db", "postgresql+asyncpg://h/db", "postgresql://h/db"),
        (
            "postgres://u:a%40b%25c@h/db",
            "postgresql+psycopg2://u:a%40b%25c@h/db",
            "postgresql://u:a%40b%25c@h/db",
        ),
        (
            "postgres://h/db?sslmode=require",
            "postgresql+psycopg2://h/db?sslmode=require",
            "postgresql://h/db?sslmode=require",
        ),
        (
            "postgresql://u:@/db?host=/run/pg",
            "postgresql+psycopg2://u:@/db?host=/run/pg",
            "postgresql://u:@/db?host=/run/pg",
        ),
        (
            "postgres://u@%2Frun%2Fpg:7/db",
            "postgresql+psycopg2://u@/db?host=/run/pg&port=7",
            "postgresql://u@/db?host=/run/pg&port=7",
        ),
        ("postgres://[::1]:5432/db", "postgresql+psycopg2://[::1]:5432/db", "postgresql://[::1]:5432/db"),
    ],
)
def test_url_is_spelled_for_both_drivers(text: str, sqlalchemy: str, libpq: str) -> None:
    """A URL as Django's helpers write it serves SQLAlchemy and psycopg2."""
    url = DatabaseUrl(text=text)

    assert url.for_sqlalchemy() == sqlalchemy
    assert url.for_psycopg2 == libpq


def test_sqlalchemy_reads_password_and_socket_from_it() -> None:
    """What SQLAlchemy makes of it is what was meant."""
    url = make_url(DatabaseUrl(text="postgres://u:a%40b%25c@%2Frun%2Fpg/db").for_sqlalchemy())

    assert (url.username, url.password, url.database) == ("u", "a@b%c", "db")
    assert url.query["host"] == "/run/pg"


def test_driver_of_the_ini_is_used_where_the_url_names_none() -> None:
    """An env.py with an async engine keeps its driver."""
    assert DatabaseUrl(text="postgres://h/db").for_sqlalchemy("asyncpg") == "postgresql+asyncpg://h/db"


def test_alias_is_the_default_label() -> None:
    """A store without APP takes its alias into step keys."""
    assert parse("royalties", {"CONFIG": "alembic.ini"}).app == "royalties"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({}, "no CONFIG"),
        ({"CONFIG": "a.ini", "VERSIONTABLE": "v"}, "VERSIONTABLE"),
        ({"CONFIG": 7}, "must be a text"),
        ({"CONFIG": "a.ini", "APP": "a.b"}, "APP"),
        ({"CONFIG": "a.ini", "URL": "mysql://u:secret@h/db"}, "no PostgreSQL URL"),
    ],
)
def test_wrong_option_is_named(raw: dict[str, object], words: str) -> None:
    """The message names the store's entry and the option, and no secret."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse("alembic", raw)

    assert "ACCORD['STORES']['alembic']" in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.hint


def test_url_is_kept_out_of_texts() -> None:
    """Printing the options shows no password."""
    options = parse("alembic", {"CONFIG": "a.ini", "URL": "postgres://u:secret@h/db"})

    assert "secret" not in repr(options)
