"""The people: listeners, what they pay for, what they agreed to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random

from examples.streaming.models import Consent, Listener, Subscription
from examples.streaming.seeding.chance import NOW, OPENED, PLACES, Chance, Place, moment

PRICES = {"solo": "10.99", "duo": "14.99", "family": "17.99", "student": "5.99"}


@dataclass(frozen=True)
class Person:
    """
    A listener with everything that PostgreSQL keeps of them.

    Attributes:
        listener: The row.
        subscriptions: Rows.
        consents: Rows.
    """

    listener: Listener
    subscriptions: tuple[Subscription, ...]
    consents: tuple[Consent, ...]


def people(chance: Chance, numbers: Iterable[int]) -> Iterator[Person]:
    """Give the listeners of these numbers."""
    for number in numbers:
        dice = chance.dice("listener", number)
        place = dice.choice(PLACES)
        listener = _listener(chance, number, place, dice)
        yield Person(
            listener=listener,
            subscriptions=tuple(_subscriptions(listener, place, dice)),
            consents=tuple(_consents(listener, dice)),
        )


def _listener(chance: Chance, number: int, place: Place, dice: Random) -> Listener:
    faker = chance.faker(place, dice)
    return Listener(
        id=number,
        # A domain that nobody can own: no sample person ever gets mail.
        email=f"{faker.user_name()}.{number}@example.com",
        display_name=faker.name(),
        country=place.country,
        language=place.language,
        birth_year=dice.randint(1945, 2010) if dice.random() < 0.8 else None,
        joined_at=moment(dice, OPENED),
    )


def _subscriptions(listener: Listener, place: Place, dice: Random) -> Iterator[Subscription]:
    """Give an ended subscription for some and a current one for most."""
    started = listener.joined_at.date()
    for place_in_line, share in enumerate((0.25, 0.7)):
        if dice.random() >= share:
            continue
        plan = dice.choice(tuple(PRICES))
        ended = place_in_line == 0
        end = min(started + timedelta(days=dice.randint(30, 400)), NOW.date()) if ended else None
        yield Subscription(
            id=listener.pk * 10 + place_in_line,
            listener_id=listener.pk,
            plan=plan,
            price=Decimal(PRICES[plan]),
            currency=place.currency,
            period="year" if dice.random() < 0.2 else "month",
            started_on=started,
            ended_on=end,
        )
        started = end or started


def _consents(listener: Listener, dice: Random) -> Iterator[Consent]:
    """Give one line for each purpose, and a second one for some that changed their mind."""
    for place, purpose in enumerate(Consent.Purpose.values):
        given = dice.random() < 0.7
        at = listener.joined_at
        yield Consent(
            id=listener.pk * 10 + place, listener_id=listener.pk, purpose=purpose, given=given, at=at
        )
        if dice.random() < 0.1:
            yield Consent(
                id=listener.pk * 10 + 5 + place,
                listener_id=listener.pk,
                purpose=purpose,
                given=not given,
                at=moment(dice, at),
            )
