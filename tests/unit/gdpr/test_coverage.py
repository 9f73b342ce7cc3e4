"""How much is classified, and how the page of the data map puts it."""

from __future__ import annotations

from gdpr.coverage import Coverage, StoreCoverage, coverage_document
from gdpr.datamap.actions import Anonymise, Delete, Detach, Manual, Nothing, Retain
from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.locators import AnyOf, Array, Key, Path, Rows, Sessions, Through
from gdpr.datamap.map import DataMap
from gdpr.datamap.strategies import Null
from gdpr.screens.datamap_context import line_of, percent, sections, ways


def entry(target: str, action: object = None, **more: object) -> Entry:
    return Entry(id=target, store="db", target=target, action=action or Delete(), **more)  # type: ignore[arg-type]  # test data


def finding(fault: Fault, target: str = "") -> MapFinding:
    return MapFinding(fault=fault, message="Something.", store="db", target=target)


def store(*findings: MapFinding, trouble: str = "") -> StoreCoverage:
    entries = (entry("a"), entry("b"), entry("gone"))
    return StoreCoverage(alias="db", entries=entries, findings=findings, trouble=trouble)


def test_what_has_no_entry_is_counted_and_what_is_gone_is_not() -> None:
    """Places are what the store has now: declared ones that are gone don't count as classified."""
    seen = store(finding(Fault.UNCLASSIFIED, "new"), finding(Fault.NO_TARGET, "gone"))

    assert (seen.classified, seen.total) == (2, 3)


def test_store_that_is_away_counts_neither_way() -> None:
    """Nobody knows what a store holds that doesn't answer; the others are counted all the same."""
    coverage = Coverage(data_map=DataMap(entries=()), stores=(store(), store(trouble="Away.")), general=())

    assert (coverage.classified, coverage.total, len(coverage.away)) == (3, 3, 1)


def test_findings_count_as_errors_by_their_level() -> None:
    """A warning is shown and is no error."""
    found = (finding(Fault.UNCLASSIFIED, "new"), finding(Fault.READ_IN_FULL))
    coverage = Coverage(data_map=DataMap(entries=()), stores=(store(*found),), general=())

    assert (len(coverage.findings), coverage.errors) == (2, 1)


def test_only_everything_is_a_hundred_percent() -> None:
    """One of a thousand missing is 99; nothing of nothing is all."""
    assert (percent(999, 1000), percent(1000, 1000), percent(0, 0)) == (99, 100, 100)


def test_document_says_which_stores_answered() -> None:
    """A program that reads the answer sees what is missing in it, and why."""
    coverage = Coverage(data_map=DataMap(entries=()), stores=(store(trouble="Away."),), general=())

    assert coverage_document(coverage)["stores"] == [
        {"store": "db", "answered": False, "trouble": "Away.", "classified": 3, "total": 3}
    ]


def test_entries_are_told_in_words() -> None:
    """What an erasure does and on what; a ground with its date; the reason where nothing is done."""
    actions = (
        Delete(),
        Anonymise({"email": Null()}),
        Detach("owner"),
        Retain(article="17(3)(b)", basis="tax law", until="ten years"),
        Manual("Call them."),
        Nothing("Names of models."),
    )

    told = [(line.action, line.detail) for line in (line_of(entry("a", action)) for action in actions)]

    assert told == [
        ("delete", ""),
        ("anonymise", "email"),
        ("detach", "owner"),
        ("keep", "Art. 17(3)(b): tax law, until ten years"),
        ("by hand", "Call them."),
        ("nothing", "Names of models."),
    ]


def test_locators_are_told_one_way_a_line() -> None:
    """Fields with the type of the key, walks, arrays, rows of other entries, sessions."""
    every = AnyOf((Key("user_id", int), Path("author.id", str), Array("members[]", int, by="email")))

    assert ways(every) == ["user_id (int)", "author.id (str)", "members[] = email (int)"]
    assert ways(Through("order__user_id", int)) == ["order → user_id (int)"]
    assert ways(Rows("orders", "order_id", int)) == ["order_id → orders (int)"]
    assert ways(Sessions("users")) == ["sessions of users"]
    assert ways(None) == []


def test_places_of_nobody_stand_apart() -> None:
    """What holds nothing of anybody is folded away from what does."""
    seen = StoreCoverage(alias="db", entries=(entry("a"), entry("b", Nothing("Words."))), findings=())

    (section,) = sections(Coverage(data_map=DataMap(entries=()), stores=(seen,), general=()))

    assert [line.entry.id for line in section.lines] == ["a"]
    assert [line.entry.id for line in section.empty] == ["b"]
