"""Tests of the project, as people write them for Django's runner."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings

from tests.projects.tested.notes.models import Note
from tests.projects.tested.notes.seen import look


class OneTest(TestCase):
    """Looks at the stores."""

    def test_stores(self) -> None:
        """Everything is applied, the history in Django's test database."""
        look("one")
        Note._default_manager.create(title="a")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM old_notes")


class TwoTest(TransactionTestCase):
    """Undoes everything."""

    def test_revert(self) -> None:
        """As a test of migrations does; at the end it is applied again."""
        look("two")
        with override_settings(ACCORD={**settings.ACCORD, "ENVIRONMENT": "test"}):
            call_command(
                "migrate_all",
                "--revert",
                "--to",
                "zero",
                "--store",
                "mongodb",
                "--noinput",
                "--even-with-data",
            )


class PlainTest(SimpleTestCase):
    """Uses no database of Django's."""

    def test_stores(self) -> None:
        """The stores are test stores nevertheless."""
        look("plain", write=False)
