"""Chance that repeats: every item has dice of its own, so that it never depends on the items before it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bson import ObjectId
    from faker import Faker

NOW = datetime(2026, 11, 1, tzinfo=UTC)
"""What the data take for today: the clock of a machine would make them differ."""
OPENED = datetime(2020, 1, 1, tzinfo=UTC)
"""When the service opened."""


@dataclass(frozen=True)
class Place:
    """
    Where a listener may come from.

    Attributes:
        locale: Faker's name of the place, for people's names.
        country: ISO 3166-1 alpha-2.
        language: Language that the service speaks there.
        currency: ISO 4217.
    """

    locale: str
    country: str
    language: str
    currency: str


PLACES = (
    Place("en_GB", "GB", "en", "GBP"),
    Place("en_US", "US", "en", "USD"),
    Place("fr_FR", "FR", "fr", "EUR"),
    Place("fr_BE", "BE", "fr", "EUR"),
    Place("de_DE", "DE", "de", "EUR"),
    Place("de_AT", "AT", "de", "EUR"),
    Place("ar_EG", "EG", "ar", "EGP"),
    Place("ar_SA", "SA", "ar", "SAR"),
    Place("ja_JP", "JP", "ja", "JPY"),
)


@dataclass(frozen=True)
class Chance:
    """
    The dice of one seed.

    Attributes:
        seed: The number that decides everything.
    """

    seed: int

    def dice(self, kind: str, number: int) -> Random:
        """Give the dice of one item: `Random` takes a text in the same way on every machine."""
        return Random(f"{self.seed}:{kind}:{number}")

    def faker(self, place: Place, dice: Random) -> Faker:
        """Give a source of names of a place, set to a value of the dice."""
        faker = self._fakers[place.locale]
        faker.seed_instance(dice.getrandbits(32))
        return faker

    @cached_property
    def _fakers(self) -> dict[str, Faker]:
        from faker import Faker

        return {place.locale: Faker(place.locale) for place in PLACES}


def moment(dice: Random, since: datetime, until: datetime = NOW) -> datetime:
    """Give a moment between two others, to the second."""
    seconds = int((until - since).total_seconds())
    return since + timedelta(seconds=dice.randrange(max(seconds, 1)))


def object_id(kind: int, owner: int, number: int = 0) -> ObjectId:
    """
    Make the key of a document out of what it is: a second run finds it again.

    Args:
        kind: What it is, a small number.
        owner: Whose it is.
        number: Which of the owner's.
    """
    from bson import ObjectId

    # The first four bytes of a key are read as a time in seconds, so let it be a sensible one.
    return ObjectId(struct.pack(">III", int(OPENED.timestamp()) + kind, owner, number))
