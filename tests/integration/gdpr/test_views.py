"""Materialised views on a real PostgreSQL: refreshed once a person is gone from their tables."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import replace

import psycopg2
import pytest
from django.db import connections

from accord.errors import StoreError
from gdpr.coverage import check
from gdpr.datamap.actions import Delete, Refresh
from gdpr.datamap.entries import Entry
from gdpr.datamap.externals import EXTERNAL
from gdpr.datamap.findings import Fault
from gdpr.datamap.locators import AnyOf, Key, Locator
from gdpr.datamap.map import DataMap, load_data_map, ordered
from gdpr.datamap.several import SeveralKeys
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused
from gdpr.stores import copies
from gdpr.stores.folded import Folded
from gdpr.stores.relational import RelationalErasure
from gdpr.stores.tables import Tables
from tests.fix_engine import Coordinator
from tests.fix_requests import PRELUDE, Erasing

pytestmark = pytest.mark.integration

ADA = SubjectKeys(kind="x", primary=42, alternates={"id": 42, "email": "ada@example.com"})
BOB = SubjectKeys(kind="x", primary=7, alternates={"id": 7, "email": "bob@example.com"})
VIEW = Entry(id="emails", store="x", target="table:emails", locator=Key("owner", int), action=Refresh())
BY_ADDRESS = replace(VIEW, locator=Key("email", str, by="email"))
TABLES = (
    "CREATE TABLE person (owner bigint, email varchar(60), data json)",
    "INSERT INTO person SELECT 42, 'ada@example.com', '{}' FROM generate_series(1, 2)",
    "INSERT INTO person VALUES (7, 'bob@example.com', '{}')",
    """
    CREATE MATERIALIZED VIEW emails AS
        SELECT owner, email, data AS one, row_number() OVER (ORDER BY owner DESC) AS n FROM person
        WHERE email LIKE '%@%'
    """,
)
GONE = "DELETE FROM person WHERE owner = 42"


def make(coordinator: Coordinator, *statements: str) -> RelationalErasure:
    with connections[coordinator.alias].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return RelationalErasure(coordinator.alias)


def found(store: RelationalErasure, entry: Entry = VIEW, keys: SubjectKeys = ADA) -> tuple[int, int, int]:
    seen = store.find(entry, keys)
    return seen.count, seen.pending, store.residue(entry, keys)


@pytest.mark.parametrize("entry", [VIEW, BY_ADDRESS], ids=["by key", "by address"])
def test_view_is_refreshed_when_its_table_was_erased(coordinator: Coordinator, entry: Entry) -> None:
    """Nothing is to do before; then what the query no longer gives is stale, until a refresh."""
    store = make(coordinator, *TABLES)
    assert found(store, entry) == (2, 0, 0)
    assert store.erase(entry, ADA, 10).matched == 0

    make(coordinator, GONE)
    assert found(store, entry) == (2, 2, 2)
    assert found(store, entry, BOB)[1:] in ((0, 0), (1, 1))  # a number among all changes with the others
    done = store.erase(entry, SeveralKeys((ADA,)), 10)

    assert (done.matched, done.affected, done.done) == (2, 2, True)
    assert found(store, entry) == (0, 0, 0)
    assert store.erase(entry, ADA, 10).affected == 0
    assert found(store, entry, BOB) == (1, 0, 0)


def test_address_is_found_in_every_spelling(coordinator: Coordinator) -> None:
    """Where the map folds a key, the view is looked up as other tables are."""
    folding = replace(VIEW, locator=Key("email", str, by="email", fold="email"))
    shouted = replace(ADA, alternates={"id": 42, "email": "ADA@Example.com"})
    store = Folded(make(coordinator, *TABLES, GONE))

    assert store.find(folding, shouted).count == store.residue(folding, shouted) == 2
    assert store.erase(folding, shouted, 10).done
    assert store.find(folding, shouted).count == store.residue(folding, shouted) == 0


def test_many_people_are_counted_by_one_look(coordinator: Coordinator) -> None:
    """By the text of the key in each row, as other places are."""
    store = make(coordinator, *TABLES, "DELETE FROM person")
    both = SeveralKeys((ADA, BOB))

    assert store.tally(VIEW, both) == {"42": 2, "7": 1}
    assert store.tally(BY_ADDRESS, both, pending=True) == {"ada@example.com": 2, "bob@example.com": 1}
    assert store.erase(VIEW, both, 10).affected == 3
    assert store.tally(VIEW, both, pending=True) == {}


def test_rows_that_the_tables_keep_are_no_leftover(coordinator: Coordinator) -> None:
    """What the law wants kept is in the copy as well; and so is who has the address next."""
    store = make(coordinator, *TABLES, GONE, "INSERT INTO person VALUES (43, 'ada@example.com', '{}')")

    store.erase(BY_ADDRESS, ADA, 10)

    assert found(store, BY_ADDRESS) == (1, 0, 0)
    assert found(store, VIEW) == (0, 0, 0)


def test_late_writer_is_seen_by_the_second_look(coordinator: Coordinator) -> None:
    """Somebody refreshed from a table that still had them, or the view was never refreshed."""
    store = make(coordinator, *TABLES, GONE)

    assert store.residue(VIEW, ADA) == 2
    assert store.residue(VIEW, BOB) in (0, 1)


def test_readers_are_let_in_where_an_index_tells_rows_apart(
    coordinator: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a unique index the view is read while it is refreshed; without one a refresh gives up soon."""
    monkeypatch.setattr(copies, "PATIENCE", "300ms")
    store = make(coordinator, *TABLES, "CREATE UNIQUE INDEX emails_n ON emails (n)", GONE)
    with psycopg2.connect(coordinator.url) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM emails")
        # The reader's transaction is open: a plain refresh would wait for it, and everybody else for that.
        assert store.erase(VIEW, ADA, 10).done
    make(coordinator, "DROP INDEX emails_n", "INSERT INTO person VALUES (42, 'ada@example.com', '{}')")
    make(coordinator, "REFRESH MATERIALIZED VIEW emails", GONE)
    with psycopg2.connect(coordinator.url) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM emails")
        with pytest.raises(StoreError):
            store.erase(VIEW, ADA, 10)
    with connections[coordinator.alias].cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0",)
    assert store.erase(VIEW, ADA, 10).done


def test_view_that_was_never_filled_holds_nothing(coordinator: Coordinator) -> None:
    """It can't be read; the first refresh fills it from tables that were erased before."""
    store = make(coordinator, *TABLES[:-1], TABLES[-1] + " WITH NO DATA")

    assert found(store) == (0, 0, 0)
    assert list(store.export(VIEW, ADA)) == []


def test_own_rows_are_exported(coordinator: Coordinator) -> None:
    """Those of the person, and no others."""
    store = make(coordinator, *TABLES)

    assert {row["email"] for row in store.export(VIEW, ADA)} == {"ada@example.com"}
    assert len(list(store.export(VIEW, ADA))) == 2


def test_table_is_never_refreshed(coordinator: Coordinator) -> None:
    """The check says so, and the store refuses."""
    store = make(coordinator, *TABLES)
    wrong = replace(VIEW, id="wrong", target="table:person")
    no_column = replace(VIEW, locator=Key("shoe", int))

    findings = list(Tables(coordinator.alias).inspect([VIEW, wrong]))
    missing = list(Tables(coordinator.alias).inspect([no_column, replace(wrong, action=Delete())]))

    assert [(one.fault, one.entry) for one in findings] == [(Fault.WRONG_ACTION, "wrong")]
    assert (Fault.NO_FIELD, "emails") in [(one.fault, one.entry) for one in missing]
    with pytest.raises(ErasureRefused, match="no materialised view"):
        store.erase(wrong, ADA, 10)


@pytest.mark.parametrize(
    ("store", "locator"),
    [
        ("mongodb", Key("owner", int)),
        ("search", Key("owner", int)),
        ("default", None),
        ("default", Key("owner", int, where={"a": 1})),
        ("default", AnyOf((Key("owner", int), Key("email", str, by="email")))),
    ],
)
def test_only_views_whose_rows_can_be_told_are_refreshed(store: str, locator: Locator | None) -> None:
    """Without a column that says whose a row is, no second look could see that it is gone."""
    subject = load_data_map().subject
    assert subject is not None
    alone = replace(subject, inactive=None)
    wrong = DataMap((replace(VIEW, store=store, locator=locator),), alone)
    right = DataMap((replace(VIEW, store="default"),), alone)

    assert Fault.WRONG_ACTION in {one.fault for one in check(wrong)}
    assert check(right) == []


def test_views_come_after_every_table_and_each_after_what_it_is_made_from() -> None:
    """Wherever they stand in the map; they are not erased a second time, as other copies are."""
    first, second = (
        replace(VIEW, id="a", derived_from=("z",), store="default"),
        replace(VIEW, id="z", store="default"),
    )
    every: Sequence[Entry] = ordered([first, second, *load_data_map().entries])

    assert [one.id for one in every if not one.store.startswith(EXTERNAL)][-2:] == ["z", "a"]
    assert first not in DataMap(tuple(every)).derived()
    assert DataMap((replace(BY_ADDRESS, store="default"),), load_data_map().subject).reusable == frozenset()


STORY = """
from django.db import connection
from examples.streaming import privacy
from gdpr.privacy import Entry, Key, Refresh
privacy.DATA_MAP.append(Entry(
    id="addresses", store="default", target="table:addresses", locator=Key("owner", int), action=Refresh(),
    fields=("email",), derived_from=("listeners",),
))
request = approved(5)
line = next(one for one in request.plans.get().document["entries"] if one["entry"] == "addresses")
done = saga.work(request)
step = done.steps.get(entry="addresses")
receipt = receipts.latest(done)
say([line["action"], line["found"], line["delete"], line["again"], done.state, step.state, step.affected,
     step.residue, "made anew from its tables" in receipts.render_html(receipt)])
"""


def test_erasure_refreshes_a_view_after_its_table(erasing: Erasing) -> None:
    """In the plan as rows that go; once; and the second look finds nothing that the table doesn't have."""
    erasing.execute("CREATE MATERIALIZED VIEW addresses AS SELECT id AS owner, email FROM streaming_listener")
    [before] = erasing.rows("SELECT email FROM addresses WHERE owner = 5")

    told = erasing.call(STORY)

    assert told == ["refresh", 1, 1, False, "completed", "done", 1, 0, True]
    [after] = erasing.rows("SELECT email FROM addresses WHERE owner = 5")
    assert after != before
    assert after == erasing.rows("SELECT email FROM streaming_listener WHERE id = 5")[0]


DYING = """
import os, signal
from examples.streaming import privacy
from gdpr.privacy import Entry, Key, Refresh
from gdpr.stores.copies import Copies
privacy.DATA_MAP.append(Entry(
    id="addresses", store="default", target="table:addresses", locator=Key("owner", int), action=Refresh(),
    fields=("email",), derived_from=("listeners",),
))
def die(*unused): os.kill(os.getpid(), signal.SIGKILL)
whole = Copies._refresh
def refresh_and_die(self, one):
    whole(self, one)
    die()
"""
WORK = "say([done.state, done.steps.get(entry='addresses').state])"


def test_refresh_that_was_killed_is_done_once_more(erasing: Erasing) -> None:
    """Before the view is made anew, and after it before anybody knows: the next run ends the erasure."""
    erasing.execute("CREATE MATERIALIZED VIEW addresses AS SELECT id AS owner, email FROM streaming_listener")
    [before] = erasing.rows("SELECT email FROM addresses WHERE owner = 5")
    reference = erasing.call(DYING + "say(approved(5).reference)")
    work = f"saga.work(state_changes.find('{reference}'))"

    # A worker that died is taken over when its lease is out.
    late = "UPDATE gdpr_erasurestep SET lease_until = now() - interval '1 minute' WHERE state = 'running'"
    seen = []
    for death in ("die", "refresh_and_die"):
        erasing.execute(late)
        dying = f"{PRELUDE}{DYING}\nCopies._refresh = {death}\n{work}"
        killed = erasing.command("-c", dying, program=())
        assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
        seen.append(erasing.rows("SELECT email FROM addresses WHERE owner = 5") == [before])
    erasing.execute(late)
    told = erasing.call(DYING + f"done = {work}\n{WORK}")

    # Refresh and note are one transaction: neither stands without the other.
    assert seen == [True, True]
    assert told == ["completed", "done"]
    [after] = erasing.rows("SELECT email FROM addresses WHERE owner = 5")
    assert after == erasing.rows("SELECT email FROM streaming_listener WHERE id = 5")[0]
