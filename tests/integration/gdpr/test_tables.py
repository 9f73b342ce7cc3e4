"""Erasing from tables of PostgreSQL: JSON, arrays, foreign keys, unique columns, files, and kills."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any, ClassVar

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import connections, models

from gdpr.datamap.actions import Action, Anonymise, Delete, Detach, Manual, Pull, Retain, Unset
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import AnyOf, Array, Key, Locator, Path, Rows, Through
from gdpr.datamap.strategies import CoarseDate, Null, RandomToken, Redact
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused
from gdpr.stores.relational import RelationalErasure
from tests.fix_engine import Coordinator

pytestmark = pytest.mark.integration

OWN = Apps()
KEYS = SubjectKeys(
    kind="x", primary=42, alternates={"id": 42, "email": "ada@example.com"}, collected={"orders": (7, 8)}
)


class Parent(models.Model):
    owner = models.IntegerField(null=True, db_index=True)

    class Meta:
        apps = OWN
        app_label = "tables"

    def __str__(self) -> str:
        return str(self.pk)


class Thing(models.Model):
    parent = models.ForeignKey(Parent, models.DO_NOTHING, null=True)
    owner = models.IntegerField(null=True, db_index=True)
    email = models.CharField(max_length=60, null=True, unique=True)  # noqa: DJ001 - nothing is not a text
    name = models.CharField(max_length=60, default="Ada")
    at = models.DateTimeField(default=datetime(2024, 5, 1, tzinfo=UTC))
    data = models.JSONField(null=True)
    members = ArrayField(models.IntegerField(), null=True)
    photo = models.FileField(blank=True)

    class Meta:
        apps = OWN
        app_label = "tables"
        indexes: ClassVar[list[models.Index]] = []

    def __str__(self) -> str:
        return str(self.pk)


class Visible(models.Manager["Deleted"]):
    """What soft deletion makes of a manager."""

    def get_queryset(self) -> models.QuerySet[Deleted]:
        return super().get_queryset().filter(is_deleted=False)


class Deleted(models.Model):
    owner = models.IntegerField()
    is_deleted = models.BooleanField(default=False)
    objects = Visible()

    class Meta:
        apps = OWN
        app_label = "tables"
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.pk)


MODELS: dict[str, type[models.Model]] = {"tables.Parent": Parent, "tables.Deleted": Deleted}


class OwnTables(RelationalErasure):
    """The adapter on models that no app has."""

    def model(self, entry: Entry) -> type[models.Model]:
        return MODELS.get(entry.target, Thing)


@pytest.fixture
def tables(coordinator: Coordinator) -> OwnTables:
    """Give the adapter of tables on an empty database."""
    with connections[coordinator.alias].schema_editor() as editor:
        editor.create_model(Parent)
        editor.create_model(Thing)
        editor.create_model(Deleted)
    return OwnTables(coordinator.alias)


def entry(action: Action, locator: Locator, target: str = "tables.Thing") -> Entry:
    return Entry(id="one", store="x", target=target, action=action, locator=locator)


def put(tables: OwnTables, *rows: dict[str, Any]) -> list[Thing]:
    return [Thing._base_manager.using(tables.alias).create(**row) for row in rows]


def things(tables: OwnTables, *names: str) -> list[Any]:
    rows = Thing._base_manager.using(tables.alias).order_by("pk")
    return list(rows.values_list(*names, flat=len(names) == 1))


def run(tables: OwnTables, one: Entry, limit: int = 2) -> int:
    affected = 0
    for _ in range(50):
        erased = tables.erase(one, KEYS, limit)
        affected += erased.affected
        assert erased.affected <= erased.matched <= limit
        if erased.done:
            assert tables.residue(one, KEYS) == 0
            assert tables.erase(one, KEYS, limit).affected == 0
            return affected
    raise AssertionError("never done")


@pytest.mark.parametrize(
    "locator",
    [
        Key("owner", int),
        Key("email", str, by="email"),
        Path("data.author.id", int),
        Array("data.comments[].by", int),
        Array("members[]", int),
        Through("parent__owner", int),
        Rows("orders", "owner", int),
        AnyOf((Key("name", str, by="email"), Array("members[]", int))),
        Key("owner", int, where={"name": "Ada"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_locator_finds_the_person_and_nobody_else(tables: OwnTables, locator: Locator) -> None:
    """Each kind of locator deletes in bounded batches, and the second look sees the same."""
    parent = Parent._base_manager.using(tables.alias).create(owner=42)
    mine = {
        "owner": 7 if isinstance(locator, Rows) else 42,
        "data": {"author": {"id": 42}, "comments": [{"by": 42}, {"by": 1}]},
        "members": [1, 42],
        "parent": parent,
    }
    theirs = {"owner": 43, "data": {"author": {"id": 43}, "comments": [{"by": 43}]}, "members": [43]}
    put(tables, {**mine, "email": "ada@example.com"}, theirs, {"data": {"comments": "none"}})
    one = entry(Delete(), locator)
    assert tables.residue(one, KEYS) == tables.find(one, KEYS).count == 1

    assert run(tables, one) == 1
    assert things(tables, "owner") == [43, None]


@pytest.mark.parametrize("email", ["o\"'\\,{}@example.com", "NULL", "%s", "ü — ẞ"])
def test_key_may_hold_any_sign(tables: OwnTables, email: str) -> None:
    """A key is sent as part of an array and found as it stands, whatever it means there; nobody else is."""
    put(tables, {"email": email}, {"email": f"{email}2"}, {"email": None})
    keys = replace(KEYS, alternates={"email": email})
    one = entry(Delete(), Key("email", str, by="email"))

    assert tables.tally(one, keys) == {email: 1}
    assert tables.residue(one, keys) == 1
    assert tables.erase(one, keys, 5).affected == 1
    assert tables.residue(one, keys) == 0
    assert things(tables, "email") == [f"{email}2", None]


def test_batches_are_bounded(tables: OwnTables) -> None:
    """Seven rows take four batches of two."""
    put(tables, *[{"owner": 42} for _ in range(7)])

    assert run(tables, entry(Delete(), Key("owner", int))) == 7


def test_unique_columns_get_random_values(tables: OwnTables) -> None:
    """Every row gets a token of its own, never its key; empty fields stay empty."""
    put(tables, *[{"owner": 42, "email": f"{n}@example.com"} for n in range(5)], {"owner": 42})
    strategies = {
        "email": RandomToken(suffix="@erased.invalid"),
        "name": Redact(),
        "at": CoarseDate(datetime(2020, 1, 1, tzinfo=UTC)),
    }

    assert run(tables, entry(Anonymise(strategies), Key("owner", int))) == 6
    emails = things(tables, "email")
    assert len(set(emails)) == 6
    assert not any("example.com" in str(email) for email in emails)
    assert set(things(tables, "name", "at")) == {("[erased]", datetime(2020, 1, 1, tzinfo=UTC))}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Unset(("name", "data")), (42, "", None)),
        (Detach("owner"), (None, "Ada", {"a": 1})),
        (Anonymise({"data": Null()}), (42, "Ada", None)),
        (Retain("17(3)(b)", "law", "2030", ("data",)), (42, "Ada", None)),
        (Retain("17(3)(b)", "law", "2030"), (42, "Ada", {"a": 1})),
    ],
    ids=["unset", "detach", "null", "minimise", "retain"],
)
def test_rows_that_stay_lose_what_they_must(tables: OwnTables, action: Action, expected: tuple[Any]) -> None:
    """Each action leaves exactly what it promises."""
    put(tables, {"owner": 42, "data": {"a": 1}})

    run(tables, entry(action, Key("owner", int)))

    assert things(tables, "owner", "name", "data") == [expected]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("data[].by", {"data": [{"by": 42}, {"by": 43}]}, [{"by": 43}]),
        ("data.log.comments[].by", {"data": {"log": {"comments": [{"by": 42}]}}}, {"log": {"comments": []}}),
        ("data[]", {"data": [41, 42]}, [41]),
    ],
)
def test_pull_takes_the_persons_elements_alone(
    tables: OwnTables, path: str, before: dict[str, Any], after: Any
) -> None:
    """Other people's elements stay, at every depth."""
    put(tables, before)

    assert run(tables, entry(Pull(), Array(path, int))) == 1
    assert things(tables, "data") == [after]


def test_export_of_a_shared_row_is_a_projection(tables: OwnTables) -> None:
    """Own rows are whole; of shared ones the declared elements and their declared fields come, once."""
    notes = {"comments": [{"by": 42, "text": "mine", "to": {"name": "Eve"}}, {"by": 5, "text": "theirs"}]}
    shared = {"data": {"author": {"name": "E1 FIVE", "id": 5}, **notes}, "members": [5, 42]}
    mine, theirs = put(tables, {"owner": 42, **shared}, {"owner": 5, **shared})
    arrays = Array("data.comments[].by", int), Array("members[]", int)

    pulled = list(tables.export(entry(Pull(), arrays[0]), KEYS))
    both = list(tables.export(entry(Delete(), AnyOf((Key("owner", int), *arrays))), KEYS))
    named = replace(entry(Pull(), arrays[0]), fields=("data.comments[].to.name",))

    assert pulled == [{"id": one.pk, "data.comments": notes["comments"][:1]} for one in (mine, theirs)]
    assert [row["id"] for row in both] == [mine.pk, theirs.pk]
    assert (both[0]["owner"], both[0]["data"]) == (42, shared["data"])
    assert both[1] == {"id": theirs.pk, "data.comments": notes["comments"][:1], "members": [42]}
    assert next(tables.export(named, KEYS))["data.comments"] == [{"to": {"name": "Eve"}, "by": 42}]


def test_pull_takes_keys_out_of_an_array_column(tables: OwnTables) -> None:
    """An array column may hold the keys themselves."""
    put(tables, {"members": [41, 42, 43]})

    assert run(tables, entry(Pull(), Array("members[]", int))) == 1
    assert things(tables, "members") == [[41, 43]]


def test_files_go_with_their_rows(
    tables: OwnTables, tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a file field points at is deleted from its storage, and nobody else's."""
    storage = FileSystemStorage(tmp_path)
    monkeypatch.setattr(Thing._meta.get_field("photo"), "storage", storage)
    mine, theirs = (storage.save(f"{name}.jpg", ContentFile(b"face")) for name in ("ada", "bob"))
    put(tables, {"owner": 42, "photo": mine}, {"owner": 43, "photo": theirs})

    run(tables, entry(Delete(), Key("owner", int)))

    assert [found.name for found in tmp_path.iterdir()] == [theirs]


def test_row_that_is_referred_to_is_refused_without_a_value(tables: OwnTables) -> None:
    """The refusal names table and constraint, comes in the batch itself, and changes nothing."""
    parent = Parent._base_manager.using(tables.alias).create(owner=42)
    put(tables, {"parent": parent})
    one = entry(Delete(), Key("owner", int), target="tables.Parent")

    with pytest.raises(ErasureRefused, match="tables_thing") as refused:
        tables.erase(one, KEYS, 10)

    assert "42" not in refused.value.message
    assert tables.find(one, KEYS).count == 1


def test_uncollected_keys_are_refused(tables: OwnTables) -> None:
    """Finding nothing because nobody collected the keys would be a lie."""
    one = entry(Delete(), Rows("parcels", "owner", int))

    for ask in (tables.find, tables.residue):
        with pytest.raises(ErasureRefused, match="parcels"):
            ask(one, KEYS)


def test_manual_entries_change_nothing_and_are_counted(tables: OwnTables) -> None:
    """What a person has to do stays in the count until it is done."""
    put(tables, {"owner": 42})
    one = entry(Manual("Ask the archive."), Key("owner", int))

    assert tables.erase(one, KEYS, 10).done
    assert tables.residue(one, KEYS) == 1


def test_index_use_is_told_apart(tables: OwnTables) -> None:
    """An indexed column is found by its index even when the table is small; another one is not."""
    indexed = tables.explain(entry(Delete(), Key("owner", int)), KEYS)
    read = tables.explain(entry(Delete(), Key("name", str, by="email")), KEYS)

    assert (indexed.uses_index, read.uses_index) == (True, False)
    assert "tables_thing" in read.detail
    assert "ada" not in read.detail


def test_key_that_the_person_does_not_have_finds_nothing(tables: OwnTables) -> None:
    """A person without an e-mail address is not everybody without one."""
    put(tables, {"owner": 1, "email": None})
    keys = SubjectKeys(kind="x", primary=uuid.uuid4().int % 10**6 + 100, alternates={})
    one = entry(Delete(), Key("email", str, by="email"))

    assert tables.find(one, keys).count == 0
    assert tables.erase(one, keys, 10).done
    assert tables.residue(one, keys) == 0


def test_row_that_came_after_the_fence_with_a_key_given_again_stays(tables: OwnTables) -> None:
    """What is settled is what was collected; the rest is found only by whoever asks for it."""
    one = entry(Delete(), Key("email", str, by="email"))
    put(tables, {"email": "ada@example.com", "owner": 1})
    settled = KEYS.with_collected(tables.collect(one, KEYS)).settle(["one"])
    assert tables.erase(one, settled, 10).affected == 1
    (new,) = put(tables, {"email": "ada@example.com", "owner": 2})

    again = tables.erase(one, settled, 10)
    asked = settled.with_collected(tables.collect(one, settled.unsettled("one")))
    left = tables.residue(one, settled), tables.residue(one, asked)
    theirs = asked.told("one", same_person=True)

    assert (again.affected, again.done, things(tables, "owner")) == (0, True, [2])
    assert asked.newer == {"one": (new.pk,)}
    assert left == (1, 0)
    assert tables.erase(one, asked.told("one", same_person=False), 10).affected == 0
    assert (tables.residue(one, theirs), tables.erase(one, theirs, 10).affected) == (1, 1)


def test_rows_that_a_manager_hides_are_found_erased_and_exported(tables: OwnTables) -> None:
    """Soft-deleted rows are a person's data, whatever `base_manager_name` shows."""
    one = entry(Delete(), Key("owner", int), target="tables.Deleted")
    rows: models.QuerySet[Deleted] = models.QuerySet(Deleted, using=tables.alias)
    rows.bulk_create([Deleted(owner=42, is_deleted=hidden) for hidden in (True, False)] + [Deleted(owner=43)])

    assert (tables.find(one, KEYS).count, len(list(tables.export(one, KEYS)))) == (2, 2)
    assert run(tables, one) == 2
    assert [row.owner for row in rows] == [43]
