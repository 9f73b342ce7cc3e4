"""What a look at a live PostgreSQL must not overlook: copies, other schemas, foreign tables, parts."""

from __future__ import annotations

import pytest
from django.db import connections

from gdpr.datamap.actions import Manual, Nothing
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.presets.suite import BOOKS
from gdpr.stores.tables import Tables
from tests.fix_engine import Coordinator

pytestmark = pytest.mark.integration


def make(coordinator: Coordinator, *statements: str) -> None:
    with connections[coordinator.alias].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def nothing(*tables: str) -> list[Entry]:
    return [Entry(id=one, store="x", target=f"table:{one}", action=Nothing("Words.")) for one in tables]


def look(coordinator: Coordinator, *entries: Entry) -> list[MapFinding]:
    return list(Tables(coordinator.alias).inspect(entries))


def unclassified(coordinator: Coordinator, *tables: str) -> list[str]:
    found = look(coordinator, *nothing(*tables))
    assert not [one for one in found if one.fault is Fault.NO_TARGET], found
    return [one.target for one in found if one.fault is Fault.UNCLASSIFIED]


def test_label_of_before_a_move_is_told_with_the_one_of_after(coordinator: Coordinator) -> None:
    """An entry goes on to name the app that a model was in; no row of it is found until that is corrected."""
    old = Entry(id="venues", store="x", target="concerts.Venue", action=Nothing("Places."))

    (gone,) = [one for one in look(coordinator, old) if one.fault is Fault.NO_TARGET]

    assert gone.message == "Entry “venues” names concerts.Venue, which the database does not have."
    assert gone.hint.startswith('Did it move? "streaming.Venue" has its name or its table')


def test_copies_other_schemas_and_foreign_tables_need_an_entry(coordinator: Coordinator) -> None:
    """Whatever stores rows is told, wherever it lies and whatever it is called; an entry settles it."""
    make(
        coordinator,
        "CREATE TABLE person (id int PRIMARY KEY, email text)",
        "CREATE MATERIALIZED VIEW emails AS SELECT email FROM person",
        "CREATE SCHEMA other",
        "CREATE TABLE other.person_copy AS TABLE person",
        "CREATE TABLE other.person AS TABLE person",
        "CREATE TABLE accord_customers AS TABLE person",
        "CREATE UNLOGGED TABLE fast (email text)",
        "CREATE FOREIGN DATA WRAPPER nothing",
        "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing",
        "CREATE FOREIGN TABLE far (email text) SERVER elsewhere",
        "CREATE TEMPORARY TABLE passing (email text)",
    )
    everything = ["accord_customers", "emails", "far", "fast", "other.person", "other.person_copy", "person"]

    told = unclassified(coordinator)

    assert sorted(told) == everything
    assert unclassified(coordinator, "person", "other.person") == ["other.person_copy", *everything[:4]]
    assert unclassified(coordinator, *everything) == []


def test_partitions_are_classified_with_the_whole(coordinator: Coordinator) -> None:
    """Rows of a part are rows of the whole; a part that was detached is a table of its own."""
    make(
        coordinator,
        "CREATE TABLE event (at date, email text) PARTITION BY RANGE (at)",
        "CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
        "CREATE SCHEMA archive",
        "CREATE TABLE archive.event_0 PARTITION OF event DEFAULT",
    )

    assert unclassified(coordinator) == ["event"]
    assert unclassified(coordinator, "event") == []

    make(coordinator, "ALTER TABLE event DETACH PARTITION archive.event_0")
    assert unclassified(coordinator, "event") == ["archive.event_0"]


def test_views_need_an_entry_only_where_they_show_what_no_table_here_holds(coordinator: Coordinator) -> None:
    """A view over tables shows their rows; over a function, the server's own tables or words, others."""
    make(
        coordinator,
        "CREATE TABLE person (id int PRIMARY KEY, email text)",
        "CREATE FUNCTION far_away() RETURNS SETOF text LANGUAGE sql AS 'SELECT ''x''::text'",
        "CREATE FUNCTION short(text) RETURNS text LANGUAGE sql AS 'SELECT left($1, 3)'",
        "CREATE VIEW plain AS SELECT short(email), upper(email) FROM person",
        "CREATE VIEW over_plain AS SELECT * FROM plain",
        "CREATE VIEW from_function AS SELECT * FROM person, far_away()",
        "CREATE VIEW of_server AS SELECT query FROM pg_stat_activity",
        "CREATE VIEW of_words AS VALUES ('Ada')",
    )

    assert sorted(unclassified(coordinator, "person")) == ["from_function", "of_server", "of_words"]
    assert unclassified(coordinator, "person", "from_function", "of_server", "of_words", "plain") == []


def test_materialised_view_is_left_to_a_person(coordinator: Coordinator) -> None:
    """Nothing can be deleted from a copy: who says so is told what to write, and Manual is enough."""
    make(coordinator, "CREATE TABLE person (email text)", "CREATE MATERIALIZED VIEW m AS TABLE person")
    (found,) = look(coordinator, *nothing("person"))
    by_hand = Entry(id="m", store="x", target="table:m", action=Manual("REFRESH MATERIALIZED VIEW m"))

    assert "materialised view m" in found.message
    assert "Manual" in found.hint
    assert look(coordinator, *nothing("person"), by_hand) == []


def test_books_of_the_suite_and_tables_of_django_are_known_everywhere(coordinator: Coordinator) -> None:
    """A second database that was migrated without a router asks for no entry of what is known."""
    make(
        coordinator,
        *[f"CREATE TABLE {name} (id int)" for name in BOOKS],
        "CREATE TABLE django_migrations (id int)",
        "CREATE TABLE auth_permission (id int)",
        "CREATE TABLE accord_tombstone (id int)",
        "CREATE TABLE auth_user (id int)",
    )

    assert unclassified(coordinator) == ["auth.User"]


def test_values_of_before_ask_for_no_entry(coordinator: Coordinator) -> None:
    """The server lets them go with the rows that they are of; a table that is only called alike asks."""
    make(
        coordinator,
        "CREATE TABLE accord_before_0123456789abcdef (id int)",
        "CREATE TABLE accord_before_mine (id int)",
    )

    assert unclassified(coordinator) == ["accord_before_mine"]
