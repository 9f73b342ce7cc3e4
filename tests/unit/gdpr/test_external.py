"""External places: what is wrong with a class, and what its answers become, without any server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from accord.errors import AccordError, StoreUnavailable
from gdpr.coverage import check
from gdpr.datamap.actions import Action, Anonymise, Delete, Manual, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import External, Key
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.several import SeveralKeys
from gdpr.datamap.strategies import Null
from gdpr.datamap.subjects import SubjectKeys
from gdpr.datamap.terms import After
from gdpr.errors import DeletionQueued, ExternalFailed, ExternalNonsense
from gdpr.stores.external import ExternalErasure

HERE = f"{__name__}."
SUBJECT = Subject(model="streaming.Listener", lookups=("email",), folds={"email": "email"})
ADA = SubjectKeys(kind="streaming.Listener", primary=1, alternates={"id": 1, "email": "ada@example.com"})
BOB = SubjectKeys(kind="streaming.Listener", primary=2, alternates={"id": 2})


class Shelf:
    """A place in memory, which each test fills."""

    things: dict[str, object] = {}  # noqa: RUF012 - set by the test
    asked: list[Sequence[object]] = []  # noqa: RUF012 - as above
    hidden: set[str] = set()  # noqa: RUF012 - as above

    def where(self) -> str:
        return " a shelf "

    def find(self, keys: Sequence[Any]) -> Iterator[str]:
        self.asked.append(list(keys))
        return (one for one, owner in self.things.items() if owner in keys and one not in self.hidden)

    def delete(self, ids: Sequence[str]) -> int:
        return sum(self.things.pop(one, None) is not None for one in ids)

    def verify(self, keys: Sequence[Any]) -> Iterator[str]:
        return (one for one, owner in self.things.items() if owner in keys)


class Queue(Shelf):
    """It takes deletions, shows nothing any more, and has everything still."""

    def delete(self, ids: Sequence[str]) -> int:
        self.hidden.update(ids)
        return len(ids)


class Stubborn(Shelf):
    def delete(self, ids: Sequence[str]) -> int:
        return 0


class Exporting(Shelf):
    def export(self, ids: Sequence[str]) -> Iterator[Mapping[str, str]]:
        return ({"picture": one} for one in ids)


class Open(Shelf):
    def find(self, keys: Sequence[Any]) -> Iterator[str]:
        return iter(self.things)


class Slow(Shelf):
    def where(self) -> str:
        time.sleep(1)
        return "late"


class Away(Shelf):
    def where(self) -> str:
        raise ConnectionRefusedError("ada@example.com")


class Broken(Shelf):
    def where(self) -> str:
        raise KeyError("ada@example.com")


class Silent(Shelf):
    def where(self) -> str:
        return " "


class Lacking:
    where = find = delete = Shelf.where


class Demanding(Shelf):
    def __init__(self, address: str) -> None:
        self.address = address


def entry(name: str = "Shelf", type_: object = int, by: str = "", **more: Any) -> Entry:
    usual: dict[str, Any] = {"store": "external:shelf", "target": "shelf", "action": Delete()}
    locator = External(HERE + name, type_, by, timeout=0.2)
    return Entry(**{"id": "shelf", **usual, "locator": locator, **more})


def store(one: Entry) -> ExternalErasure:
    return ExternalErasure(one.store, [one])


@pytest.fixture(autouse=True)
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "things", {"a": 1, "b": 1, "c": 2, "at": "ada@example.com"})
    monkeypatch.setattr(Shelf, "asked", [])
    monkeypatch.setattr(Shelf, "hidden", set())


def faults(*entries: Entry) -> set[Fault]:
    return {finding.fault for finding in check(DataMap(entries, SUBJECT))}


# --- what is declared ------------------------------------------------------------------------------


def test_a_sound_entry_has_no_fault() -> None:
    assert faults(entry()) == set()
    assert faults(entry("Exporting", str, by="email")) == set()


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (entry("Nobody"), Fault.BAD_PLACE),
        (entry("Lacking"), Fault.BAD_PLACE),
        (entry("Demanding"), Fault.BAD_PLACE),
        (entry(locator=External("no.such.module", int)), Fault.BAD_PLACE),
        (entry(locator=External(HERE + "Shelf", int, timeout=0)), Fault.BAD_PLACE),
        (entry(store="external:"), Fault.NO_STORE),
        (entry(store="external:Not This"), Fault.NO_STORE),
        (entry(store="default", target="streaming.Listener"), Fault.WRONG_ACTION),
        (entry(locator=Key("id", int)), Fault.WRONG_ACTION),
        (entry(action=Anonymise({"a": Null()})), Fault.WRONG_ACTION),
        (entry(action=Retain("17(3)(b)", "tax", "2030", minimise=("a",))), Fault.WRONG_ACTION),
        (entry(action=Retain("17(3)(b)", "tax", After("made", days=9))), Fault.WRONG_ACTION),
        (entry(by="phone"), Fault.NO_KEY),
    ],
)
def test_fault_is_found(wrong: Entry, fault: Fault) -> None:
    assert fault in faults(wrong)


@pytest.mark.parametrize(("name", "found"), [("Shelf", 0), ("Open", 1), ("Broken", 1), ("Silent", 1)])
def test_a_probe_finds_what_only_a_call_shows(name: str, found: int) -> None:
    one = entry(name)

    assert [finding.fault for finding in store(one).inspect([one])] == [Fault.BAD_PLACE] * found


@pytest.mark.parametrize("name", ["Slow", "Away"])
def test_a_probe_of_a_place_that_is_away_is_no_finding(name: str) -> None:
    one = entry(name)

    with pytest.raises(StoreUnavailable):
        list(store(one).inspect([one]))


def test_it_goes_behind_all_stores_and_is_settled_where_its_key_is_reusable() -> None:
    sample = load_data_map()

    assert sample.entries[-1].id == "pictures"
    assert sample.externals == ("external:media",)
    assert DataMap((entry(by="email"),), SUBJECT).reusable == {"shelf"}
    assert DataMap((entry(),), SUBJECT).reusable == frozenset()


# --- what it answers -------------------------------------------------------------------------------


def test_it_finds_what_people_have_and_deletes_nothing_else() -> None:
    one = entry()

    assert store(one).find(one, ADA).count == 2
    assert store(one).find(one, SeveralKeys((ADA, BOB))).count == 3
    assert store(one).erase(one, ADA, limit=1).done is False
    assert store(one).erase(one, ADA, limit=1).done is True
    assert store(one).residue(one, ADA) == 0
    assert Shelf.things == {"c": 2, "at": "ada@example.com"}


@pytest.mark.parametrize(
    ("type_", "by", "given"),
    [(int, "", [1]), (str, "", ["1"]), ("both", "", [1, "1"]), (str, "email", ["ada@example.com"])],
)
def test_it_is_given_keys_of_the_declared_type(type_: object, by: str, given: list[object]) -> None:
    one = entry(type_=type_, by=by)

    store(one).find(one, ADA)

    assert Shelf.asked == [given]


def test_a_uuid_is_one_and_nobody_is_asked_about_without_a_key() -> None:
    key = UUID(int=7)
    one = entry(type_=UUID)
    store(one).find(one, SubjectKeys(kind="x", primary=str(key)))
    store(entry(by="email")).find(entry(by="email"), BOB)

    assert Shelf.asked == [[key]]


@pytest.mark.parametrize("action", [Manual("by hand"), Retain("17(3)(b)", "tax", "2030")])
def test_only_a_deletion_deletes(action: Action) -> None:
    one = entry(action=action)

    found = store(one).find(one, ADA)

    assert (found.count, found.pending, found.sample) == (2, 0, ())
    assert store(one).erase(one, ADA, limit=9).affected == 0
    assert store(one).residue(one, ADA) == 0
    assert len(Shelf.things) == 4


def test_a_queued_deletion_is_told_and_stays_open() -> None:
    one = entry("Queue")

    for _ in range(2):
        with pytest.raises(DeletionQueued):
            store(one).erase(one, ADA, limit=9)
    # It shows them no more; the second look knows better.
    assert store(one).find(one, ADA).pending == 2
    assert store(one).residue(one, ADA) == 2


def test_one_that_takes_nothing_says_that_something_is_left() -> None:
    one = entry("Stubborn")

    assert store(one).erase(one, ADA, limit=9) == store(one).erase(one, ADA, limit=9)
    assert store(one).erase(one, ADA, limit=9).done is False


def test_settled_keys_find_what_was_collected_and_leave_what_came_later() -> None:
    one = entry()
    settled = replace(ADA, collected={"shelf": ("a",)}, settled=frozenset({"shelf"}))
    asked = settled.with_collected(store(one).collect(one, settled.unsettled("shelf")))

    store(one).erase(one, asked, limit=9)

    assert asked.newer == {"shelf": ("b",)}
    assert Shelf.things.keys() == {"b", "c", "at"}
    assert store(one).residue(one, asked) == 0


def test_an_export_holds_ids_or_what_the_class_says() -> None:
    plain, told = entry(), entry("Exporting")

    assert list(store(plain).export(plain, ADA)) == [{"id": "a"}, {"id": "b"}]
    assert list(store(told).export(told, ADA)) == [{"picture": "a"}, {"picture": "b"}]
    assert list(store(told).export(told, replace(ADA, primary=9))) == []


WRONG: Mapping[str, Sequence[object]] = {
    "find": (None, -1, "a", b"a", [1], [""], [None], True),
    "verify": (None, 0, "a", [1]),
    "delete": (None, -1, "2", True, 3, 2.0, []),
    "where": (None, "", 1),
}


@pytest.mark.parametrize(
    ("method", "answer"),
    [(method, answer) for method, answers in WRONG.items() for answer in answers],
)
def test_an_answer_that_is_none_is_refused(
    method: str, answer: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = entry()
    asks: Mapping[str, Callable[[], object]] = {
        "find": lambda: store(one).find(one, ADA),
        "verify": lambda: store(one).residue(one, ADA),
        "delete": lambda: store(one).erase(one, ADA, limit=9),
        "where": lambda: store(one).fingerprint(),
    }
    monkeypatch.setattr(Shelf, method, lambda *_: answer)

    with pytest.raises(ExternalNonsense) as refused:
        asks[method]()
    assert f"“{method}” of entry shelf gave" in refused.value.message


@pytest.mark.parametrize(
    ("name", "error"), [("Away", StoreUnavailable), ("Broken", ExternalFailed), ("Slow", StoreUnavailable)]
)
def test_an_error_names_its_kind_and_nobodys_key(name: str, error: type[AccordError]) -> None:
    with pytest.raises(error) as refused:
        store(entry(name)).fingerprint()

    assert "ada" not in f"{refused.value.message} {refused.value.hint}"
    assert store(entry()).fingerprint() == "a shelf"
