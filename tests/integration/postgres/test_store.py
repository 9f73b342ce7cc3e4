"""What the relational store promises, on PostgreSQL and on MongoDB through Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connections, transaction

from accord.errors import ConflictingState, IrreversibleStep, LeaseLost, StaleFence, StepFailed
from accord.seam.types import Lease, StepKey
from tests.conformance.harness_relational import RelationalHarness

pytestmark = pytest.mark.integration


@pytest.fixture(params=["relational_harness", "documents_harness"])
def harness(request: pytest.FixtureRequest) -> Iterator[RelationalHarness]:
    """Give the store on each of the servers."""
    return request.getfixturevalue(request.param)


def held() -> None:
    """Guard of a lease that is never lost."""


def lease(fence: int = 100, guard: Callable[[], None] = held) -> Lease:
    return Lease(scope="test", owner="me", run_id=f"run-{fence}", fence=fence, guard=guard)


def apply_all(harness: RelationalHarness, names: tuple[str, ...] = ()) -> None:
    store = harness.store()
    for name in names or harness.step_names:
        store.apply(harness.step(name), lease())


def test_virgin_database_has_nothing_applied_and_stays_virgin(harness: RelationalHarness) -> None:
    """Reading the ledger creates nothing."""
    before = harness.tables()

    applied = harness.store().applied()

    assert applied == {}
    assert harness.tables() == before == set()


def test_a_look_at_the_server_keeps_a_connection_that_works_and_replaces_one_that_was_cut(
    relational_harness: RelationalHarness,
) -> None:
    """`CONN_MAX_AGE` is 0 by default, which says nothing of a connection in the middle of a command."""
    store = relational_harness.store()
    store.ping()
    own = session(relational_harness)

    store.ping()
    assert session(relational_harness) == own

    relational_harness.execute(f"SELECT pg_terminate_backend({own})")
    store.ping()
    assert session(relational_harness) != own


def session(harness: RelationalHarness) -> int:
    """Name the server's process behind the store's connection."""
    with connections[harness.alias].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_applied_steps_are_in_both_ledgers(harness: RelationalHarness) -> None:
    """Django's table and ours agree about what is applied, and ours knows the checksum."""
    apply_all(harness)

    applied = harness.store().applied()

    assert harness.recorded() == set(harness.step_names)
    assert {key.name for key in applied} == set(harness.step_names)
    for name in harness.step_names:
        entry = applied[harness.key(name)]
        assert entry.checksum == harness.step(name).source.checksum
        assert (entry.fence, entry.run_id) == (100, "run-100")


def test_second_apply_is_told_that_it_was_done(harness: RelationalHarness) -> None:
    """Another process that applies the same step changes nothing."""
    apply_all(harness)
    before = harness.observe()

    outcomes = [harness.store().apply(harness.step(name), lease()) for name in harness.step_names]

    assert all(outcome.already for outcome in outcomes)
    assert harness.observe() == before


def test_lower_fence_is_refused_and_changes_nothing(harness: RelationalHarness) -> None:
    """A run that was taken over can neither apply, revert, record nor forget."""
    first, second, _ = map(harness.step, harness.step_names)
    harness.store().apply(first, lease(200))
    before, ledger = harness.observe(), harness.ledger_entries()

    for act in ("apply", "record"):
        with pytest.raises(StaleFence):
            getattr(harness.store(), act)(second, lease(199))
    for act in ("revert", "forget"):
        with pytest.raises(StaleFence):
            getattr(harness.store(), act)(first, lease(199))

    assert harness.observe() == before
    assert harness.ledger_entries() == ledger


def test_lost_lease_leaves_no_half_step(harness: RelationalHarness) -> None:
    """A lease that goes away in the middle of an atomic migration takes all of it back."""
    answers = iter([None])

    def guard() -> None:
        if next(answers, "lost") == "lost":
            raise LeaseLost("gone")

    step = harness.step(harness.step_names[0])
    with pytest.raises(LeaseLost):
        harness.store().apply(step, lease(guard=guard))

    assert harness.recorded() == set()
    harness.store().apply(step, lease())
    assert harness.recorded() == {harness.step_names[0]}


def test_revert_goes_back_to_where_it_was(harness: RelationalHarness) -> None:
    """What two steps did is undone in reverse order, tables and rows alike."""
    apply_all(harness, harness.step_names[:1])
    after_first = harness.observe()
    apply_all(harness, harness.step_names[1:2])
    store = harness.store()

    store.revert(harness.step(harness.step_names[1]), lease())

    assert harness.observe() == after_first
    assert set(store.applied()) == {harness.key(harness.step_names[0])}
    store.revert(harness.step(harness.step_names[0]), lease())
    assert store.applied() == {}
    assert harness.ledger_entries() == {}
    assert store.revert(harness.step(harness.step_names[0]), lease()).already


def test_irreversible_step_is_refused_before_anything_is_touched(harness: RelationalHarness) -> None:
    """Python code without a reverse keeps its step from being reverted."""
    apply_all(harness)
    before = harness.observe()

    with pytest.raises(IrreversibleStep):
        harness.store().revert(harness.step(harness.step_names[2]), lease())

    assert harness.observe() == before


def test_table_of_another_definition_is_a_conflict(harness: RelationalHarness) -> None:
    """A table that is there already stops the step, also when it is tried again."""
    harness.spoil()
    before = harness.observe()
    step = harness.step(harness.step_names[0])

    for _ in range(2):
        with pytest.raises(ConflictingState):
            harness.store().apply(step, lease())

    assert harness.observe() == before
    assert harness.store().applied() == {}


def test_recording_and_forgetting_leave_the_data_alone(harness: RelationalHarness) -> None:
    """A step can be recorded as applied, and struck again, without any table."""
    step = harness.step(harness.step_names[0])
    store = harness.store()

    store.record(step, lease())

    assert set(store.applied()) == {step.key}
    store.forget(step, lease())
    assert store.applied() == {}


def test_failing_code_is_told_by_class_and_line_without_its_words(harness: RelationalHarness) -> None:
    """What an exception says may be somebody's data: the message has its class and place."""
    name = "0001_fails"
    harness.write_revision(
        name,
        "from django.db import migrations\n\n\n"
        "def act(apps, editor):\n    raise ValueError('jane@example.org')\n\n\n"
        "class Migration(migrations.Migration):\n    operations = [migrations.RunPython(act)]\n",
    )

    with pytest.raises(StepFailed) as caught:
        harness.store().apply(harness.step(name), lease())

    assert "ValueError at" in caught.value.message
    assert f"{name}.py, line 5" in caught.value.message
    assert "jane" not in caught.value.message + caught.value.hint


def test_checksum_of_a_step_that_django_applied_is_unknown(harness: RelationalHarness) -> None:
    """A row that Django's own command wrote over ours says nothing about our checksum."""
    apply_all(harness, harness.step_names[:1])
    from django.db.migrations.recorder import MigrationRecorder

    rows = MigrationRecorder.Migration.objects.using(harness.alias)
    rows.filter(app=harness.app).delete()
    rows.create(app=harness.app, name=harness.step_names[0])

    (entry,) = harness.store().applied().values()

    assert entry.key == StepKey(harness.alias, harness.app, harness.step_names[0])
    assert entry.checksum is None


def test_closing_a_store_leaves_the_transaction_of_its_caller_alone(
    relational_harness: RelationalHarness,
) -> None:
    """Stores are opened inside of requests and services: the connection under them is Django's."""
    apply_all(relational_harness)
    connection = connections[relational_harness.alias]

    with transaction.atomic(using=relational_harness.alias), connection.chunked_cursor() as reading:
        reading.execute("SELECT generate_series(1, 3)")
        store = relational_harness.store()
        assert store.applied()
        store.close()
        connection.cursor().execute("CREATE TABLE kept ()")
        assert [row for (row,) in reading] == [1, 2, 3]

    assert "kept" in relational_harness.tables()
