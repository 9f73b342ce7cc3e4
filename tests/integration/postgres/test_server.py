"""Reaching a server, or being told plainly why not."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import environ
import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from accord.errors import ConfigurationError, StoreRefused, StoreUnavailable
from accord.seam.types import Source, Step, StepKey
from accord.testing import make_lease
from migrator.relational.store import RelationalStore
from tests.fix_postgres import rows_of

pytestmark = pytest.mark.integration

ALIAS = "reached"


@pytest.fixture
def store_at(django_db_blocker: DjangoDbBlocker) -> Iterator[Callable[[str], RelationalStore]]:
    """Give a store at any address."""

    def make(url: str) -> RelationalStore:
        connections.databases[ALIAS] = environ.Env.db_url_config(url)
        connections.configure_settings(connections.databases)
        return RelationalStore(ALIAS, {})

    with django_db_blocker.unblock():
        yield make
        if ALIAS in connections.databases:
            connections[ALIAS].close()
            del connections[ALIAS]
            del connections.databases[ALIAS]


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    netloc = f"{parts.username}:{password}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=netloc))


@pytest.mark.matrix
def test_tests_meet_the_version_that_they_are_told(postgres_url: str) -> None:
    """With `ACCORD_TEST_POSTGRES=15`, as a soak does, it is that one; else the one that comes along."""
    told = os.environ.get("ACCORD_TEST_POSTGRES", "") or "18"
    [(answered,)] = rows_of(postgres_url, "SELECT current_setting('server_version_num')::int / 10000")

    assert "//" in told or str(answered) == told


def test_server_says_who_it_is(store_at: Callable[[str], RelationalStore], postgres_url: str) -> None:
    """Kind, version and address, without credentials."""
    info = store_at(postgres_url).ping()

    assert info.kind == "PostgreSQL"
    assert int(info.version.split(".")[0]) >= 14
    assert info.address == f"127.0.0.1:{urlsplit(postgres_url).port}"


def test_wrong_password_is_a_refusal_that_holds_no_secret(
    store_at: Callable[[str], RelationalStore], postgres_url: str
) -> None:
    """The message says which store at which address, and neither user nor password."""
    store = store_at(with_password(postgres_url, "hunter2"))

    with pytest.raises(StoreRefused) as caught:
        store.ping()

    assert "127.0.0.1" in caught.value.message
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "DATABASES['reached']" in caught.value.hint


def test_missing_database_is_a_refusal(store_at: Callable[[str], RelationalStore], postgres_url: str) -> None:
    """A server without the database we ask for lets nobody in."""
    url = urlunsplit(urlsplit(postgres_url)._replace(path="/nowhere"))

    with pytest.raises(StoreRefused):
        store_at(url).ping()


def test_every_question_to_an_absent_server_says_that_it_is_absent(
    store_at: Callable[[str], RelationalStore],
) -> None:
    """Ping, ledger and writing give the same error, each with the next move."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        store = store_at(f"postgres://me:secret@127.0.0.1:{probe.getsockname()[1]}/shop")
        step = Step(key=StepKey(ALIAS, "shop", "0001"), source=Source(path=None, content=b""))  # type: ignore[arg-type]  # never read

        for question in (store.ping, store.applied, lambda: store.apply(step, make_lease(1))):
            with pytest.raises(StoreUnavailable, match="can't be reached") as caught:
                question()
            assert "secret" not in str(caught.value)
            assert caught.value.hint


def test_silent_server_is_given_up_in_time(store_at: Callable[[str], RelationalStore]) -> None:
    """A server that takes the connection and says nothing counts as unavailable after `CONNECT_TIMEOUT`."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        store = store_at(f"postgres://me@127.0.0.1:{mute.getsockname()[1]}/shop")
        started = time.monotonic()

        with pytest.raises(StoreUnavailable):
            store.ping()

    assert time.monotonic() - started < 10


def test_steps_are_read_without_any_server(store_at: Callable[[str], RelationalStore]) -> None:
    """Planning offline works: nothing is asked but the disk."""
    steps = store_at("postgres://me@127.0.0.1:1/shop").steps()

    assert StepKey(ALIAS, "auth", "0001_initial") in {step.key for step in steps}
    assert all(step.third_party for step in steps if step.key.app == "auth")
    assert all(step.foundation for step in steps if step.key.app == "accord")


def test_mirror_has_no_steps(store_at: Callable[[str], RelationalStore]) -> None:
    """A replica that tests take for another database is not migrated."""
    store = store_at("postgres://me@127.0.0.1:1/shop")
    connections.databases[ALIAS]["TEST"]["MIRROR"] = "default"

    assert store.steps() == []


def test_options_are_refused() -> None:
    """Databases are configured in DATABASES, and nowhere else."""
    with pytest.raises(ConfigurationError, match="PREFIX"):
        RelationalStore("default", {"PREFIX": "x"})
