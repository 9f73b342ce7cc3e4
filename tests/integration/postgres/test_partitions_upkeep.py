"""Partitions are made ahead and let go as time goes by; rows in the way, kills, and what is still needed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime

import psycopg2
import pytest
from django.db import connections

from accord.errors import StepFailed
from accord.locks.patience import Patience
from accord.seam.types import Lease
from migrator.partitions.declaration import ByTime, Every
from migrator.partitions.standing import State
from migrator.partitions.upkeep import Kept, Upkeep, detached, standing
from migrator.relational.locking import tries_on
from tests.chance import SOAK, chance
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.dividing import Divided, dying

pytestmark = pytest.mark.integration
LATER = date(2030, 6, 15)


@pytest.fixture
def divided(relational_harness: RelationalHarness) -> Divided:
    """Give a table of 400 rows in monthly partitions, without the old one."""
    found = Divided(relational_harness)
    found.make(400)
    found.conversion().convert()
    found.conversion().finish()
    return found


def keep_up(divided: Divided, day: date, *, drop: bool = False, most: int = 1000) -> Kept:
    """Call it as cron would on some day; what it puts on record is heard."""
    connection = connections[divided.harness.alias]
    lease = Lease(scope="test", owner="me", run_id="run", fence=1)
    tries = tries_on(connection, "play", Patience(budget=20), lease, divided.hear)
    acts = divided.acts
    upkeep = Upkeep(
        divided.catalog, divided.wanted, tries, lambda *what: acts.append(what), today=day, most=most
    )
    return upkeep.keep_up(drop=drop)


def names(divided: Divided) -> list[str]:
    return [part.name.removeprefix(divided.table) for part in standing(divided.catalog, divided.wanted)]


def insert(divided: Divided, *moments: str) -> None:
    values = ", ".join(f"('{moment}', 'here', 1)" for moment in moments)
    divided.harness.execute(f"INSERT INTO {divided.table} (at, code, label_id) VALUES {values}")


def test_partitions_are_made_ahead_and_nothing_twice(divided: Divided) -> None:
    """That of the month and the next two; the second call finds nothing to do; the ORM's rows go there."""
    kept = keep_up(divided, LATER)

    wanted = [f"{divided.table}_p2030_0{month}" for month in (6, 7, 8)]
    assert kept.made == wanted
    assert keep_up(divided, LATER).made == []
    insert(divided, "2030-07-01 00:00Z")
    assert divided.query(f"SELECT count(*) FROM {wanted[1]}") == [(1,)]
    assert divided.acts == [("made", name) for name in wanted]


def test_rows_in_the_way_are_moved_in_silence(divided: Divided) -> None:
    """Those of the period, and no other; triggers hear nothing, and are on afterwards as they were."""
    insert(divided, "2030-06-01 00:00Z", "2030-06-30 23:59:59Z", "2030-09-01 00:00Z", "infinity")
    divided.harness.execute(
        f"CREATE FUNCTION {divided.app}_no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'heard'; END $$; "
        f"CREATE TRIGGER no AFTER DELETE ON {divided.table} FOR EACH ROW EXECUTE FUNCTION {divided.app}_no()"
    )
    before = divided.query(f"SELECT id, at::text FROM {divided.table} ORDER BY 1")

    kept = keep_up(divided, LATER)

    assert kept.moved == 2
    assert divided.query(f"SELECT id, at::text FROM {divided.table} ORDER BY 1") == before
    assert divided.query(f"SELECT count(*) FROM {divided.table}_p2030_06") == [(2,)]
    assert divided.query(f"SELECT count(*) FROM {divided.table}_pdefault") == [(2,)]
    with pytest.raises(psycopg2.Error, match="heard"):
        divided.harness.execute(f"DELETE FROM {divided.table} WHERE at = 'infinity'")


def test_rows_are_moved_while_the_way_back_stands(relational_harness: RelationalHarness) -> None:
    """The old table has them as before, and goes on hearing of what is written."""
    divided = Divided(relational_harness)
    divided.make(400)
    divided.conversion().convert()
    insert(divided, "2030-06-01 00:00Z")
    assert keep_up(divided, LATER).moved == 1
    divided.harness.execute(f"UPDATE {divided.table} SET code = 'moved' WHERE at > '2030-01-01'")
    insert(divided, "2030-12-01 00:00Z")
    rows = divided.rows()

    assert divided.rows(f"{divided.table}_accord_old") == rows
    assert divided.conversion().revert() is State.PLAIN
    assert divided.rows() == rows


def test_too_many_rows_in_the_way_wait_for_a_word(divided: Divided) -> None:
    """Everybody would wait meanwhile; the other partitions are made all the same."""
    insert(divided, *["2030-07-01 00:00Z"] * 5)

    kept = keep_up(divided, LATER, most=4)

    assert kept.made == [f"{divided.table}_p2030_0{month}" for month in (6, 8)]
    assert "more than 4 rows" in kept.left[0]
    assert keep_up(divided, LATER, most=5).moved == 5


@pytest.mark.parametrize("default", [True, False], ids=["with a default", "without one"])
def test_what_is_over_is_let_go_and_dropped_by_a_word_alone(divided: Divided, default: bool) -> None:
    """Detached, it is a table of its own with its rows, and known as such; then it goes, and no other."""
    retention(divided, default=default)

    kept = keep_up(divided, date(2026, 5, 1))

    assert [name.removeprefix(divided.table) for name in kept.detached] == ["_p2026_01", "_p2026_02"]
    assert list(detached(divided.catalog, divided.wanted)) == kept.waiting == kept.detached
    assert divided.query(f"SELECT min(at) >= '2026-03-01Z' FROM {divided.table}") == [(True,)]
    assert divided.query(f"SELECT count(*) > 10 FROM {divided.table}_p2026_01") == [(True,)]
    again = keep_up(divided, date(2026, 5, 1), drop=True)
    assert again.dropped == kept.detached
    assert divided.query(f"SELECT to_regclass('{divided.table}_p2026_01')") == [(None,)]
    assert [what for what, _ in divided.acts if what != "made"] == ["detached"] * 2 + ["dropped"] * 2


def retention(divided: Divided, *, default: bool = True) -> None:
    """Declare that two months are kept."""
    by = ByTime(every=Every.MONTH, ahead=2, keep=2, default=default)
    divided.declared = replace(divided.declared, by=by)
    if not default:
        divided.harness.execute(f"DROP TABLE {divided.table}_pdefault")


def test_nothing_is_let_go_while_the_way_back_stands(relational_harness: RelationalHarness) -> None:
    """The old table has its rows, too, and would bring them back."""
    divided = Divided(relational_harness)
    divided.make(400)
    divided.conversion().convert()
    retention(divided)

    kept = keep_up(divided, date(2026, 5, 1))

    assert kept.detached == []
    assert "while the old table stands" in kept.left[0]


def test_interrupted_detaching_comes_to_its_end(divided: Divided) -> None:
    """Somebody's open transaction outlasts it; it is half done, which the catalog tells the next call."""
    retention(divided, default=False)
    part = f"{divided.table}_p2026_01"
    with closing(psycopg2.connect(divided.harness.url)) as holder:
        holder.cursor().execute(f"SELECT count(*) FROM {divided.table}")
        with pytest.raises(psycopg2.Error, match="timeout"):
            alone(divided, f"ALTER TABLE {divided.table} DETACH PARTITION {part} CONCURRENTLY")
    assert any(one.pending for one in standing(divided.catalog, divided.wanted))

    kept = keep_up(divided, date(2026, 5, 1))

    assert kept.detached == [part, f"{divided.table}_p2026_02"]
    assert list(detached(divided.catalog, divided.wanted)) == kept.detached


def alone(divided: Divided, statement: str) -> None:
    """Send a statement that may be in no transaction, and give up on locks soon."""
    with closing(psycopg2.connect(divided.harness.url)) as connection:
        connection.autocommit = True
        connection.cursor().execute("SET lock_timeout = '200ms'")
        connection.cursor().execute(statement)


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("default", [True, False], ids=["with a default", "without one"])
def test_killed_anywhere_the_next_call_goes_on(divided: Divided, default: bool) -> None:
    """Each partition is made once, moved into once, let go once; no row is lost or twice."""
    if default:
        insert(divided, "2026-10-01 00:00Z", "2026-11-01 00:00Z")
    retention(divided, default=default)
    before = divided.query(f"SELECT id, at FROM {divided.table} ORDER BY 1")
    dice, at, deaths = chance("kept up"), 0, 0
    while True:
        at += 1 if SOAK else dice.randrange(1, 6)
        with dying(divided, at) as died:
            keep_up(divided, datetime(2026, 10, 1, tzinfo=UTC).date())
        if not died:
            break
        deaths += 1

    assert deaths > 3
    gone = detached(divided.catalog, divided.wanted)
    assert [name.removeprefix(divided.table) for name in gone] == [
        f"_p2026_0{month}" for month in range(1, 8)
    ]
    every = " UNION ALL ".join(f"SELECT id, at FROM {name}" for name in (divided.table, *gone))
    assert divided.query(f"{every} ORDER BY 1") == before
    assert {"_p2026_10", "_p2026_11", "_p2026_12"} <= set(names(divided))


def test_table_in_a_partitions_place_is_left_alone(divided: Divided) -> None:
    """It may be anybody's."""
    divided.harness.execute(f"CREATE TABLE {divided.table}_p2030_06 (id int)")

    with pytest.raises(StepFailed, match="stands there, and is no part"):
        keep_up(divided, LATER)


def test_undivided_table_is_left_alone(relational_harness: RelationalHarness) -> None:
    """It is told, and nothing is made."""
    divided = Divided(relational_harness)
    divided.make(10)

    assert keep_up(divided, LATER).left == ["It is not divided yet."]
