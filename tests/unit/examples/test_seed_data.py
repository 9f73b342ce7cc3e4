"""The sample's data: the same for a seed, and such that every store takes them."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from django.db.models import Model

from examples.streaming.batches import in_batches
from examples.streaming.models import Listener
from examples.streaming.seeding import catalogue
from examples.streaming.seeding.activity import Activity
from examples.streaming.seeding.chance import NOW, OPENED, Chance, object_id
from examples.streaming.seeding.people import Person, people


def values_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def people_as_values(found: list[Person]) -> list[Any]:
    return [
        [values_of(row) for row in (each.listener, *each.subscriptions, *each.consents)] for each in found
    ]


@pytest.fixture(scope="module")
def everybody() -> list[Person]:
    return list(people(Chance(42), range(1, 201)))


def test_same_seed_gives_same_people(everybody: list[Person]) -> None:
    """Two runs with one seed invent the same listeners, subscriptions and consents."""
    again = list(people(Chance(42), range(1, 201)))

    assert people_as_values(again) == people_as_values(everybody)


def test_known_seed_gives_known_person() -> None:
    """The first listener of seed 42 is the same on every machine."""
    first = next(people(Chance(42), [1])).listener

    assert (first.email, first.country, first.joined_at.isoformat()) == (
        "ycarter.1@example.com",
        "GB",
        "2022-07-02T17:35:13+00:00",
    )


def test_another_seed_gives_other_people(everybody: list[Person]) -> None:
    """A seed decides what the people look like."""
    others = list(people(Chance(43), range(1, 201)))

    assert people_as_values(others) != people_as_values(everybody)


def test_person_does_not_depend_on_those_before(everybody: list[Person]) -> None:
    """A listener is the same whether the ones before were made or not, so a larger run only adds."""
    number = random.Random().randrange(1, 201)

    alone = list(people(Chance(42), [number]))

    assert people_as_values(alone) == people_as_values([everybody[number - 1]]), f"listener {number}"


def test_people_fit_the_rules_of_their_tables(everybody: list[Person]) -> None:
    """Unique addresses nobody owns, one current subscription at most, dates in order, keys once."""
    emails = [each.listener.email for each in everybody]
    subscriptions = [row for each in everybody for row in each.subscriptions]
    consents = [row for each in everybody for row in each.consents]

    assert len(set(emails)) == len(emails)
    assert all(email.endswith("@example.com") and email.isascii() for email in emails)
    assert max(Counter(row.listener_id for row in subscriptions if row.ended_on is None).values()) == 1
    assert all(row.ended_on is None or row.started_on <= row.ended_on for row in subscriptions)
    assert len({row.pk for row in subscriptions}) == len(subscriptions)
    assert len({row.pk for row in consents}) == len(consents)
    assert all(OPENED <= each.listener.joined_at < NOW for each in everybody)


def test_people_come_from_many_places(everybody: list[Person]) -> None:
    """Listeners speak all five languages, and some are written in scripts other than Latin."""
    languages = {each.listener.language for each in everybody}

    assert languages == set(catalogue.LANGUAGES)
    assert any(not each.listener.display_name.isascii() for each in everybody)


def test_titles_are_different_tracks_until_the_nouns_are_used_up() -> None:
    """The first 552 tracks have 552 English titles, and English is never missing."""
    count = len(catalogue.NOUNS) * (len(catalogue.NOUNS) - 1)
    english = [title for title in catalogue.titles(Chance(1), count) if title.language == "en"]

    assert len({title.title for title in english}) == count


def test_every_track_has_an_album_and_an_artist() -> None:
    """Keys of albums and artists point at ones that are made, for round and odd numbers of tracks."""
    for count in (1, 7, 8, 9, 400):
        albums = {album.pk for album in catalogue.albums(Chance(1), catalogue.albums_for(count))}
        artists = {artist.pk for artist in catalogue.artists(Chance(1), catalogue.artists_for(count))}
        tracks = list(catalogue.tracks(Chance(1), count))

        assert {track.album_id for track in tracks} == albums
        assert {track.artist_id for track in tracks} == artists


def test_embeddings_lie_nearest_to_their_genre() -> None:
    """Tracks of one genre are more alike than tracks of two."""

    def likeness(one: tuple[int, str], other: tuple[int, str]) -> float:
        first, second = (catalogue.embedding(Chance(7), *each) for each in (one, other))
        return sum(a * b for a, b in zip(first, second, strict=True))

    within = [likeness((n, "jazz"), (n + 1, "jazz")) for n in range(50)]
    across = [likeness((n, "jazz"), (n, "rock")) for n in range(50)]

    assert sum(within) > sum(across)


def test_activity_repeats_and_points_at_tracks_that_exist() -> None:
    """What a listener did is the same each time, and hears nothing that isn't in the catalogue."""
    listener = Listener(id=5, language="ja", joined_at=OPENED)
    plays = list(Activity(Chance(42), listener, 30).plays())
    playlists = list(Activity(Chance(42), listener, 30).playlists())

    assert plays == list(Activity(Chance(42), listener, 30).plays())
    assert all(1 <= play["track_id"] <= 30 for play in plays)
    assert all(set(playlist["track_ids"]) <= set(range(1, 31)) for playlist in playlists)
    assert len({playlist["name"] for playlist in playlists}) == len(playlists)


def test_keys_of_documents_follow_from_what_they_are() -> None:
    """Kind, owner and number make a key; the seed does not, so another seed doubles nothing."""
    assert object_id(1, 2, 3) == object_id(1, 2, 3)
    assert (
        len({object_id(kind, owner, n) for kind in range(5) for owner in range(9) for n in range(9)}) == 405
    )


def test_batches_read_no_further_than_they_must() -> None:
    """A batch is given as soon as it is full, and the rest stays unread."""
    source = iter(range(10))

    first = list(islice(in_batches(source, 4), 1))

    assert first == [[0, 1, 2, 3]]
    assert next(source) == 4
