"""The order in which the stores are filled, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import models, reset_queries, transaction

from accord.erased import tombstones
from examples.streaming import popularity
from examples.streaming.batches import in_batches
from examples.streaming.documents.models import DeviceProfile, ListeningSession
from examples.streaming.models import (
    Album,
    Artist,
    Consent,
    LabelPayment,
    Listener,
    Subscription,
    Track,
    TrackTitle,
    Venue,
)
from examples.streaming.seeding import catalogue, public_playlists, writers
from examples.streaming.seeding.activity import Activity
from examples.streaming.seeding.chance import Chance
from examples.streaming.seeding.people import Person, people
from examples.streaming.stores import collections

ROWS: tuple[type[models.Model], ...] = (
    Listener,
    Subscription,
    Consent,
    Artist,
    Album,
    Track,
    TrackTitle,
    LabelPayment,
    Venue,
)
MODEL_DOCUMENTS: tuple[type[models.Model], ...] = (DeviceProfile, ListeningSession)
COLLECTIONS = ("playlists", "plays", "recommendations")
INDEXES = ("tracks", "venues", "track-embeddings", public_playlists.NAME)

Progress = Callable[[str, int, int], None]
"""Called with what is written, how much of it is done, and how much there is."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """
    How much is wanted.

    Attributes:
        listeners: Listeners; what they do follows from each of them.
        tracks: Tracks; artists, albums and titles follow.
        venues: Venues.
        batch_size: Listeners, or tracks, that are held in memory at once.
    """

    listeners: int
    tracks: int
    venues: int
    batch_size: int


class Seeder:
    """
    Fills the stores of the sample service.

    What is there stays as it is, and every key follows from the number of the item, so a
    second run adds nothing and a larger one adds the rest.

    Args:
        chance: Decides what everything looks like.
        amounts: How much of it.
        progress: Hears how far the work is.
    """

    def __init__(self, chance: Chance, amounts: Amounts, progress: Progress) -> None:
        self._chance = chance
        self._amounts = amounts
        self._progress = progress

    def run(self) -> None:
        """Write everything, the music first, then the people, then what is searched."""
        self._write_catalogue()
        self._write_people()
        writers.move_sequences(ROWS)
        popularity.count(Track.objects.all())
        self._write_indexes()

    def _write_catalogue(self) -> None:
        tracks = self._amounts.tracks
        artists = catalogue.artists_for(tracks)
        parts: Sequence[Iterator[models.Model]] = (
            catalogue.artists(self._chance, artists),
            catalogue.albums(self._chance, catalogue.albums_for(tracks)),
            catalogue.tracks(self._chance, tracks),
            catalogue.titles(self._chance, tracks),
            catalogue.payments(self._chance, artists),
            catalogue.venues(self._chance, self._amounts.venues),
        )
        for done, rows in enumerate(parts, start=1):
            for batch in in_batches(rows, self._amounts.batch_size):
                writers.add_rows(batch)
                reset_queries()
            self._progress("catalogue", done, len(parts))

    def _write_people(self) -> None:
        done = 0
        everybody = people(self._chance, range(1, self._amounts.listeners + 1))
        for batch in in_batches(everybody, self._amounts.batch_size):
            self._write_living(batch)
            # With DEBUG on, Django keeps every statement; memory is to stay flat.
            reset_queries()
            done += len(batch)
            self._progress("listeners", done, self._amounts.listeners)

    def _write_living(self, batch: Sequence[Person]) -> None:
        """Write people and what they do; whoever was erased is not brought back by a second seed."""
        with tombstones.sparing(Listener._meta.label_lower) as erased:
            gone = erased(each.listener.pk for each in batch)
            living = [each for each in batch if each.listener.pk not in gone]
            self._write_rows(living)
            self._write_activity(
                [Activity(self._chance, each.listener, self._amounts.tracks) for each in living]
            )

    @staticmethod
    def _write_rows(batch: Sequence[Person]) -> None:
        with transaction.atomic():
            writers.add_rows(each.listener for each in batch)
            writers.add_rows(chain.from_iterable(each.subscriptions for each in batch))
            writers.add_rows(chain.from_iterable(each.consents for each in batch))

    @staticmethod
    def _write_activity(batch: Sequence[Activity]) -> None:
        writers.add_model_documents(chain.from_iterable(each.devices() for each in batch))
        writers.add_model_documents(chain.from_iterable(each.sessions() for each in batch))
        writers.add_documents("playlists", chain.from_iterable(each.playlists() for each in batch))
        writers.add_documents("plays", chain.from_iterable(each.plays() for each in batch))
        writers.add_documents("recommendations", (each.recommendation() for each in batch))

    def _write_indexes(self) -> None:
        tracks = Track.objects.filter(pk__lte=self._amounts.tracks).order_by("pk")
        done = 0
        for batch in in_batches(
            tracks.select_related("artist").prefetch_related("titles").iterator(self._amounts.batch_size),
            self._amounts.batch_size,
        ):
            writers.index_documents("tracks", ((track.pk, _track_document(track)) for track in batch))
            writers.index_documents(
                "track-embeddings", ((track.pk, self._embedding(track)) for track in batch)
            )
            reset_queries()
            done += len(batch)
            self._progress("search index", done, self._amounts.tracks)
        venues = Venue.objects.filter(pk__lte=self._amounts.venues).order_by("pk")
        for places in in_batches(venues.iterator(), self._amounts.batch_size):
            writers.index_documents("venues", ((venue.pk, _venue_document(venue)) for venue in places))
        public_playlists.index(self._amounts.batch_size)

    def _embedding(self, track: Track) -> Mapping[str, Any]:
        vector = catalogue.embedding(self._chance, track.pk, track.genre)
        return {"track_id": track.pk, "genre": track.genre, "embedding": vector}


def totals() -> dict[str, int]:
    """Count what the stores hold, by table, collection or index."""
    counts = {
        f"{alias}:{model._meta.db_table}": model._base_manager.count()
        for alias, kinds in (("default", ROWS), ("documents", MODEL_DOCUMENTS))
        for model in kinds
    }
    counts |= {f"mongodb:{name}": collections()[name].count_documents({}) for name in COLLECTIONS}
    return counts | {f"search:{name}": writers.count_documents(name) for name in INDEXES}


def _track_document(track: Track) -> Mapping[str, Any]:
    return {
        "isrc": track.isrc,
        "title": {title.language: title.title for title in track.titles.all()},
        "artist": track.artist.name,
        "genre": track.genre,
        "duration": track.duration,
        "released_on": track.released_on.isoformat(),
        "popularity": track.popularity,
    }


def _venue_document(venue: Venue) -> Mapping[str, Any]:
    return {
        "name": venue.name,
        "city": venue.city,
        "country": venue.country,
        "location": {"lat": venue.latitude, "lon": venue.longitude},
        "capacity": venue.capacity,
    }
