"""The whole history of Wagtail by `migrate_all`: the database that Django's own `migrate` leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fix_wagtail import wagtail
from tests.integration.postgres.test_wagtail import assert_same_database

# A busy machine takes its time.
pytestmark = [pytest.mark.acceptance, pytest.mark.slow, pytest.mark.timeout(900)]


def command(url: str, *arguments: str) -> str:
    """Run a command of the Wagtail site that must succeed."""
    return wagtail(url, "-m", "django", *arguments)


@pytest.mark.by_turns(3)
def test_migrate_all_ends_as_django_does_and_goes_back_where_django_can(
    new_database: Callable[[], str], by_django: str
) -> None:
    """Schema, Django's ledger, content types and permissions agree, there and back."""
    ours = new_database()

    command(ours, "migrate_all", "--noinput")
    assert_same_database(ours, by_django)
    assert "Nothing to do" in command(ours, "migrate_all")
    assert "No migrations to apply" in command(ours, "migrate")

    for app in ("wagtailredirects", "wagtailembeds", "wagtailsearchpromotions"):
        command(ours, "migrate_all", app, "zero", "--revert", "--noinput")
        command(by_django, "migrate", app, "zero", "--verbosity", "0")
    assert_same_database(ours, by_django)
