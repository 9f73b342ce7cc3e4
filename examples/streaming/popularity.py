"""How often tracks are played: MongoDB counts, PostgreSQL keeps the number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Case, QuerySet, Value, When

from examples.streaming.batches import in_batches
from examples.streaming.stores import collections

BATCH = 500


def count(tracks: QuerySet[Any]) -> int:
    """
    Write down how often each track was played.

    The numbers are set, not added: doing it again gives the same.

    Args:
        tracks: All tracks; of a migration, those of its own moment.

    Returns:
        How many tracks were played at all.
    """
    return sum(_write(tracks, batch) for batch in in_batches(_plays_by_track(), BATCH))


def _write(tracks: QuerySet[Any], batch: list[Mapping[str, Any]]) -> int:
    numbers = {found["_id"]: found["plays"] for found in batch}
    number = Case(*(When(pk=pk, then=Value(plays)) for pk, plays in numbers.items()))
    return tracks.filter(pk__in=numbers).update(popularity=number)


def _plays_by_track() -> Iterator[Mapping[str, Any]]:
    group = {"$group": {"_id": "$track_id", "plays": {"$sum": 1}}}
    yield from collections()["plays"].aggregate([group, {"$sort": {"_id": 1}}])
