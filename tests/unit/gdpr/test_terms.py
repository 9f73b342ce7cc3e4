"""Terms: counted on the calendar, never ended early, and the same whichever way they are asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils.translation import override

from gdpr.datamap.actions import Anonymise, Delete, Manual, Pull, Retain, Unset, term
from gdpr.datamap.entries import Entry, document
from gdpr.datamap.inactive import Inactive, unfounded
from gdpr.datamap.kinds import Subject
from gdpr.datamap.lapses import endless, lapses
from gdpr.datamap.locators import AnyOf, Array, Key, Locator, Path, Rows, Through
from gdpr.datamap.map import DataMap
from gdpr.datamap.strategies import Null
from gdpr.datamap.term_words import in_words
from gdpr.datamap.terms import NOT_KNOWN, After, Span, day_of, day_of_moment
from gdpr.errors import InvalidDataMap
from gdpr.templatetags import gdpr_words
from tests.chance import chance

TAX = After("ended_on", years=10, end_of_year=True)


@pytest.mark.parametrize(
    ("counted", "day", "last"),
    [
        (After("at", days=30), date(2026, 1, 1), date(2026, 1, 31)),
        (After("at", months=1), date(2026, 1, 31), date(2026, 2, 28)),
        (After("at", months=13), date(2026, 12, 31), date(2028, 1, 31)),
        (After("at", years=1), date(2024, 2, 29), date(2025, 2, 28)),
        (TAX, date(2026, 1, 1), date(2036, 12, 31)),
        (TAX, date(2026, 12, 31), date(2036, 12, 31)),
        (After("at", years=9000), date(2026, 1, 1), date.max),
    ],
)
def test_last_day_is_counted_on_the_calendar(counted: After, day: date, last: date) -> None:
    """A short month ends with its last day, a year of tax law with its own."""
    assert counted.last_day(day) == last


def test_what_has_run_out_is_what_lies_before_the_first_that_is_kept() -> None:
    """The day by which stores are asked divides rows exactly as their last days do, whatever the term."""
    dice = chance("terms")
    for _ in range(300):
        counted = After(
            "at",
            years=dice.randrange(12),
            months=dice.randrange(20),
            days=dice.randrange(1, 60),
            end_of_year=dice.random() < 0.5,
        )
        today = date(2026, 1, 1) + timedelta(days=dice.randrange(1500))
        edge = counted.first_kept(today)

        assert counted.last_day(edge) >= today > counted.last_day(edge - timedelta(days=1)), (counted, today)


@pytest.mark.parametrize("lengths", [{}, {"years": -1}, {"days": 0}, {"years": 1, "days": -1}])
def test_a_term_without_length_is_refused(lengths: dict[str, Any]) -> None:
    """What would end everything at once, or before it began, can't be declared."""
    with pytest.raises(InvalidDataMap, match="no length"):
        After("at", **lengths)
    with pytest.raises(InvalidDataMap, match="no length"):
        Span(**lengths)


def test_a_term_needs_a_field() -> None:
    """A term that counts from nothing is refused where it is declared."""
    with pytest.raises(InvalidDataMap, match="counts from no field"):
        After(" ", years=1)


@pytest.mark.parametrize(
    ("zone", "stored", "day"),
    [
        ("Europe/Paris", datetime(2026, 3, 31, 23, 30, tzinfo=UTC), date(2026, 4, 1)),
        ("America/New_York", datetime(2026, 4, 1, tzinfo=UTC), date(2026, 4, 1)),
        ("America/New_York", datetime(2026, 4, 1, tzinfo=UTC).replace(tzinfo=None), date(2026, 4, 1)),
    ],
)
def test_a_day_kept_as_a_moment_never_comes_early(zone: str, stored: datetime, day: date) -> None:
    """West of Greenwich the beginning of a day in UTC is the evening before; the later day counts."""
    with override_settings(TIME_ZONE=zone):
        assert day_of_moment(stored) == day


def test_a_moment_of_a_table_is_of_the_projects_day() -> None:
    """A column with a zone says a moment, and a day is a day."""
    with override_settings(TIME_ZONE="America/New_York"):
        assert day_of(datetime(2026, 4, 1, 2, tzinfo=UTC)) == date(2026, 3, 31)
        assert day_of(date(2026, 4, 1)) == date(2026, 4, 1)


def kept(until: Any) -> Entry:
    return Entry(
        id="one",
        store="default",
        target="streaming.Subscription",
        locator=Key("listener_id", int),
        action=Retain("17(3)(b)", "tax law", until),
    )


def test_a_map_knows_its_terms() -> None:
    """Each part of a term is in the digest; dates and words stay as they were; no other action has one."""
    digests = {
        DataMap((kept(one),)).digest
        for one in (
            TAX,
            replace(TAX, end_of_year=False),
            replace(TAX, field="started_on"),
            date(2036, 1, 1),
            "",
        )
    }

    assert len(digests) == 5
    assert kept(TAX).dates == ("ended_on",)
    assert kept("ten years").dates == kept(date(2036, 1, 1)).dates == ()
    assert term(Delete()) is None
    assert document(kept(date(2036, 1, 1)))["action"]["until"] == "2036-01-01"


PLAY = Entry(
    id="plays", store="mongodb", target="plays", locator=Key("owner", int), action=Delete(), retention=TAX
)
LAST_YEAR = date(2027, 1, 1)


def ends(entry: Entry, day: date = LAST_YEAR) -> list[tuple[str, str, date | None, str]]:
    found = lapses(DataMap((entry,), Subject(model="x.Person", lookups=("email",))), day)
    return [(str(one.kind), one.field, one.before, one.owner) for one in found]


def test_what_runs_out_is_what_has_a_term() -> None:
    """Rows of everybody, and what is kept of erased people; words and days to come end nothing."""
    both = replace(kept(TAX), retention=After("started_on", days=1))
    assert ends(PLAY) == [("rows", "ended_on", date(2017, 1, 1), "owner")]
    assert ends(kept(TAX)) == [("kept", "ended_on", date(2017, 1, 1), "listener_id")]
    assert [one[0] for one in ends(both)] == ["rows", "kept"]
    assert ends(kept(date(2026, 12, 31))) == [("kept", "", None, "listener_id")]
    assert ends(kept(date(2027, 1, 1))) == ends(kept("2001-01-01")) == ends(replace(PLAY, retention="")) == []


@pytest.mark.parametrize(
    ("locator", "owner"),
    [
        (Key("owner", int, by="id"), "owner"),
        (Path("author.id", int), "author.id"),
        (Through("order__owner_id", int), "order__owner_id"),
        (Key("mail", str, by="email"), ""),
        (Rows("orders", "order_id", int), ""),
        (AnyOf((Key("owner", int),)), ""),
    ],
)
def test_only_the_primary_key_says_whose_a_row_is(locator: Locator, owner: str) -> None:
    """An address may be somebody else's by now: what is kept of erased people isn't ended by it."""
    [lapse] = lapses(DataMap((replace(kept(TAX), locator=locator),), Subject(model="x.Person")), LAST_YEAR)

    assert (lapse.owner, lapse.is_told) == (owner, bool(owner))


@pytest.mark.parametrize(
    ("accounts", "logged", "owner"),
    [
        (Key("id", int), Rows("accounts", "user_id", int), "user__id"),
        (Key("id", int), Rows("accounts", "user", int), "user__id"),
        (Key("username", str, by="email"), Rows("accounts", "user_id", int), ""),
        (Key("id", int), Rows("accounts", "object_id", str), ""),
        (Rows("logged", "id", int), Rows("accounts", "user_id", int), ""),
    ],
)
def test_foreign_key_to_rows_of_another_entry_says_whose_a_row_is(
    accounts: Locator, logged: Locator, owner: str
) -> None:
    """As far as those rows say it by the primary key; a text, an address and a circle say nothing."""
    rows = Entry(id="accounts", store="default", target="auth.User", locator=accounts, action=Delete())
    log = replace(kept(TAX), id="logged", store="default", target="admin.LogEntry", locator=logged)

    found = lapses(DataMap((rows, log), Subject(model="auth.User", lookups=("email",))), LAST_YEAR)

    assert [(one.owner, one.is_told) for one in found] == [(owner, bool(owner))]


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        (PLAY, False),
        (replace(PLAY, action=Anonymise({"a": Null()})), False),
        (replace(PLAY, locator=Array("members[]", int)), False),
        (replace(PLAY, action=Pull(), locator=Array("members[]", int)), True),
        (replace(PLAY, action=Unset(("members[].a",)), locator=Array("members[].id", int)), True),
        (replace(PLAY, action=Manual("Ask.")), True),
        (replace(PLAY, target="x.Person"), True),
        (replace(PLAY, target="x.Person", retention="ten years"), False),
    ],
)
def test_terms_of_what_cant_go_row_by_row_are_refused(entry: Entry, wrong: bool) -> None:
    """Elements of shared documents, work by hand, and people's own rows are no matter of a term."""
    assert bool(list(endless(entry, "x.person"))) is wrong


def test_terms_are_said_in_words() -> None:
    """A person reads what is counted, and the admin says it as well."""
    assert str(TAX) == in_words(TAX) == "10 years after the end of the year of ended_on"
    assert str(After("at", years=1, days=2)) == "1 year and 2 days after at"
    assert in_words("ten years") == "ten years"


ACCOUNTS = replace(PLAY, id="accounts", target="auth.User", locator=Key("username", str, by="email"))
UNUSED = Inactive(
    entry="accounts", last_seen="last_login", since="date_joined", after=Span(years=2), warn=Span(days=30)
)


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        (UNUSED, 0),
        (replace(UNUSED, entry="gone"), 1),
        (replace(UNUSED, last_seen="email"), 1),
        (replace(UNUSED, last_seen="gone", since="is_staff", address="phone"), 3),
    ],
)
def test_rule_about_inactive_people_counts_on_what_is_there(rule: Inactive, faults: int) -> None:
    """Entry, fields with moments and the key that mail goes to have to be there."""
    assert len(list(unfounded(rule, "x.Person", ("id", "email"), {"accounts": ACCOUNTS}))) == faults


def test_rule_about_inactive_people_is_in_the_digest() -> None:
    """Maps without one keep theirs."""
    person = Subject(model="x.Person")
    known = [DataMap((), replace(person, inactive=one)).digest for one in (None, UNUSED)]

    assert known[0] == DataMap((), person).digest != known[1]


@pytest.mark.parametrize(
    "term",
    [
        TAX,
        After("played_at", days=1),
        After("ended", years=1, months=2, days=3),
        After("a.b", months=1, end_of_year=True),
    ],
)
def test_term_is_read_as_it_is_written(term: After) -> None:
    """A plan has the words; other words are no term."""
    assert After.read(str(term)) == term
    assert After.read(f"{term}{NOT_KNOWN}") is None
    assert After.read(f"about {term}") is None


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "10 years after the end of the year of ended_on (not known yet)"),
        ("fr", "10 ans après la fin de l'année de ended_on (pas encore connu)"),
        ("de", "10 Jahre nach dem Ende des Jahres von ended_on (noch nicht bekannt)"),
    ],
)
def test_page_says_a_term_of_a_plan_in_its_readers_language(language: str, said: str) -> None:
    """A day, and what a project wrote itself, stay."""
    with override(language):
        assert gdpr_words.term(f"{TAX}{NOT_KNOWN}") == said
        assert [gdpr_words.term(one) for one in ("2036-12-31", "as the law says")] == [
            "2036-12-31",
            "as the law says",
        ]
