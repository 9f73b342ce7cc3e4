"""A folded key is found in whichever spelling a store has it, in each store; nobody else's is."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import connections, models

from accord.erased.folding import Fold, folded
from gdpr.datamap.actions import Delete, Pull
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.locators import AnyOf, Array, Key, Locator, Path, Through
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused
from gdpr.stores import per_person
from gdpr.stores.base import ErasureStore
from gdpr.stores.filters import CASELESS
from gdpr.stores.folded import Folded
from gdpr.stores.relational import RelationalErasure
from gdpr.stores.table_spellings import unserved
from gdpr.stores.tables import Tables
from searchindex.transport import at
from tests.chance import chance, moments
from tests.fix_engine import Coordinator
from tests.integration.gdpr.conftest import OwnMongo, OwnSearch
from tests.integration.gdpr.test_indexes import make, put

pytestmark = pytest.mark.integration

OWN = Apps()
LETTERS = (
    ("k", "K", "\u212a"),
    ("s", "S", "ſ"),
    ("ss", "ß", "ẞ", "SS"),
    ("é", "É", "e\u0301", "E\u0301", "e"),
    ("i", "I", "İ", "ı"),
    ("αι", "ᾳ", "ᾼ"),
    ("fi", "FI", "ﬁ"),
    ("1", "１", "l"),
    ("å", "Å", "\u212b", "a\u030a"),
    ("a", "A", "а"),
)
DOMAINS = (
    ("x.org", "X.ORG", "x.Org"),
    ("münchen.de", "MÜNCHEN.de", "mu\u0308nchen.de", "xn--mnchen-3ya.de", "XN--MNCHEN-3YA.DE"),
    ("straße.de", "strasse.de", "xn--strae-oqa.de"),
)
TEXTUAL = [fold for fold in Fold if fold is not Fold.EXACT]


class Owner(models.Model):
    mail = models.CharField(max_length=200)

    class Meta:
        apps = OWN
        app_label = "spellings"

    def __str__(self) -> str:
        return str(self.pk)


class Letter(models.Model):
    owner = models.ForeignKey(Owner, models.DO_NOTHING)
    mail = models.CharField(max_length=200, db_index=True)
    data = models.JSONField()
    mails = ArrayField(models.CharField(max_length=200))

    class Meta:
        apps = OWN
        app_label = "spellings"

    def __str__(self) -> str:
        return str(self.pk)


class OwnTables(RelationalErasure):
    """The adapter on models that no app has."""

    def model(self, entry: Entry) -> type[models.Model]:
        return Letter


@pytest.fixture
def tables(coordinator: Coordinator) -> OwnTables:
    """Give the adapter of tables on an empty database."""
    with connections[coordinator.alias].schema_editor() as editor:
        editor.create_model(Owner)
        editor.create_model(Letter)
    return OwnTables(coordinator.alias)


@pytest.fixture
def search(search_url: str) -> Iterator[OwnSearch]:
    """Give the adapter of indexes with a prefix of its own, on each engine in turn."""
    adapter = OwnSearch(search_url, f"gdpr-{uuid.uuid4().hex[:10]}-")
    exact = {"type": "keyword"}
    properties = {
        "mail": {"type": "text", "fields": {"exact": exact}},
        "data": {
            "properties": {
                "by": {"properties": {"mail": exact}},
                "all": {"properties": {"mail": exact}},
                "bare": exact,
            }
        },
        "nested": {"type": "nested", "properties": {"mail": exact}},
        "numbers": {"type": "ip"},
        "analysed": {"type": "text"},
        "lower": {"type": "keyword", "normalizer": "lowercase"},
    }
    make(adapter, "things-0001", alias="things", **properties)
    yield adapter
    for index in adapter.own.transport.find(at(adapter.own.names.prefix + "*")) or {}:
        adapter.own.transport.request("DELETE", at(index))
    adapter.own.close()


def entry(locator: Locator, action: Delete | Pull | None = None) -> Entry:
    return Entry(id="one", store="x", target="things", action=action or Delete(), locator=locator)


def person(mail: str) -> SubjectKeys:
    return SubjectKeys(kind="x", primary=1, alternates={"mail": mail})


def addresses(source: Random) -> list[str]:
    """Draw some spellings of one address, and some that only look like it."""
    letters, domain = source.sample(LETTERS, 3), source.choice(DOMAINS)
    drawn = {"".join(source.choice(one) for one in letters) + "@" + source.choice(domain) for _ in range(14)}
    return sorted(drawn)


def same(mails: Sequence[str], mail: str, fold: Fold) -> list[str]:
    return sorted(one for one in mails if folded(one, fold) == folded(mail, fold))


def assert_found(
    store: ErasureStore, mails: Sequence[str], locator: Locator, fold: Fold, source: Random
) -> None:
    """Compare what a store finds of somebody with what the folding says; then erase one of them."""
    one = entry(locator)
    mail, expected = "", list[str]()
    for mail in source.sample(list(mails), min(3, len(mails))):
        expected = same(mails, mail, fold)
        assert store.find(one, person(mail)).count == len(expected), (fold, locator, mail)
        assert len(list(store.export(one, person(mail)))) == len(expected)
        assert store.residue(one, person(mail)) == len(expected)
    while not store.erase(one, person(mail), 2).done:
        pass
    assert store.residue(one, person(mail)) == 0
    left = [each for each in mails if each not in expected]
    for each in left[:2]:
        assert store.find(one, person(each)).count == len(same(mails, each, fold))


Located = Callable[[Fold], Locator]
EVERYWHERE: tuple[Located, ...] = (
    lambda fold: Key("mail", str, by="mail", fold=fold),
    lambda fold: Path("data.by.mail", str, by="mail", fold=fold),
    lambda fold: Array("data.all[].mail", str, by="mail", fold=fold),
    lambda fold: Array("data.bare[]", str, by="mail", fold=fold),
    lambda fold: AnyOf((Key("mail", str, by="mail", fold=fold), Key("mail", str, by="other", fold=fold))),
)
IN_TABLES: tuple[Located, ...] = (
    *EVERYWHERE,
    lambda fold: Array("mails[]", str, by="mail", fold=fold),
    lambda fold: Through("owner__mail", str, by="mail", fold=fold),
)
IN_INDEXES: tuple[Located, ...] = (
    *EVERYWHERE,
    lambda fold: Array("nested[].mail", str, by="mail", fold=fold),
)


def document(mail: str) -> dict[str, Any]:
    inside = {"by": {"mail": mail}, "all": [{"mail": mail}, {"mail": "7"}, {}], "bare": [mail, "7"]}
    return {"mail": mail, "data": inside}


@pytest.mark.parametrize("fold", TEXTUAL)
def test_tables_find_every_spelling(tables: OwnTables, fold: Fold) -> None:
    """Columns, JSON, arrays and walks: the same people as the folding says, in every form of Unicode."""
    source = chance(f"spellings in tables {fold}")
    for located in source.sample(IN_TABLES, moments(len(IN_TABLES), 4)):
        Letter._base_manager.using(tables.alias).all().delete()
        mails = addresses(source)
        for mail in mails:
            owner = Owner._base_manager.using(tables.alias).create(mail=mail)
            data = document(mail)["data"]
            row = Letter(owner=owner, mail=mail, data=data, mails=[mail, "7"])
            row.save(using=tables.alias)
        assert_found(Folded(tables), mails, located(fold), fold, source)


@pytest.mark.parametrize("fold", TEXTUAL)
def test_collections_find_every_spelling(mongo: OwnMongo, fold: Fold) -> None:
    """Fields, paths and arrays alike; a number in the same place is nobody's text."""
    source = chance(f"spellings in collections {fold}")
    for located in source.sample(EVERYWHERE, moments(len(EVERYWHERE), 3)):
        mails = addresses(source)
        mongo.database()["things"].drop()
        mongo.database()["things"].insert_many([{"mail": 7}, *map(document, mails)])
        assert_found(Folded(mongo), mails, located(fold), fold, source)


@pytest.mark.parametrize("fold", TEXTUAL)
def test_indexes_find_every_spelling(search: OwnSearch, fold: Fold) -> None:
    """Keyword fields, sub-fields and nested objects, on each engine."""
    source = chance(f"spellings in indexes {fold}")
    for located in source.sample(IN_INDEXES, moments(len(IN_INDEXES))):
        mails = addresses(source)
        put(search, *({**document(mail), "nested": [{"mail": mail}]} for mail in mails))
        assert_found(Folded(search), mails, located(fold), fold, source)
        for number in range(len(mails)):
            path = at(search.own.names.alias("things-0001"), "_doc", str(number))
            search.own.transport.request("DELETE", path, accept=(404,))


@pytest.mark.parametrize("field", ["numbers", "analysed", "lower"])
def test_field_without_spellings_is_refused(search: OwnSearch, field: str) -> None:
    """Where an engine can't tell spellings apart, nothing is not an answer."""
    one = entry(Path(field, str, by="mail", fold="email"))

    with pytest.raises(ErasureRefused):
        Folded(search).find(one, person("a@x.org"))


def test_only_own_elements_are_pulled(tables: OwnTables, mongo: OwnMongo) -> None:
    """Of an array that several people share, each spelling of one of them goes, and the look-alike stays."""
    shared = ["A@x.org", "a@X.org", "b@x.org", "а@x.org"]
    owner = Owner._base_manager.using(tables.alias).create(mail="")
    Letter(owner=owner, mail="", data={}, mails=shared).save(using=tables.alias)
    mongo.database()["things"].insert_one({"mails": shared})
    one = entry(Array("mails[]", str, by="mail", fold="email"), Pull())

    for store in (Folded(tables), Folded(mongo)):
        assert [row["mails"] for row in store.export(one, person("a@x.org"))] == [shared[:2]]
        store.erase(one, person("a@x.org"), 10)

    found = mongo.database()["things"].find_one()
    assert found is not None
    assert Letter._base_manager.using(tables.alias).get().mails == found["mails"] == shared[2:]


def test_people_are_told_apart_together(tables: OwnTables, mongo: OwnMongo) -> None:
    """One look for several people gives to each what is theirs, however it is written."""
    written = {"A@x.org": 1, "a@X.ORG": 1, "É@x.org": 2, "e\u0301@x.org": 2, "b@x.org": 3}
    for mail in written:
        owner = Owner._base_manager.using(tables.alias).create(mail=mail)
        Letter(owner=owner, mail=mail, data={}, mails=[]).save(using=tables.alias)
    mongo.database()["things"].insert_many([{"mail": mail} for mail in written])
    people = {1: person("a@x.org"), 2: person("é@X.org"), 4: person("c@x.org")}
    one = entry(Key("mail", str, by="mail", fold="email"))

    for store in (Folded(tables), Folded(mongo)):
        found = per_person.find(store, one, people)
        collected = per_person.collect(store, one, people)
        assert {key: one.count for key, one in found.items()} == {1: 2, 2: 2, 4: 0}
        assert {key: len(keys.collected["one"]) for key, keys in collected.items()} == {1: 2, 2: 2, 4: 0}


def test_folding_without_an_index_is_warned_of_where_it_reads_much(tables: OwnTables) -> None:
    """A big table asks for both indexes of a folding: lower case, and what has other characters."""
    one = entry(Key("mail", str, by="mail", fold="email"))
    statements = (
        "INSERT INTO spellings_owner (mail) VALUES ('')",
        """
        INSERT INTO spellings_letter (owner_id, mail, data, mails)
        SELECT 1, 'person' || n || '@x.org', '{}', '{}' FROM generate_series(1, 10001) AS n
        """,
        "ANALYZE spellings_letter",
    )
    lower = "CREATE INDEX lower_mail ON spellings_letter (lower(mail))"
    other = "CREATE INDEX other_mail ON spellings_letter (mail) WHERE mail ~ '[^[:ascii:]]'"

    def warned() -> list[MapFinding]:
        return list(unserved(tables.alias, one, Letter, Tables(tables.alias)._oid))

    small = warned()
    execute(tables, *statements)
    big = warned()
    execute(tables, lower)
    half = warned()
    execute(tables, other)
    served = warned()

    assert [len(found) for found in (small, big, half, served)] == [0, 1, 1, 0]
    assert big[0].fault is Fault.SPELLINGS_IN_FULL


def test_collection_without_the_collation_is_warned_of_where_it_reads_much(mongo: OwnMongo) -> None:
    """An index that compares as the folding does is used; the one of the exact key isn't."""
    one = entry(Key("mail", str, by="mail", fold="email"))
    things = mongo.database()["things"]
    things.insert_one({"mail": "person@x.org"})
    small = {found.fault for found in mongo.inspect([one])}
    things.insert_many([{"mail": f"person{number}@x.org"} for number in range(10_001)])
    things.create_index("mail")
    big = {found.fault for found in mongo.inspect([one])}
    things.create_index("mail", name="caseless", collation=CASELESS)
    served = {found.fault for found in mongo.inspect([one])}

    assert (small, big, served) == ({Fault.NO_INDEX}, {Fault.SPELLINGS_IN_FULL}, set())


def execute(tables: OwnTables, *statements: str) -> None:
    with connections[tables.alias].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
