"""Tests of the project's migrations, as people write them with the fixture `migrations`."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from accord.errors import AccordError
from tests.projects.tested.notes.models import Note
from tests.projects.tested.notes.seen import look


def applied() -> set[tuple[str, str]]:
    """Return Django's migrations that are applied."""
    return set(MigrationRecorder(connection).applied_migrations())


def test_a_row_goes_on(migrations: Any) -> None:
    """Before the step a table knows nothing of what it brings; a row of then is there afterwards."""
    then = migrations.to("notes.0001")
    then.get_model("notes", "Note").objects.create(title="from before")
    assert look("back", write=False)["welcomes"] == 1, "the documents' steps need nothing of 0002"
    now = migrations.latest()
    assert now.get_model("notes", "Note").objects.get().title == "from before"


def test_another_store_goes_back(migrations: Any) -> None:
    """What needs its step goes first, in whichever store."""
    migrations.to("mongodb:notes.0001")
    assert look("documents", write=False)["welcomes"] == 1, "its way back leaves the document"
    assert ("notes", "0002_after_the_documents") not in applied()


@pytest.mark.django_db
def test_everything_is_the_newest_again() -> None:
    """The tests before this one left nothing half done."""
    assert ("notes", "0002_after_the_documents") in applied()


def test_there_and_back(migrations: Any) -> None:
    """All of an app, in every store."""
    migrations.there_and_back("notes")


def test_the_whole_plan_there_and_back(migrations: Any) -> None:
    """Every step of every store, the suite's own tables among them."""
    before = applied()
    migrations.there_and_back()
    assert applied() == before


def test_models_and_tables_are_the_same(migrations: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of a model without a migration is named, unless it is another app's."""
    migrations.assert_matches_models()
    monkeypatch.setattr(Note._meta.get_field("title"), "max_length", 60)
    with pytest.raises(AssertionError, match="notes: Alter field title on note"):
        migrations.assert_matches_models()
    migrations.assert_matches_models("auth")
    with pytest.raises(AccordError, match="No app “note”"):
        migrations.assert_matches_models("note")


def test_a_table_that_somebody_changed_is_told(migrations: Any) -> None:
    """The models and the migrations agree; the table does not."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notes_note ADD COLUMN extra text")
    try:
        with pytest.raises(AssertionError, match="extra"):
            migrations.assert_matches_models("notes")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notes_note DROP COLUMN extra")


def test_what_differs_is_told(migrations: Any, accord_stores: Any) -> None:
    """An index that somebody dropped is named."""
    accord_stores["mongodb"].database()["notes"].drop_index("note")
    try:
        with pytest.raises(AssertionError, match="note"):
            migrations.assert_as_described()
    finally:
        accord_stores["mongodb"].database()["notes"].create_index([("note", 1)], name="note")
    migrations.assert_as_described()


def test_an_unknown_step_is_refused(migrations: Any) -> None:
    """By the error of the commands."""
    with pytest.raises(AccordError, match="0009"):
        migrations.to("notes.0009")
