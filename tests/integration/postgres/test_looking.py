"""Reading broken files, showing statements, comparing catalogs, sending Django's signals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps as live_apps
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from accord.errors import RevisionUnreadable, RevisionWithoutMigration
from accord.events import silent
from accord.seam.differences import DifferenceKind
from accord.seam.types import Direction, Presence, Step
from accord.seam.undeclared import OWN
from accord.testing import make_lease
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.driving import migrate

pytestmark = pytest.mark.integration
ADD_REQUIRED = (
    "ALTER TABLE {t} ADD strange integer; UPDATE {t} SET strange = 1; "
    "ALTER TABLE {t} ALTER strange SET NOT NULL"
)


@pytest.fixture(params=["relational_harness", "documents_harness"])
def harness(request: pytest.FixtureRequest) -> Iterator[RelationalHarness]:
    """Give the store on each of the servers."""
    return request.getfixturevalue(request.param)


def steps(harness: RelationalHarness) -> list[Step]:
    return [harness.step(name) for name in harness.step_names]


# --- files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("class Migration(:", RevisionUnreadable, "0009_broken.py, line 1"),
        ("raise KeyError('x')", RevisionUnreadable, "raises KeyError"),
        ("import nowhere_at_all", RevisionUnreadable, "raises ModuleNotFoundError"),
        ("operations = []", RevisionWithoutMigration, "defines no class Migration"),
    ],
)
def test_broken_file_is_named(
    relational_harness: RelationalHarness, text: str, error: type[Exception], said: str
) -> None:
    """The message has the file, the line where there is one, and the next move."""
    relational_harness.write_revision("0009_broken", text)

    with pytest.raises(error, match=said) as caught:
        relational_harness.store().steps()

    assert "0009_broken.py" in str(caught.value)
    assert caught.value.hint  # type: ignore[attr-defined]  # every error of the suite has one


# --- explain -------------------------------------------------------------------------


def test_statements_of_a_whole_run_are_shown_on_an_empty_database(harness: RelationalHarness) -> None:
    """Later steps are rendered as if the earlier ones had run; Python code is named, not shown."""
    shown = {
        step.key.name: list(found) for step, found in harness.store().explain(steps(harness), Direction.APPLY)
    }

    first, second, third = (shown[name] for name in harness.step_names)
    assert any("artist" in statement.text and not statement.opaque for statement in first)
    assert any("plays" in statement.text and not statement.opaque for statement in second)
    assert [statement for statement in second if statement.opaque and ".fill" in statement.text]
    assert [statement for statement in third if statement.opaque and ".shout" in statement.text]
    assert harness.tables() == set()


def test_statements_of_the_way_back_are_shown(harness: RelationalHarness) -> None:
    """Reverting is rendered from the newest to the oldest."""
    wanted = list(reversed(steps(harness)[:2]))

    shown = list(harness.store().explain(wanted, Direction.REVERT))

    assert [step.key.name for step, _ in shown] == [step.key.name for step in wanted]
    assert any("drop" in statement.text.lower() for statement in shown[-1][1])


# --- probe ---------------------------------------------------------------------------


def test_missing_tables_are_absent_and_present_ones_done(harness: RelationalHarness) -> None:
    """The catalog is asked, not the ledger."""
    store = harness.store()
    absent = [found.presence for found in store.probe(steps(harness)[:1])]
    for step in steps(harness):
        store.apply(step, make_lease(1))

    done = {found.key.name: found for found in store.probe(steps(harness))}

    assert absent == [Presence.ABSENT]
    assert {found.presence for found in done.values()} <= {Presence.DONE, Presence.UNKNOWN}
    assert done[harness.step_names[0]].presence is Presence.DONE


@pytest.mark.parametrize(
    ("change", "at", "presence", "said"),
    [
        ("ALTER TABLE {t} DROP COLUMN plays", 1, Presence.ABSENT, "column {t}.plays is missing"),
        (
            "ALTER TABLE {t} ALTER plays TYPE integer",
            1,
            Presence.CONFLICTING,
            "is integer, declared as bigint",
        ),
        (
            "ALTER TABLE {t} ALTER country DROP NOT NULL",
            0,
            Presence.CONFLICTING,
            "is nullable, declared as not",
        ),
        (
            ADD_REQUIRED,
            0,
            Presence.CONFLICTING,
            "{t}.strange is there",
        ),
        # A column that an insert can leave out is told, and no migration is judged by it.
        ("ALTER TABLE {t} ADD strange integer", 0, Presence.DONE, "{t}.strange is there"),
        ("DROP INDEX {a}_plays", 1, Presence.PARTIAL, "index {a}_plays on {t} is missing"),
        (
            "ALTER TABLE {t} DROP CONSTRAINT {a}_plays_positive",
            1,
            Presence.PARTIAL,
            "check {a}_plays_positive",
        ),
        ("DROP TABLE {a}_track", 0, Presence.PARTIAL, "table {a}_track is missing"),
    ],
)
def test_difference_is_told_in_words_at_the_step_it_belongs_to(
    relational_harness: RelationalHarness, change: str, at: int, presence: Presence, said: str
) -> None:
    """A baseline is refused with what a person can act on."""
    harness = relational_harness
    wanted = steps(harness)[:2]
    for step in wanted:
        harness.store().apply(step, make_lease(1))
    words = {"t": f"{harness.app}_artist", "a": harness.app}
    harness.execute(change.format(**words))

    found = list(harness.store().probe(wanted))

    assert found[at].presence is presence
    assert any(said.format(**words) in one.text for one in found[at].findings), found[at].findings
    assert found[1 - at].presence is Presence.DONE


# --- signals -------------------------------------------------------------------------


@contextmanager
def heard(signal: Any) -> Iterator[list[dict[str, Any]]]:
    """Collect what a signal of Django's carries for one app."""
    calls: list[dict[str, Any]] = []

    def receive(sender: Any, **kwargs: Any) -> None:
        if sender.label == "auth":
            calls.append(kwargs)

    signal.connect(receive, weak=False, dispatch_uid="heard")
    try:
        yield calls
    finally:
        signal.disconnect(dispatch_uid="heard")


def test_run_sends_the_signals_that_migrate_sends(relational_harness: RelationalHarness) -> None:
    """Receivers get the plan, the database and the models as they were and as they are then."""
    store = relational_harness.store()
    plan = [step for step in store.steps() if step.key.app == relational_harness.app]

    with heard(pre_migrate) as before, heard(post_migrate) as after:
        store.before_run(plan, Direction.APPLY, silent)
        for step in plan:
            store.apply(step, make_lease(1))
        store.after_run(plan, Direction.APPLY, silent)

    for call in (before[0], after[0]):
        assert call["using"] == relational_harness.alias
        assert call["interactive"] is False
        assert [(str(migration), backwards) for migration, backwards in call["plan"]] == [
            (f"{relational_harness.app}.{name}", False) for name in relational_harness.step_names
        ]
    with pytest.raises(LookupError):
        before[0]["apps"].get_model(relational_harness.app, "artist")
    assert after[0]["apps"].get_model(relational_harness.app, "artist")._meta.get_field("title")


def test_run_with_nothing_to_do_sends_the_live_models(
    relational_harness: RelationalHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is rendered for a run without steps; receivers see the project's own models."""
    # One migration of the sample counts in MongoDB, which this test has none of and nothing to ask.
    monkeypatch.setattr("examples.streaming.popularity.count", lambda _tracks: None)
    store = relational_harness.store()
    migrate(store)

    with heard(pre_migrate) as before, heard(post_migrate) as after:
        store.before_run([], Direction.APPLY, silent)
        store.after_run([], Direction.APPLY, silent)

    assert before[0]["apps"] is live_apps
    assert after[0]["plan"] == []


def test_run_without_steps_on_a_half_migrated_database_sends_its_models(
    relational_harness: RelationalHarness,
) -> None:
    """Where something is left to apply, receivers must not see models whose tables aren't there yet."""
    store = relational_harness.store()
    for step in store.steps():
        if step.key.app == "contenttypes":
            store.apply(step, make_lease(1))

    with heard(post_migrate) as after:
        store.before_run([], Direction.APPLY, silent)
        store.after_run([], Direction.APPLY, silent)

    with pytest.raises(LookupError):
        after[0]["apps"].get_model("auth", "permission")


def test_revert_run_tells_that_it_goes_backwards(relational_harness: RelationalHarness) -> None:
    """The plan of a revert says so, and the models after it are those of before."""
    harness = relational_harness
    store = harness.store()
    plan = steps(harness)[:2]
    for step in plan:
        store.apply(step, make_lease(1))
    back = list(reversed(plan))

    with heard(post_migrate) as after:
        store.before_run(back, Direction.REVERT, silent)
        for step in back:
            store.revert(step, make_lease(2))
        store.after_run(back, Direction.REVERT, silent)

    assert [backwards for _, backwards in after[0]["plan"]] == [True, True]
    with pytest.raises(LookupError):
        after[0]["apps"].get_model(harness.app, "artist")
    assert {table for table in harness.tables() if table.startswith(harness.app)} == set()


# --- what nobody declares --------------------------------------------------------------


def told(harness: RelationalHarness) -> list[str]:
    """Name what stands and no step declares; the suite's own is left out by the engine."""
    found = harness.store().undeclared(steps(harness))
    return [one.thing for one in found if not one.name.startswith(OWN)]


def test_tables_that_nobody_declares_are_named(relational_harness: RelationalHarness) -> None:
    """Not those of Django, models, extensions and other schemas, nor partitions of one that is named."""
    for step in steps(relational_harness):
        relational_harness.store().apply(step, make_lease(1))
    assert told(relational_harness) == []

    for statement in (
        "CREATE TABLE by_hand (id integer) PARTITION BY RANGE (id)",
        "CREATE TABLE by_hand_1 PARTITION OF by_hand FOR VALUES FROM (0) TO (9)",
        "CREATE TABLE auth_user (id integer)",
        "CREATE SCHEMA elsewhere",
        "CREATE TABLE elsewhere.of_others (id integer)",
        "CREATE EXTENSION citext",
        "CREATE TABLE of_extension (id integer)",
        "ALTER EXTENSION citext ADD TABLE of_extension",
        "CREATE VIEW seen AS SELECT 1 AS one",
    ):
        relational_harness.execute(statement)

    assert told(relational_harness) == ["by_hand"]


def test_collections_of_django_that_nobody_declares_are_named(documents_harness: RelationalHarness) -> None:
    """Through Django's own introspection, whatever the product."""
    for step in steps(documents_harness):
        documents_harness.store().apply(step, make_lease(1))
    assert told(documents_harness) == []

    connection: Any = connections[documents_harness.alias]
    connection.get_database().create_collection("by_hand")

    assert told(documents_harness) == ["by_hand"]


def test_extra_column_and_index_bear_the_name_that_patterns_are_held_against(
    relational_harness: RelationalHarness,
) -> None:
    """Table, a dot, and the name of the column or index."""
    first = steps(relational_harness)[:1]
    relational_harness.store().apply(first[0], make_lease(1))
    table = f"{relational_harness.app}_artist"
    relational_harness.execute(f"ALTER TABLE {table} ADD by_hand integer")
    relational_harness.execute(f"CREATE INDEX hand_made ON {table} (by_hand)")

    [found] = relational_harness.store().probe(first)

    assert {(one.kind, one.thing) for one in found.findings} == {
        (DifferenceKind.EXTRA, f"{table}.by_hand"), (DifferenceKind.EXTRA, f"{table}.hand_made"),
    }  # fmt: skip
