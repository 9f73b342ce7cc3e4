"""Which values may be shown: those that the data map has a place for, and doesn't call personal."""

from __future__ import annotations

import pytest

from accord import personal
from gdpr.datamap.actions import Anonymise, Delete, Nothing
from gdpr.datamap.entries import Entry
from gdpr.datamap.locators import Array, Key, Through
from gdpr.datamap.map import DataMap
from gdpr.datamap.openness import is_open
from gdpr.datamap.strategies import Constant
from gdpr.errors import InvalidDataMap

ENTRIES = (
    Entry(
        id="listeners",
        store="default",
        target="streaming.Listener",
        locator=Key("id", int),
        action=Anonymise({"email": Constant("x"), "country": Constant("ZZ")}),
        fields=("email", "display_name"),
    ),
    Entry(
        id="subscriptions",
        store="default",
        target="streaming.Subscription",
        locator=Through("listener__id", int),
        action=Delete(),
        fields=("price",),
    ),
    Entry(
        id="unsaid",
        store="default",
        target="streaming.Consent",
        locator=Key("listener_id", int),
        action=Delete(),
    ),
    Entry(id="tracks", store="default", target="streaming.Track", action=Nothing("Music only.")),
    Entry(id="ledger", store="reporting", target="table:earning", action=Nothing("Sums.")),
    Entry(
        id="lists",
        store="mongodb",
        target="playlists",
        locator=Array("guests[].id", int),
        action=Delete(),
        fields=("owner.name",),
    ),
)


@pytest.fixture
def data_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a data map of these entries."""
    monkeypatch.setattr("gdpr.datamap.openness.load_data_map", lambda: DataMap(ENTRIES))


@pytest.mark.usefixtures("data_map")
@pytest.mark.parametrize(
    ("store", "holder", "names", "shown"),
    [
        ("default", "streaming_listener", ["language"], True),
        ("default", "streaming_listener", ["email"], False),
        ("default", "streaming_listener", ["language", "email"], False),
        ("default", "streaming_listener", ["country"], False),
        ("default", "streaming_listener", ["id"], False),
        ("default", "streaming_listener", [], False),
        ("default", "streaming_listener", ["streaming_listener"], False),
        ("default", "streaming_subscription", ["plan"], True),
        ("default", "streaming_subscription", ["listener_id"], False),
        ("default", "streaming_consent", ["purpose"], False),
        ("default", "streaming_track", ["isrc", "id"], True),
        ("default", "streaming_artist", ["name"], False),
        ("replica", "streaming_track", ["title"], False),
        ("reporting", "earning", ["amount"], True),
        ("mongodb", "playlists", ["title"], True),
        ("mongodb", "playlists", ["owner"], False),
        ("mongodb", "playlists", ["owner.name.first"], False),
        ("mongodb", "playlists", ["owner.names"], True),
        ("mongodb", "playlists", ["guests.id"], False),
    ],
)
def test_value_is_shown_where_the_data_map_says_so(
    store: str, holder: str, names: list[str], shown: bool
) -> None:
    """Not what it calls personal, what finds a person, what it has no place for, or what is no column."""
    assert is_open(store, holder, names) is shown


def test_data_map_that_cannot_be_read_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not knowing is never taken for open."""

    def broken() -> DataMap:
        raise InvalidDataMap("no")

    monkeypatch.setattr("gdpr.datamap.openness.load_data_map", broken)

    assert not is_open("default", "streaming_track", ["isrc"])


@pytest.mark.usefixtures("data_map")
def test_nobody_knows_without_the_app_of_personal_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel asks whoever registered; where nobody did, every value may be a person's."""
    assert personal.is_open("default", "streaming_track", ["isrc"])
    monkeypatch.setattr(personal, "_answers", [])
    assert not personal.is_open("default", "streaming_track", ["isrc"])
