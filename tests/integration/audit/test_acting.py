"""Who acts is asked of a database: one that is down or has no table yet is not one without the account."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from pytest_django.fixtures import Settings

from accord import conf
from accord.audit.verification import verify
from accord.erased.tombstones import is_erased
from accord.errors import NotAllowed, StoreError, StoreUnavailable, UsageError
from accord.proof import PASSWORD_VARIABLE, Credentials
from tests.fix_postgres import execute
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration


class EverythingAtTheCoordinator:
    """Sends every model to the coordinator, whose database belongs to the test."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return conf.load().coordinator

    db_for_write = db_for_read


@pytest.fixture
def accounts(trail: Trail, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Trail:
    """Give a database that accounts are asked of, and that has no table of them."""
    settings.DATABASE_ROUTERS = [f"{__name__}.{EverythingAtTheCoordinator.__name__}"]
    monkeypatch.setenv(PASSWORD_VARIABLE, "a guess")
    trail.sql("DROP TABLE IF EXISTS auth_user CASCADE")
    return trail


def test_missing_table_is_not_a_missing_account(accounts: Trail) -> None:
    """It names the database and the table, and what makes it."""
    with pytest.raises(StoreError, match="auth_user") as refused:
        Credentials(username="ada").account()

    assert not isinstance(refused.value, StoreUnavailable)
    assert accounts.alias in refused.value.message
    assert "migrate_all" in refused.value.hint


def test_database_that_is_down_is_not_a_missing_account(accounts: Trail, postgres_url: str) -> None:
    """Its exit code tells a script to come again; correcting the name, or migrating, would help nothing."""
    connections[accounts.alias].close()
    gone = f"{accounts.alias}_gone"
    execute(postgres_url, f"ALTER DATABASE {accounts.alias} RENAME TO {gone}")
    try:
        for read in (lambda: Credentials(username="ada").account(), verify, lambda: is_erased("kind", 1)):
            with pytest.raises(StoreUnavailable, match="has no such database"):
                read()
    finally:
        execute(postgres_url, f"ALTER DATABASE {gone} RENAME TO {accounts.alias}")


def test_an_account_that_is_missing_or_not_proved_is_told_as_before(accounts: Trail) -> None:
    """Where the table stands, the name or the password is what is wrong."""
    call_command("migrate", "auth", database=accounts.alias, verbosity=0, skip_checks=True)
    with pytest.raises(UsageError, match="There is no account “ada”"):
        Credentials(username="ada").account()

    get_user_model()._default_manager.create(username="ada")

    with pytest.raises(NotAllowed, match="password"):
        Credentials(username="ada").account()
