"""The data map: put together, ordered, digested and checked, without any server."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from gdpr.coverage import check
from gdpr.datamap.actions import Action, Anonymise, Delete, Detach, Manual, Nothing, Pull, Retain
from gdpr.datamap.bases import LawfulBasis
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.findings import Fault
from gdpr.datamap.history import Audited, History
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import AnyOf, Array, Generic, Key, Locator, Path, Rows, Sessions, parts
from gdpr.datamap.map import DataMap, build, load_data_map, ordered
from gdpr.datamap.static import require_sound
from gdpr.datamap.strategies import Constant, Null, Pseudonym, RandomToken, Redact, Strategy
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import InvalidDataMap

SUBJECT = Subject(
    model="streaming.Listener", key="id", type=int, lookups=("email",), folds={"email": "email"}
)
KEY = Key("listener_id", int)


def entry(name: str = "one", **changes: Any) -> Entry:
    declared: dict[str, Any] = {
        "id": name,
        "store": "mongodb",
        "target": name,
        "locator": KEY,
        "action": Delete(),
    }
    return Entry(**{**declared, **changes})


def faults(*entries: Entry, subject: Subject | None = SUBJECT) -> list[Fault]:
    return [finding.fault for finding in check(DataMap(entries, subject))]


def module(**content: object) -> ModuleType:
    made = ModuleType("someapp.privacy")
    made.__dict__.update(content)
    return made


# --- putting together ----------------------------------------------------------------------------


def test_entries_may_come_in_lists() -> None:
    """A pack's list stands in DATA_MAP like an entry."""
    built = build([module(DATA_MAP=[entry("a"), [entry("b"), entry("c")]], SUBJECT=SUBJECT)])

    assert {one.id for one in built.entries} == {"a", "b", "c"}
    assert built.subject == SUBJECT


@pytest.mark.parametrize(
    "modules",
    [
        [module(DATA_MAP=[entry("a")]), module(DATA_MAP=[entry("a")])],
        [module(DATA_MAP=["streaming.Listener"])],
        [module(DATA_MAP=[["streaming.Listener"]])],
        [module(DATA_MAP=[42])],
        [module(SUBJECT=SUBJECT), module(SUBJECT=SUBJECT)],
        [module(SUBJECT="streaming.Listener")],
    ],
    ids=["same id twice", "a text", "a list of texts", "a number", "two subjects", "a subject's name"],
)
def test_what_is_no_map_is_refused(modules: list[ModuleType]) -> None:
    """A declaration that can't be meant is refused with the module's name."""
    with pytest.raises(InvalidDataMap, match=r"someapp\.privacy"):
        build(modules)


def test_order_is_search_then_documents_then_children_before_parents() -> None:
    """What is derived or refers to something else goes first."""
    tables = [("track", "streaming.Track"), ("title", "streaming.TrackTitle"), ("artist", "streaming.Artist")]
    entries = [entry(name, store="default", target=label) for name, label in tables]
    entries += [entry("plays"), entry("recommendations", derived_from=("plays",)), entry("i", store="search")]

    order = [one.id for one in ordered(entries)]

    assert order == ["i", "recommendations", "plays", "title", "track", "artist"]
    assert [one.id for one in ordered(reversed(entries))] == order


def test_declared_order_goes_before_what_is_derived() -> None:
    """`order` decides among the entries of one store."""
    assert [one.id for one in ordered([entry("a", order=2), entry("b", order=1)])] == ["b", "a"]


def test_digest_changes_with_every_declaration() -> None:
    """Approvals are bound to the map: any change of any field is another map."""
    first = DataMap((entry(action=Anonymise({"name": RandomToken()})),), SUBJECT)
    others = [
        DataMap((entry(action=Anonymise({"name": RandomToken(prefix="x")})),), SUBJECT),
        DataMap((entry(action=Anonymise({"name": Redact()})),), SUBJECT),
        DataMap((entry(action=Delete()),), SUBJECT),
        DataMap((entry(locator=Key("listener_id", str)),), SUBJECT),
        DataMap((entry(purpose="something else"),), SUBJECT),
        DataMap(first.entries, replace(SUBJECT, lookups=())),
    ]

    assert len({first.digest, *(one.digest for one in others)}) == 7
    assert DataMap(first.entries, SUBJECT).digest == first.digest


def test_keys_are_collected_before_those_that_need_them() -> None:
    """An entry whose keys are needed by another one comes after those that it needs itself."""
    entries = (
        entry("log", locator=Generic(of={"orders": "streaming.Track"})),
        entry("orders", locator=Rows("customers", "customer_id", int)),
        entry("customers"),
    )

    assert [one.id for one in DataMap(entries).to_collect()] == ["customers", "orders"]


# --- the sample ------------------------------------------------------------------------------------


def test_map_of_the_sample_is_sound() -> None:
    """What can be said without a server about the sample's map is that nothing is wrong."""
    data_map = load_data_map()

    assert check(data_map) == []
    require_sound(data_map)


@pytest.mark.parametrize("needed", [one.id for one in load_data_map().to_collect()])
def test_dropping_an_entry_that_others_need_is_an_error(needed: str) -> None:
    """Without the entry that finds them, keys can't be collected, and the check says so."""
    data_map = load_data_map()

    rest = DataMap(tuple(one for one in data_map.entries if one.id != needed), data_map.subject)

    assert Fault.NO_ENTRY in {finding.fault for finding in check(rest)}


# --- what is wrong without asking a server ---------------------------------------------------------


LISTENER: dict[str, Any] = {
    "store": "default",
    "target": "streaming.Listener",
    "locator": Key("id", int),
}


def anonymised(**strategies: Strategy) -> Entry:
    return entry(**LISTENER, action=Anonymise(strategies))


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (entry(store="elsewhere"), Fault.NO_STORE),
        (entry(derived_from=("nobody",)), Fault.NO_ENTRY),
        (entry(locator=Rows("nobody", "x", int)), Fault.NO_ENTRY),
        (entry(locator=Key("x", str, by="phone")), Fault.NO_KEY),
        (entry(locator=AnyOf((KEY, Key("x", str, by="phone")))), Fault.NO_KEY),
        (entry(action=Retain("", "tax law", "ten years")), Fault.NO_GROUND),
        (entry(action=Retain("17(3)(b)", " ", "ten years")), Fault.NO_GROUND),
        (entry(action=Retain("17(3)(b)", "tax law", "")), Fault.NO_GROUND),
        (entry(basis="consnt"), Fault.NO_BASIS),
        (entry(action=Nothing(" "), locator=None), Fault.NO_REASON),
        (entry(action=Manual("")), Fault.NO_REASON),
        (entry(action=Nothing("music")), Fault.WRONG_ACTION),
        (entry(action=Pull()), Fault.WRONG_ACTION),
        (entry(locator=None), Fault.WRONG_ACTION),
        (entry(action=Anonymise({})), Fault.WRONG_ACTION),
        (entry(action=Detach("x"), locator=Sessions("one")), Fault.WRONG_ACTION),
        (entry(derived_from=("one",)), Fault.CYCLE),
        (entry(locator=Rows("one", "x", int)), Fault.CYCLE),
        (anonymised(email=Pseudonym(key=b"k")), Fault.REVERSIBLE),
        (anonymised(email=Redact()), Fault.NOT_UNIQUE),
        (anonymised(display_name=Null()), Fault.DOES_NOT_FIT),
        (anonymised(country=Constant("nowhere")), Fault.DOES_NOT_FIT),
        (anonymised(id=Constant(0)), Fault.DOES_NOT_FIT),
        (
            entry(
                store="default",
                target="streaming.Consent",
                action=Detach("listener"),
            ),
            Fault.DOES_NOT_FIT,
        ),
    ],
    ids=lambda value: value.value if isinstance(value, Fault) else "",
)
def test_fault_is_found(wrong: Entry, fault: Fault) -> None:
    """Each fault that a declaration can have is found by its id."""
    assert fault in faults(wrong)


def test_longer_circles_are_found() -> None:
    """Entries that derive from each other by way of others are told, each of them."""
    circle = [
        entry("a", derived_from=("b",)),
        entry("b", derived_from=("c",)),
        entry("c", derived_from=("a",)),
    ]

    assert faults(*circle) == [Fault.CYCLE] * 3


def test_contradiction_is_found() -> None:
    """One entry can't say that a target holds nothing while another finds data in it."""
    empty = entry("none", target="one", action=Nothing("nothing here"), locator=None)

    assert faults(entry(), empty) == [Fault.CONTRADICTION]


@pytest.mark.parametrize(
    "subject",
    [None, Subject(model="streaming.Nobody"), replace(SUBJECT, lookups=("shoe_size",), folds={})],
    ids=["none", "no model", "no field"],
)
def test_missing_subject_is_found(subject: Subject | None) -> None:
    """Without a person whose data these are, nothing can be erased."""
    assert faults(entry(), subject=subject) == [Fault.NO_SUBJECT]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"folds": {}}, [Fault.NOT_FOLDED]),
        ({"folds": {"email": "exact"}}, []),
        ({"folds": {"email": "soundex"}}, [Fault.NO_FOLDING]),
        ({"folds": {"email": "email", "phone": "case"}}, [Fault.NO_FOLDING]),
        ({"lookups": ("email", "display_name")}, [Fault.SHARED_KEY]),
        ({"earlier": {"email": Audited("streaming.Listener", "email")}}, []),
        ({"earlier": {"id": Audited("streaming.Listener", "id")}}, [Fault.NO_KEY]),
    ],
    ids=["undeclared", "meant", "no folding", "no key", "shared", "earlier", "earlier of none"],
)
def test_what_says_who_a_person_is_is_checked(changes: dict[str, Any], expected: list[Fault]) -> None:
    """An address in several spellings and a key of several people are warned of; a wrong word is an error."""
    assert faults(entry(), subject=replace(SUBJECT, **changes)) == expected


@pytest.mark.parametrize(
    ("locator", "expected"),
    [
        (Key("mail", str, by="email", fold="case"), []),
        (Key("listener_id", int, fold="exact"), []),
        (Key("listener_id", int, fold="case"), [Fault.NO_FOLDING]),
        (Key("mail", str, by="email", fold="soundex"), [Fault.NO_FOLDING]),
    ],
)
def test_folding_of_a_place_is_checked(locator: Key, expected: list[Fault]) -> None:
    """Only a text has spellings, and only by the words that there are."""
    assert faults(entry(locator=locator)) == expected


def test_locators_follow_the_subject() -> None:
    """What the subject says of a key counts at each place, unless that says otherwise."""
    places = AnyOf(
        (
            Key("mail", str, by="email"),
            Key("login", str, by="email", fold="exact"),
            Path("by.mail", str, by="email"),
            Key("listener_id", int),
        )
    )

    [one] = build([module(DATA_MAP=[entry(locator=places)], SUBJECT=SUBJECT)]).entries

    assert [getattr(part, "fold", "") for part in parts(one.locator)] == ["email", "exact", "email", ""]
    assert "fold" not in json.dumps(document(entry()))


def test_digest_says_where_earlier_values_come_from() -> None:
    """Another table or another function is another map; what isn't declared changes nothing."""
    sources: list[dict[str, Any]] = [
        {},
        {"email": History("streaming.Listener", "email")},
        {"email": History("streaming.Listener", "email", key="pk")},
        {"email": Audited("streaming.Listener", "email")},
        {"email": faults},
    ]

    digests = {DataMap((), replace(SUBJECT, earlier=one)).digest for one in sources}

    assert len(digests) == len(sources)
    assert DataMap((), SUBJECT).digest in digests


def test_keys_of_before_are_kept_beside_those_of_now() -> None:
    """What a key was is searched by, too, unless somebody else has it now; a settled entry finds both."""
    filed = SubjectKeys(kind="x", primary=1, alternates={"id": 1, "email": "old"})
    now = replace(filed, alternates={"id": 1, "email": "new"}, earlier={"email": ("old",)})

    known = SubjectKeys.from_json(filed.joined(now).to_json())
    taken = replace(known, contested={"email": ("old",)}).settle(["accounts"])

    assert (known.values("email"), taken.values("email")) == (("new", "old"), ("new",))
    assert taken.unsettled("accounts").values("email") == ("new", "old")
    assert taken.unsettled("others").values("email") == ("new",)


def test_unsound_map_is_refused() -> None:
    """What would erase by an unsound map refuses to start."""
    with pytest.raises(InvalidDataMap, match="1 errors"):
        require_sound(DataMap((entry(locator=None),), SUBJECT))


@pytest.mark.parametrize(
    "action", [Delete(), Manual("Ask the archive."), Retain("17(3)(e)", "claims", "2030")]
)
@pytest.mark.parametrize("locator", [KEY, Array("comments[].author_id", int)])
def test_sound_entries_have_no_fault(action: Action, locator: Locator) -> None:
    """What is declared properly raises no finding."""
    assert faults(entry(action=action, locator=locator)) == []


# --- keys ------------------------------------------------------------------------------------------


def test_keys_survive_sealing_and_hide_from_repr() -> None:
    """Keys come back from text as they were, and no message can show them by accident."""
    keys = SubjectKeys(
        kind="streaming.Listener", primary=42, alternates={"id": 42, "email": "ada@example.com"}
    ).with_collected({"orders": [1, 2], "devices": ["5e0be1010000000700000000"]})

    again = SubjectKeys.from_json(keys.to_json())

    assert again == keys
    assert "42" not in repr(keys)
    assert "ada" not in repr(keys)


def test_collected_keys_add_up() -> None:
    """Collecting again after a part was erased never forgets what was collected before."""
    keys = SubjectKeys(kind="x", primary=1).with_collected({"a": [1, 2]}).with_collected({"a": [2, 3]})

    assert keys.collected == {"a": (1, 2, 3)}


# --- what a person may take along ----------------------------------------------------------------


@pytest.mark.parametrize("basis", list(LawfulBasis))
def test_what_the_person_provided_on_consent_or_a_contract_is_portable(basis: LawfulBasis) -> None:
    """Art. 20(1): neither what others said of the person, nor what was computed, nor on another basis."""
    portable = basis in {"consent", "contract"}

    assert entry(basis=basis).is_portable is portable
    assert not entry(basis=basis, provided=False).is_portable
    assert not entry(basis=basis, derived_from=("plays",)).is_portable


def test_what_has_no_basis_is_not_portable() -> None:
    """Nobody has said that it may leave."""
    assert not entry().is_portable


def test_approvals_of_a_map_that_names_no_basis_still_hold() -> None:
    """The digest is the one from before there were any; a basis is another map."""
    assert not {"basis", "provided", "keeps"} & set(document(entry()))
    assert document(entry(basis=LawfulBasis.CONSENT))["basis"] == "consent"
    assert document(entry(provided=False))["provided"] is False
