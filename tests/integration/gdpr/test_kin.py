"""Proxies, parents and children: logs know a row under each, and a child's row lies in several tables."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps.registry import Apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections, models
from django.db.models import QuerySet

from gdpr.datamap import kin as kinship
from gdpr.datamap import static
from gdpr.datamap.actions import Action, Anonymise, Delete, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.locators import Generic, Key, Locator
from gdpr.datamap.map import DataMap
from gdpr.datamap.strategies import Redact
from gdpr.datamap.subjects import SubjectKeys
from gdpr.stores import per_person, residue, tables
from gdpr.stores.relational import RelationalErasure
from tests.fix_engine import Coordinator

pytestmark = pytest.mark.integration

OWN = Apps(["django.contrib.contenttypes"])
LABEL = "contenttypes"


class Being(models.Model):
    owner = models.IntegerField(db_index=True)

    class Meta:
        apps = OWN
        app_label = LABEL

    def __str__(self) -> str:
        return str(self.pk)


class Person(Being):
    name = models.CharField(max_length=60, default="Ada")

    class Meta:
        apps = OWN
        app_label = LABEL


class Member(Person):
    class Meta:
        apps = OWN
        app_label = LABEL
        proxy = True


class Driver(Person):
    licence = models.CharField(max_length=60, default="B")

    class Meta:
        apps = OWN
        app_label = LABEL


class Robot(Being):
    """A child that has keys of its own."""

    number = models.BigAutoField(primary_key=True)
    being = models.OneToOneField(Being, models.DO_NOTHING, parent_link=True)

    class Meta:
        apps = OWN
        app_label = LABEL


class Other(models.Model):
    class Meta:
        apps = OWN
        app_label = LABEL

    def __str__(self) -> str:
        return str(self.pk)


class Note(models.Model):
    content_type = models.ForeignKey(ContentType, models.DO_NOTHING)
    object_id = models.CharField(max_length=40, db_index=True)
    text = models.TextField(default="about Ada")

    class Meta:
        apps = OWN
        app_label = LABEL

    def __str__(self) -> str:
        return self.text


class OwnTables(RelationalErasure):
    """The adapter on models that no app has."""

    def model(self, entry: Entry) -> type[models.Model]:
        return OWN.get_model(entry.target)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (kinship, residue, tables):
        monkeypatch.setattr(module, "apps", OWN)


@pytest.fixture
def store(coordinator: Coordinator) -> OwnTables:
    """Give the adapter of tables on a database that has these."""
    with connections[coordinator.alias].schema_editor() as editor:
        for model in (ContentType, Being, Person, Driver, Other, Note):
            editor.create_model(model)
    return OwnTables(coordinator.alias)


NOTES = Entry(
    id="notes",
    store="x",
    target=f"{LABEL}.Note",
    action=Delete(),
    locator=Generic(of={"people": f"{LABEL}.Person"}),
)


def keys_of(*people: int) -> SubjectKeys:
    return SubjectKeys(kind="x", primary=42, collected={"people": people})


def put(store: OwnTables, model: str, key: object) -> None:
    kinds: QuerySet[ContentType] = QuerySet(ContentType, using=store.alias)
    kind, _ = kinds.get_or_create(app_label=LABEL, model=model)
    QuerySet(Note, using=store.alias).create(
        content_type_id=kind.pk, object_id=str(key), text=f"{model} {key}"
    )


def left(store: OwnTables) -> set[str]:
    return set(QuerySet(Note, using=store.alias).values_list("text", flat=True))


@pytest.mark.parametrize("action", [Delete(), Unset(("text",)), Anonymise({"text": Redact()})], ids=str)
def test_a_log_is_found_under_every_model_that_a_row_has(store: OwnTables, action: Action) -> None:
    """The proxy, the parent and the child of a person's model are the person; others of that key are not."""
    for model in ("person", "member", "being", "driver", "other", "robot", "gone"):
        for key in (5, 6):
            put(store, model, key)
    entry = Entry(**{**NOTES.__dict__, "action": action})
    everybody = {1: keys_of(5), 2: keys_of(6), 3: keys_of(7)}

    assert store.find(entry, keys_of(5)).count == store.residue(entry, keys_of(5)) == 4
    assert {row["text"] for row in store.export(entry, keys_of(5))} == {
        "person 5", "member 5", "being 5", "driver 5"
    }  # fmt: skip
    assert [one.count for one in per_person.find(store, entry, everybody).values()] == [4, 4, 0]
    assert store.erase(entry, keys_of(5), 100).affected == 4
    assert store.residue(entry, keys_of(5)) == 0
    assert {one for one in left(store) if one.endswith(" 5") and one != "other 5"} == {"robot 5", "gone 5"}
    assert {"person 6", "member 6", "being 6", "driver 6", "other 5"} <= left(store)


def test_child_with_keys_of_its_own_asks_for_an_entry() -> None:
    """No key of the parent is one of the child's, so that a log of the child needs what collects them."""
    being = Entry(**{**NOTES.__dict__, "locator": Generic(of={"beings": f"{LABEL}.Being"})})
    both = Generic(of={"beings": f"{LABEL}.Being", "robots": f"{LABEL}.Robot"})

    told = [one.message for one in static.static_findings(DataMap((being,))) if one.fault is Fault.NO_ENTRY]
    named = static.static_findings(DataMap((Entry(**{**NOTES.__dict__, "locator": both}),)))

    assert len([message for message in told if "Robot" in message]) == 1
    assert not [one for one in named if "Robot" in one.message]


@pytest.mark.parametrize(
    ("locator", "action"),
    [
        (Key("owner", int), Anonymise({"name": Redact(), "licence": Redact()})),
        (Key("being_ptr_id", int), Unset(("name",))),
        (Key("owner", int), Delete()),
    ],
    ids=["anonymise", "unset", "delete"],
)
def test_row_of_a_child_lies_in_several_tables(store: OwnTables, locator: Locator, action: Action) -> None:
    """What a child inherits is found, changed, exported and looked at again where it lies."""
    rows: QuerySet[Any] = QuerySet(Driver, using=store.alias)
    mine, _ = rows.create(owner=42, id=42), rows.create(owner=43, id=43)
    entry = Entry(id="d", store="x", target=f"{LABEL}.Driver", locator=locator, action=action)
    keys = SubjectKeys(kind="x", primary=42)

    assert store.find(entry, keys).count == store.residue(entry, keys) == 1
    assert [(row["id"], row["name"], row["licence"]) for row in store.export(entry, keys)] == [
        (42, "Ada", "B")
    ]
    assert not list(tables.Tables(store.alias)._target(entry))
    assert store.erase(entry, keys, 10).done
    assert store.residue(entry, keys) == 0
    assert (rows.filter(pk=mine.pk, name="Ada").exists(), rows.filter(name="Ada").count()) == (False, 1)
    assert QuerySet(Being, using=store.alias).count() == 2
