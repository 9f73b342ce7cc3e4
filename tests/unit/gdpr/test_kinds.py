"""Kinds of people: whose an entry is, what can't be told apart, and that one kind is as it always was."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from accord.errors import StoreUnavailable, UsageError
from gdpr.datamap import whose
from gdpr.datamap.actions import Delete, Manual, Nothing
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.findings import Fault
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import AnyOf, Array, Generic, Key, Rows, Through
from gdpr.datamap.map import DataMap, build
from gdpr.datamap.presets.django import accounts
from gdpr.datamap.subjects import SubjectKeys
from gdpr.erasure.refusals import together_or_apart
from gdpr.errors import InvalidDataMap
from gdpr.stores import per_person

LISTENER = Subject(model="streaming.Listener", lookups=("email",))
USER = Subject(model="auth.User", lookups=("email",), name="employee")
BOTH = (LISTENER, USER)


def entry(name: str = "one", **changes: Any) -> Entry:
    declared: dict[str, Any] = {"store": "default", "target": name, "action": Delete()}
    return Entry(id=name, **{**declared, **changes})


def built(*entries: Entry, subjects: tuple[Subject, ...] = BOTH) -> DataMap:
    module = ModuleType("someapp.privacy")
    module.__dict__.update(DATA_MAP=entries, SUBJECT=subjects)
    return build([module])


def faults(*entries: Entry, subjects: tuple[Subject, ...] = BOTH) -> list[Fault]:
    made = built(*entries, subjects=subjects)
    return [one.fault for one in whose.faults(made.entries, made.subjects)]


@pytest.mark.parametrize(
    ("declared", "kinds"),
    [
        (entry(target="streaming.Listener", locator=Key("id", int)), ["streaming.Listener"]),
        (entry(target="streaming.Listener", locator=Key("email", str, by="email")), ["streaming.Listener"]),
        (entry(target="streaming.Consent", locator=Key("listener_id", int)), ["streaming.Listener"]),
        (entry(target="streaming.Consent", locator=Key("listener", int)), ["streaming.Listener"]),
        (entry(target="streaming.Consent", locator=Through("listener__id", int)), ["streaming.Listener"]),
        (entry(target="admin.LogEntry", locator=Through("user_id", int)), ["auth.User"]),
        (entry(locator=Key("person", int), of="employee"), ["auth.User"]),
        (entry(locator=Key("person", int), of="streaming.listener"), ["streaming.Listener"]),
        (
            entry(locator=Key("person", UUID), of=("employee", "listener")),
            ["auth.User", "streaming.Listener"],
        ),
        (entry(action=Nothing("Music.")), []),
        (entry(action=Manual("Look into the folder.")), []),
        (entry(locator=Key("person", int)), [whose.NOBODY]),
        (entry(locator=Array("people[]", int)), [whose.NOBODY]),
        (entry(target="streaming.Consent", locator=Key("purpose", str)), [whose.NOBODY]),
    ],
    ids=[*("row", "own key", "column", "field", "walk", "account", "said", "label", "of both"), *["?"] * 5],
)
def test_entry_is_of_the_kind_that_it_links_to_or_names(declared: Entry, kinds: list[str]) -> None:
    """A link of Django's says it, or the entry does; what finds nothing is everybody's, the rest nobody's."""
    [found] = built(declared).entries

    assert [*found.kinds] == kinds
    assert [found.is_of(one.model) for one in BOTH] == [not kinds or one.model in kinds for one in BOTH]


def test_what_goes_by_rows_is_of_those_whose_rows_they_are() -> None:
    """A log of both kinds' rows finds of each person what is logged about theirs."""
    listeners = entry("a", target="streaming.Listener", locator=Key("id", int))
    users = entry("b", target="auth.User", locator=Key("id", int))
    logged = entry("c", locator=Generic(of={"a": "streaming.Listener", "b": "auth.User"}))
    below = entry("d", locator=Rows("a", "row", int))
    kinds = {one.id: set(one.kinds) for one in built(listeners, users, logged, below).entries}

    assert kinds["c"] == {"streaming.Listener", "auth.User"}
    assert kinds["d"] == {"streaming.Listener"}
    assert faults(listeners, users, logged, below) == []
    assert faults(listeners, replace(below, of="employee")) == [Fault.NO_KIND]


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([entry(locator=Key("person", int))], [Fault.NO_KIND]),
        ([entry(locator=Key("person", int), of="customer")], [Fault.NO_KIND]),
        (
            [entry(target="streaming.Consent", locator=AnyOf((Key("listener", int), Key("id", int))))],
            [Fault.NO_KIND],
        ),
        ([entry(locator=Key("person", int), of=("employee", "listener"))], [Fault.SHARED_BY_KINDS]),
        ([entry(locator=Key("person", UUID), of=("employee", "listener"))], []),
        (
            [
                entry("a", target="t", locator=Key("p", int), of="employee"),
                entry("b", target="t", locator=Key("p", int), of="listener"),
            ],
            [Fault.SHARED_BY_KINDS],
        ),
        (
            [
                entry("a", target="t", locator=Key("p", int), of="employee"),
                entry("b", target="t", locator=Key("p", int, where={"k": 1}), of="listener"),
            ],
            [Fault.SHARED_BY_KINDS],
        ),
        (
            [
                entry("a", target="t", locator=Key("p", int, where={"k": 1}), of="employee"),
                entry("b", target="t", locator=Key("p", int, where={"k": 2}), of="listener"),
            ],
            [],
        ),
        (
            [
                entry("a", target="t", locator=Key("e", int), of="employee"),
                entry("b", target="t", locator=Key("l", int), of="listener"),
            ],
            [],
        ),
        (
            [
                entry("a", target="t", locator=Key("p", int), of="employee"),
                entry("b", target="t", locator=Key("p", int), of="employee"),
            ],
            [],
        ),
    ],
    ids=[
        "said by nothing",
        "of nobody",
        "one way leads nowhere",
        "one entry for both",
        "keys of nobody else",
        "two entries of one field",
        "one without a condition",
        "told apart",
        "two fields",
        "one kind twice",
    ],
)
def test_what_may_be_another_persons_is_refused(entries: list[Entry], found: list[Fault]) -> None:
    """Customer 7 and employee 7 are never found by the bare number in one place."""
    assert faults(*entries) == found


def test_each_kind_may_have_accounts() -> None:
    """In one table of users, told apart by a column; what belongs to an account follows it."""
    found = [
        one
        for kind, staff in (("employee", 1), ("listener", 0))
        for one in accounts(Key("email", str, by="email", where={"is_staff": staff}), of=kind)
    ]
    subjects = (LISTENER, Subject(model="auth.Group", name="employee"))
    made = built(*found, subjects=subjects)

    assert [*whose.faults(made.entries, made.subjects)] == []
    assert {one.id.rpartition("-")[2]: one.kinds for one in made.entries} == {
        "employee": ("auth.Group",),
        "listener": ("streaming.Listener",),
    }


def test_two_kinds_of_one_table_are_refused() -> None:
    """As a model and its proxy would be; the same model or name can't even be declared."""
    permission = Subject(model="auth.Permission")
    twice = (USER, replace(USER, name="boss"))

    assert faults(subjects=(USER, permission)) == []
    assert [one.fault for one in whose.faults((), twice)] == [Fault.SHARED_BY_KINDS]
    for twin in (replace(USER, name="boss"), replace(permission, name="employee")):
        with pytest.raises(InvalidDataMap, match=r"someapp\.privacy is the second one"):
            built(subjects=(USER, twin))


def test_door_without_a_kind_is_told_which_there_are() -> None:
    """One of several has to be named, by its name or its model; one alone need not be."""
    the_map = built()

    assert [the_map.kind(name) for name in ("listener", "employee", "auth.user")] == [LISTENER, USER, USER]
    assert built(subjects=(USER,)).kind() == USER
    for name in ("", "customer", "user"):
        with pytest.raises(UsageError, match="listener, employee"):
            the_map.kind(name)
    with pytest.raises(InvalidDataMap):
        built(subjects=()).kind()


def test_map_of_one_kind_is_as_it_was_before_there_were_several() -> None:
    """Digests that approvals were given for, and descriptions in the lock file, say nothing of kinds."""
    declared = entry(locator=Key("person", int))
    [alone] = built(declared, subjects=(LISTENER,)).entries
    [named] = built(replace(declared, of="listener"), subjects=(LISTENER,)).entries

    assert alone == named == declared
    assert "of" not in document(alone)
    assert (
        built(declared, subjects=(replace(LISTENER, name="fan"),)).digest
        == DataMap((declared,), LISTENER).digest
    )
    assert faults(replace(declared, of="employee"), subjects=(LISTENER,)) == [Fault.NO_KIND]


def test_narrowed_map_has_what_is_of_one_kind() -> None:
    """Each kind has its own entries and everybody's; a kind that nobody declares has no map."""
    the_map = built(
        *(entry(kind, locator=Key("e", str, by="email"), of=kind) for kind in ("employee", "listener")),
        entry("nothing", action=Nothing("Music.")),
    )

    assert the_map.subject is None
    assert {one.id for one in the_map.of("AUTH.user").entries} == {"employee", "nothing"}
    assert the_map.of("auth.User").subject == USER
    assert the_map.of("auth.User").reusable == {"employee"}
    assert the_map.reusable == {"employee", "listener"}
    with pytest.raises(InvalidDataMap, match=r"shop\.Customer"):
        the_map.of("shop.Customer")


def test_store_of_one_kind_that_is_away_keeps_back_nobody_else() -> None:
    """A batch goes kind by kind; what refuses one is no word about another."""
    people = {number: SubjectKeys(kind=kind, primary=7) for number, kind in enumerate(("a.A", "b.B", "a.A"))}

    def ask(some: per_person.People) -> dict[int, str]:
        assert len({keys.kind for keys in some.values()}) == 1
        if any(keys.kind == "b.B" for keys in some.values()):
            raise StoreUnavailable("Away.")
        return dict.fromkeys(some, "asked")

    given, refused = together_or_apart(people, ask)

    assert (given, list(refused)) == ({0: "asked", 2: "asked"}, [1])
