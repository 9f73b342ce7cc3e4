"""Terms in real stores: the last day of each person, fields without dates, and what nobody knows yet."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
import pytest
from django.apps.registry import Apps
from django.db import connections, models
from django.test import override_settings

from gdpr.datamap.actions import Action, Anonymise, Delete, Retain, term
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.kinds import Subject
from gdpr.datamap.lapses import lapses
from gdpr.datamap.locators import AnyOf, Key, Locator
from gdpr.datamap.map import DataMap
from gdpr.datamap.strategies import Redact
from gdpr.datamap.subjects import SubjectKeys
from gdpr.datamap.terms import After
from gdpr.stores import per_person
from gdpr.stores.base import ErasureStore
from gdpr.stores.lapsing import lapsing
from gdpr.stores.relational import RelationalErasure
from gdpr.stores.relations import Relations
from gdpr.stores.table_dates import undated
from searchindex.transport import at
from tests.fix_engine import Coordinator
from tests.integration.gdpr.conftest import OwnMongo, OwnSearch

pytestmark = pytest.mark.integration

OWN = Apps()
TAX = After("paid", years=10, end_of_year=True)
ADA, BEA, CEM, DOA = (SubjectKeys(kind="x", primary=number) for number in (1, 2, 3, 4))
PEOPLE = {10: ADA, 20: BEA, 30: CEM, 40: DOA}
# Ada has two bills, Bea one that isn't paid, Cem one by somebody else's clock, Doa none.
BILLS: tuple[dict[str, Any], ...] = (
    {"owner": 1, "paid": datetime(2024, 5, 1, tzinfo=UTC), "note": "x"},
    {"owner": 1, "paid": datetime(2026, 2, 1, tzinfo=UTC), "note": "x"},
    {"owner": 2, "paid": datetime(2025, 5, 1, tzinfo=UTC), "note": "x"},
    {"owner": 2, "paid": None, "note": "x"},
    {"owner": 3, "paid": datetime(2020, 6, 1, tzinfo=UTC), "note": "x"},
)
LAST_DAYS = {10: date(2036, 12, 31), 20: None, 30: date(2030, 12, 31), 40: None}


class Bill(models.Model):
    owner = models.IntegerField(null=True, db_index=True)
    paid = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    note = models.CharField(max_length=60, blank=True)

    class Meta:
        apps = OWN
        app_label = "dates"

    def __str__(self) -> str:
        return str(self.pk)


class OwnTables(RelationalErasure):
    """The adapter on a model that no app has."""

    def model(self, entry: Entry) -> type[models.Model]:
        return Bill


def kept(counted: After = TAX, locator: Locator | None = None) -> Entry:
    return Entry(
        id="bills",
        store="x",
        target="bills",
        locator=locator or Key("owner", int),
        action=Retain("17(3)(b)", "tax law", counted),
    )


@pytest.fixture
def tables(coordinator: Coordinator) -> OwnTables:
    """Give the adapter of tables with everybody's bills."""
    with connections[coordinator.alias].schema_editor() as editor:
        editor.create_model(Bill)
    rows = [Bill(**one, day=one["paid"] and one["paid"].date()) for one in BILLS]
    Bill._base_manager.using(coordinator.alias).bulk_create(rows)
    return OwnTables(coordinator.alias)


@pytest.fixture
def filled(mongo: OwnMongo) -> OwnMongo:
    """Give the adapter of collections with everybody's bills."""
    mongo.database()["bills"].insert_many([dict(one) for one in BILLS])
    return mongo


@pytest.fixture
def search(search_url: str) -> Iterator[OwnSearch]:
    """Give the adapter of indexes with everybody's bills, on each engine in turn."""
    adapter = OwnSearch(search_url, f"gdpr-{uuid.uuid4().hex[:10]}-")
    transport, name = adapter.own.transport, adapter.own.names.alias("bills")
    properties: Mapping[str, Any] = {
        "owner": {"type": "long"}, "paid": {"type": "date"}, "note": {"type": "keyword"},
    }  # fmt: skip
    settings = {"number_of_shards": 1, "number_of_replicas": 0}
    body = {"settings": settings, "mappings": {"properties": properties}, "aliases": {name: {}}}
    transport.request("PUT", at(f"{name}-0001"), body)
    lines = [json.dumps(one, default=datetime.isoformat) for one in BILLS]
    written = "".join(f'{{"index": {{}}}}\n{line}\n' for line in lines).encode()
    assert not transport.request("POST", at(f"{name}-0001", "_bulk"), written).body["errors"]
    yield adapter
    transport.request("DELETE", at(f"{name}-0001"))
    adapter.own.close()


def last_days(store: ErasureStore, entry: Entry) -> Mapping[int, date | None]:
    counted = term(entry.action)
    assert counted is not None
    together = per_person.last_days(store, entry, PEOPLE, counted)
    alone = {
        one: per_person.last_days(store, entry, {one: keys}, counted)[one] for one, keys in PEOPLE.items()
    }
    assert together == alone
    return together


def faults(store: ErasureStore, entry: Entry) -> set[tuple[Fault, str]]:
    return {
        (one.fault, one.entry)
        for one in store.inspect([entry])
        if one.fault in (Fault.NOT_A_DATE, Fault.NO_FIELD)
    }


def test_tables_tell_the_last_day_of_each_person(tables: OwnTables) -> None:
    """The latest row counts, moment or day; a row without a date leaves it open, and so does having none."""
    assert last_days(tables, kept()) == LAST_DAYS
    assert last_days(tables, kept(After("day", years=10, end_of_year=True))) == LAST_DAYS
    assert last_days(tables, kept(locator=AnyOf((Key("owner", int),)))) == LAST_DAYS


def test_collections_tell_the_last_day_of_each_person(filled: OwnMongo) -> None:
    """As in tables; what is no date counts as none, however it is written."""
    assert last_days(filled, kept()) == LAST_DAYS
    filled.database()["bills"].insert_one({"owner": 3, "paid": "2026-02-01"})
    assert last_days(filled, kept()) == {**LAST_DAYS, 30: None}
    assert last_days(filled, kept(locator=AnyOf((Key("owner", int),)))) == {**LAST_DAYS, 30: None}


def test_indexes_tell_the_last_day_of_each_person(search: OwnSearch) -> None:
    """As in tables."""
    assert last_days(search, kept()) == LAST_DAYS


EVERYBODY = Entry(
    id="bills",
    store="x",
    target="bills",
    locator=Key("owner", int),
    action=Delete(),
    retention=After("paid", years=1, end_of_year=True),
)


def gone(store: ErasureStore, entry: Entry, day: date) -> list[tuple[int, ...]]:
    """Let go whatever has run out by a day, and give whose it was."""
    [lapse] = lapses(DataMap((entry,), Subject(model="x.X", key="id", type=int)), day)
    found = list(lapsing(store, lapse).run_out(lapse))
    assert lapsing(store, lapse).let_go(lapse, found) == len(found)
    assert list(lapsing(store, lapse).run_out(lapse)) == []
    assert lapsing(store, lapse).let_go(lapse, found) == 0
    return sorted(tuple(int(owner) for owner in one.owners) for one in found)


def assert_all_go_in_time(store: ErasureStore, action: Action) -> None:
    """Each bill goes on the day after its last one, whosever it is; the one without a date stays."""
    entry = replace(EVERYBODY, action=action)
    days = (date(2021, 12, 31), date(2022, 1, 1), date(2026, 1, 1), date(2027, 1, 1), date(2028, 1, 1))
    assert [gone(store, entry, day) for day in days] == [[], [(3,)], [(1,)], [(2,)], [(1,)]]
    assert gone(store, entry, date(2100, 1, 1)) == []


def test_what_has_run_out_of_tables_goes(tables: OwnTables) -> None:
    """Rows go by a moment as by a day, and only those that the locator's conditions name."""
    assert_all_go_in_time(tables, Anonymise({"note": Redact("gone")}))
    assert Bill._base_manager.using(tables.alias).filter(note="gone").count() == 4
    none = replace(EVERYBODY, locator=Key("owner", int, where={"note": "x"}))
    assert gone(tables, none, date(2100, 1, 1)) == []
    assert gone(tables, replace(EVERYBODY, retention=After("day", years=1)), date(2022, 1, 1)) == [(3,)]
    assert gone(tables, EVERYBODY, date(2100, 1, 1)) == [(1,), (1,), (2,)]
    assert Bill._base_manager.using(tables.alias).get().paid is None


def test_rows_that_somebody_holds_are_left(tables: OwnTables, coordinator: Coordinator) -> None:
    """A run waits for no lock: what another transaction holds is for the next run."""
    [lapse] = lapses(DataMap((EVERYBODY,)), date(2100, 1, 1))
    found = list(tables.run_out(lapse))
    other = psycopg2.connect(coordinator.url)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT id FROM dates_bill WHERE owner = 3 FOR UPDATE")
            assert tables.let_go(lapse, found) == 3
        other.rollback()
    finally:
        other.close()
    assert tables.let_go(lapse, found) == 1


def test_what_has_run_out_of_collections_goes(filled: OwnMongo) -> None:
    """As in tables; a document of two people says both, and one whose date is a text has none."""
    assert_all_go_in_time(filled, Anonymise({"note": Redact("gone")}))
    bills = filled.database()["bills"]
    bills.insert_many(
        [{"owner": 5, "paid": "2001-01-01"}, {"owner": [6, 7], "paid": datetime(2001, 1, 1, tzinfo=UTC)}]
    )
    assert gone(filled, EVERYBODY, date(2022, 1, 1)) == [(3,), (6, 7)]
    assert gone(filled, EVERYBODY, date(2100, 1, 1)) == [(1,), (1,), (2,)]
    assert sorted(one["owner"] for one in bills.find()) == [2, 5]


def test_what_has_run_out_of_indexes_goes(search: OwnSearch) -> None:
    """As in tables."""
    assert_all_go_in_time(search, Anonymise({"note": Redact("gone")}))
    assert gone(search, EVERYBODY, date(2022, 1, 1)) == [(3,)]
    assert gone(search, EVERYBODY, date(2100, 1, 1)) == [(1,), (1,), (2,)]
    assert search.find(EVERYBODY, BEA).count == 1


def test_a_day_ends_in_no_zone_before_its_time(filled: OwnMongo) -> None:
    """West of Greenwich a day that is kept as a moment in UTC isn't taken for the day before."""
    filled.database()["bills"].insert_one({"owner": 8, "paid": datetime(2019, 1, 1, tzinfo=UTC), "note": "x"})
    with override_settings(TIME_ZONE="America/New_York"):
        assert gone(filled, EVERYBODY, date(2021, 1, 1)) == [(8,)]
    filled.database()["bills"].insert_one({"owner": 8, "paid": datetime(2020, 1, 1, tzinfo=UTC), "note": "x"})
    with override_settings(TIME_ZONE="America/New_York"):
        assert gone(filled, EVERYBODY, date(2021, 1, 1)) == []


def test_check_finds_columns_that_no_term_counts_from(tables: OwnTables) -> None:
    """A column that isn't there, and one that holds no dates, are errors; a date and a moment are none."""
    columns = Relations(tables.alias).named("dates_bill")
    assert columns is not None

    def found(field: str) -> list[Fault]:
        return [one.fault for one in undated(kept(After(field, years=1)), Bill, lambda _: columns.columns)]

    assert [found(name) for name in ("paid", "day", "note", "gone")] == [
        [], [], [Fault.NOT_A_DATE], [Fault.NO_FIELD],
    ]  # fmt: skip


def test_check_finds_fields_that_no_term_counts_from(filled: OwnMongo, search: OwnSearch) -> None:
    """As in tables; of a collection its documents tell."""
    for store in (filled, search):
        filled.database()["bills"].update_many({}, {"$set": {"note": "x"}})
        assert faults(store, kept()) == set()
        assert faults(store, kept(After("gone", years=1))) == {(Fault.NO_FIELD, "bills")}
        assert faults(store, kept(After("note", years=1))) == {(Fault.NOT_A_DATE, "bills")}


def test_every_document_is_asked_where_an_index_begins_with_the_date(filled: OwnMongo) -> None:
    """One text among a thousand dates is found by it, only at both ends without; a list of dates is none."""
    bills = filled.database()["bills"]
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    bills.insert_many(
        [
            {"_id": 1_000 + number, "owner": 9, "paid": [moment] if number == 3 else moment}
            for number in range(1_000)
        ]
    )
    bills.update_one({"_id": 1_500}, {"$set": {"paid": "2024-05-01"}})
    assert faults(filled, kept(TAX)) == set(), "too far from both ends"
    bills.create_index("paid")
    assert faults(filled, kept(TAX)) == {(Fault.NOT_A_DATE, "bills")}
    bills.update_one({"_id": 1_500}, {"$set": {"paid": None}})
    assert faults(filled, kept(TAX)) == set()
    bills.drop_index("paid_1")
    bills.update_one({"_id": 1_999}, {"$set": {"paid": "2024-05-01"}})
    assert faults(filled, kept(TAX)) == {(Fault.NOT_A_DATE, "bills")}
