"""What people do: devices, sessions, playlists, plays, and what is recommended to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from examples.streaming.documents.models import DeviceProfile, ListeningSession
from examples.streaming.models import Listener
from examples.streaming.seeding.chance import Chance, moment, object_id

Document = dict[str, Any]

# Collections forget a recommendation when its time is over; those of the sample must outlive it.
EXPIRES = datetime(2099, 12, 31, tzinfo=UTC)
DEVICE, SESSION, PLAYLIST, PLAY, RECOMMENDATION = range(5)
MODELS = {
    "phone": ("Lumo 5", "Kite X", "Sakura Mini"),
    "desktop": ("Desk 27", "Book Air"),
    "speaker": ("Roomy", "Shelf Two"),
    "car": ("Dashboard",),
}
PLAYLIST_NAMES = {
    "en": ("Morning run", "Slow Sunday", "Focus", "Party"),
    "fr": ("Course du matin", "Dimanche calme", "Concentration", "Fête"),
    "de": ("Morgenlauf", "Ruhiger Sonntag", "Konzentration", "Feier"),
    "ar": ("ركض الصباح", "أحد هادئ", "تركيز", "حفلة"),
    "ja": ("朝のラン", "静かな日曜日", "集中", "パーティー"),
}


class Activity:
    """
    What one listener did.

    Args:
        chance: The dice.
        listener: Who.
        tracks: Number of tracks that there are.
    """

    def __init__(self, chance: Chance, listener: Listener, tracks: int) -> None:
        self._chance = chance
        self._listener = listener
        self._tracks = tracks

    def devices(self) -> Iterator[DeviceProfile]:
        """Give one or two devices."""
        dice = self._dice("devices")
        for number in range(dice.randint(1, 2)):
            kind = dice.choice(tuple(MODELS))
            yield DeviceProfile(
                pk=object_id(DEVICE, self._listener.pk, number),
                listener_id=self._listener.pk,
                kind=kind,
                model_name=dice.choice(MODELS[kind]),
                settings={"volume": dice.randint(10, 100), "quality": dice.choice(("high", "normal"))},
                last_seen=self._moment(dice),
            )

    def sessions(self) -> Iterator[ListeningSession]:
        """Give up to three sessions, all on the first device."""
        dice = self._dice("sessions")
        for number in range(dice.randint(0, 3)):
            yield ListeningSession(
                pk=object_id(SESSION, self._listener.pk, number),
                listener_id=self._listener.pk,
                device_id=object_id(DEVICE, self._listener.pk),
                started_at=self._moment(dice),
                seconds=dice.randint(60, 7200),
                offline=dice.random() < 0.1,
            )

    def playlists(self) -> Iterator[Document]:
        """Give one to three playlists."""
        dice = self._dice("playlists")
        names = dice.sample(PLAYLIST_NAMES[self._listener.language], dice.randint(1, 3))
        for number, name in enumerate(names):
            yield {
                "_id": object_id(PLAYLIST, self._listener.pk, number),
                "owner_id": self._listener.pk,
                "name": name,
                "track_ids": self._some_tracks(dice, dice.randint(3, 25)),
                "created_at": self._moment(dice),
                "public": dice.random() < 0.3,
            }

    def plays(self) -> Iterator[Document]:
        """Give up to twenty plays."""
        dice = self._dice("plays")
        for number in range(dice.randint(0, 20)):
            source = dice.choice(("playlist", "choice", "recommendation", "radio"))
            playlist = {"playlist_id": object_id(PLAYLIST, self._listener.pk)} if source == "playlist" else {}
            yield {
                "_id": object_id(PLAY, self._listener.pk, number),
                "listener_id": self._listener.pk,
                "track_id": self._track(dice),
                "played_at": self._moment(dice),
                "seconds": dice.randint(5, 300),
                "source": source,
                **playlist,
            }

    def recommendation(self) -> Document:
        """Give the tracks that are recommended now."""
        dice = self._dice("recommendation")
        return {
            "_id": object_id(RECOMMENDATION, self._listener.pk),
            "listener_id": self._listener.pk,
            "track_ids": self._some_tracks(dice, 10),
            "expires_at": EXPIRES,
        }

    def _dice(self, kind: str) -> Random:
        return self._chance.dice(kind, self._listener.pk)

    def _moment(self, dice: Random) -> datetime:
        return moment(dice, self._listener.joined_at)

    def _track(self, dice: Random) -> int:
        """Choose a track; the first ones are the hits."""
        return 1 + int(self._tracks * dice.random() ** 3)

    def _some_tracks(self, dice: Random, count: int) -> list[int]:
        return list(dict.fromkeys(self._track(dice) for _ in range(count)))
