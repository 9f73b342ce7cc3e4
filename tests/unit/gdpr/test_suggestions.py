"""Suggested entries: what they are guessed from, and that no value is ever told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from gdpr import privacy
from gdpr.coverage import check
from gdpr.datamap.actions import Delete, Manual, Nothing
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.guesses import Basis, guesses, owners
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import Key
from gdpr.datamap.lock import Inventory
from gdpr.datamap.map import DataMap, load_data_map
from gdpr.datamap.suggested import Suggestion, as_document, text_of
from gdpr.suggestions import suggestions
from tests.unit.gdpr.test_kinds import built

CANARIES = ("ada@example.com", "+44 20 7946 0958", "203.0.113.77")


class Store:
    """What suggestions ask of a store, answered from a table of fields and rows."""

    def __init__(self, alias: str, places: Inventory, rows: Sequence[Mapping[str, object]] = ()) -> None:
        self.alias, self._places, self._rows = alias, places, rows

    def inspect(self, _entries: Sequence[Entry]) -> Iterator[MapFinding]:
        for target in self._places:
            name = target.removeprefix("table:")
            yield MapFinding(fault=Fault.UNCLASSIFIED, message="", store=self.alias, target=name)

    def inventory(self, entries: Sequence[Entry]) -> Inventory:
        return {entry.target: self._places[entry.target] for entry in entries}

    def some(self, _entry: Entry, limit: int) -> Iterable[Mapping[str, object]]:
        return self._rows[:limit]


def suggested(store: Any, *, sample: bool = False) -> Suggestion:
    [found] = suggestions(load_data_map(), [store], sample=sample)
    return found


def pasted(one: Suggestion) -> Entry:
    """Read a suggestion as Python does once it is pasted."""
    (made,) = eval(text_of(one), {name: getattr(privacy, name) for name in privacy.__all__})  # noqa: S307 - our own words, an item of a list
    assert isinstance(made, Entry)
    return made


def test_collection_with_an_owner_is_deleted_by_it() -> None:
    """The key's type is that of the field; what else looks personal is listed, with how it was guessed."""
    fields = {"_id": "objectId", "userId": "long", "to.mail": "string", "weight": "number"}

    one = suggested(Store("mongodb", {"letters": fields}))

    entry = pasted(one)
    assert (entry.target, entry.locator, entry.action) == ("letters", Key("userId", int), Delete())
    assert entry.fields == ("to.mail",)
    assert "# userId: whose it is (a guess, by its name)." in text_of(one)
    assert "# to.mail: e-mail address (a guess, by its name)." in text_of(one)


def test_foreign_key_to_the_person_is_no_guess() -> None:
    """A model refers to the subject: that is known, whatever else is called `user_id`."""
    store = Store(
        "default", {"streaming.Subscription": {"id": "bigint", "user_id": "x", "listener_id": "bigint"}}
    )

    one = suggested(store)

    assert (one.owner, one.owner_basis) == ("listener_id", Basis.KEY)
    assert "known, by a foreign key" in text_of(one)


def listener() -> Subject:
    """Give the sample's person, without what it says of accounts."""
    subject = load_data_map().subject
    assert subject is not None
    return replace(subject, inactive=None)


def test_table_without_a_model_is_left_to_a_person() -> None:
    """Nothing erases from it by itself; the empty words keep the check failing until somebody writes them."""
    one = suggested(Store("default", {"table:letters": {"user_id": "integer", "phone": "text"}}))

    entry = pasted(one)
    faults = [found.fault for found in check(DataMap((entry,), listener()))]
    assert (entry.target, entry.action) == ("table:letters", Manual(""))
    assert faults == [Fault.NO_REASON]


def test_place_that_looks_harmless_is_not_said_to_be() -> None:
    """Why nobody is in it has to be written by whoever knows."""
    one = suggested(Store("mongodb", {"rates": {"cents": "number", "currency": "string"}}))

    assert pasted(one).action == Nothing("")
    assert "That proves nothing" in text_of(one)
    assert [found.fault for found in check(DataMap((pasted(one),), listener()))] == [Fault.NO_REASON]


def test_e_mail_address_finds_a_person_who_has_that_key() -> None:
    """Where no field is called after an owner."""
    one = suggested(Store("search", {"mails": {"recipient_email": "keyword", "sent": "date"}}))

    assert pasted(one).locator == Key("recipient_email", str, by="email")


def test_values_are_counted_and_never_told() -> None:
    """A field without a telling name is found by what it holds; the answer has numbers of values only."""
    rows = [{"a": CANARIES[0], "b": CANARIES[1], "c": CANARIES[2], "d": number} for number in range(4)]
    rows.append({"a": "", "b": "none", "c": None, "d": "x"})
    fields = dict.fromkeys("abcd", "text")

    one = suggested(Store("mongodb", {"things": fields}, rows), sample=True)
    without = suggested(Store("mongodb", {"things": fields}, rows))

    told = {guess.path: (guess.what, guess.why) for guess in one.guesses} | {one.owner: one.owner_by}
    assert told == {
        "a": "email",
        "b": ("phone number", "4 of 5 values look like it"),
        "c": ("IP address", "4 of 4 values look like it"),
    }
    assert (without.guesses, without.owner) == ([], "")
    for canary in CANARIES:
        assert canary not in f"{text_of(one)}{as_document(one)}{one!r}"


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("email", "e-mail address"),
        ("contact.E-Mail", "e-mail address"),
        ("homePhone", "phone number"),
        ("client_ip", "IP address"),
        ("first_name", "name"),
        ("birthDate", "date of birth"),
        ("addresses[].zip_code", "postal address"),
        ("iban", "bank or card"),
        ("ship", None),
        ("hotel", None),
        ("renamed_at", None),
        ("mailing", None),
    ],
)
def test_names_are_read_by_words(path: str, what: str | None) -> None:
    """Whole words only: a ship is no IP address, and a hotel no telephone."""
    assert [one.what for one in guesses({path: "string"}, {})] == ([what] if what else [])


def test_type_says_more_than_a_name() -> None:
    """PostgreSQL's inet, and a point on the map."""
    found = guesses({"seen": "inet", "at": "geo_point", "name": "inet"}, {})

    assert [(one.what, one.basis) for one in found] == [
        ("IP address", Basis.TYPE),
        ("place", Basis.TYPE),
        ("IP address", Basis.TYPE),
    ]


def test_owner_is_the_subject_before_anybody_else() -> None:
    """In the order of the names that are asked for; deep in a document, too."""
    fields = {"user_id": "long", "meta.listenerId": "long", "owner": "string"}

    assert owners(fields, ["listener", "user", "owner"]) == ["meta.listenerId", "user_id", "owner"]
    assert owners({"note": "string"}, ["listener", "user"]) == []


def test_suggestion_is_the_same_each_time() -> None:
    """And its id can be one of the data map."""
    store = Store("mongodb", {"Some.Letters": {"user_id": "int", "mail": "string", "ip": "string"}})

    assert text_of(suggested(store)) == text_of(suggested(store))
    assert pasted(suggested(store)).id == "mongodb-some-letters"


BOTH = (
    Subject(model="streaming.Listener", lookups=("email",)),
    Subject(model="auth.User", lookups=("email",), name="employee"),
)


def of_both(store: Any) -> list[Suggestion]:
    return list(suggestions(DataMap((), several=BOTH), [store], sample=False))


def test_place_of_two_kinds_gets_an_entry_for_each() -> None:
    """Each by the field that is called after it, with an id of its own; the check has nothing to ask."""
    letters = {"employeeId": "long", "listenerId": "long", "mail": "string"}

    found = of_both(Store("mongodb", {"letters": letters}))

    made = [pasted(one) for one in found]
    assert [(one.id, one.locator, one.of, one.fields) for one in made] == [
        ("mongodb-letters-of-listener", Key("listenerId", int), "listener", ("mail",)),
        ("mongodb-letters-of-employee", Key("employeeId", int), "employee", ("mail",)),
    ]
    assert [as_document(one)["kind"] for one in found] == ["listener", "employee"]


def test_foreign_key_says_the_kind_by_itself() -> None:
    """Nothing is written that the model says already; what is of one kind alone keeps its plain id."""
    fields = {"id": "bigint", "listener_id": "bigint", "cents": "bigint"}

    [one] = of_both(Store("default", {"streaming.Subscription": fields}))

    assert (pasted(one).id, pasted(one).locator, pasted(one).of) == (
        "default-streaming-subscription", Key("listener_id", int), ()
    )  # fmt: skip


def test_kind_that_nothing_says_is_left_to_a_person() -> None:
    """A field that holds anybody's key: the check fails until somebody writes whose."""
    [one] = of_both(Store("mongodb", {"visits": {"owner": "long", "seen": "date"}}))

    assert 'of="",  # whose: listener, employee?' in text_of(one)
    assert Fault.NO_KIND in {fault.fault for fault in check(built(pasted(one), subjects=BOTH))}
