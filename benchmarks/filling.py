"""The million rows, documents and indexed documents that people are erased from; see `gdpr.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

PEOPLE = 10_000
FIRST = 1_001
_PLAY = {"track_id": 1, "played_at": datetime(2026, 1, 1, tzinfo=UTC), "seconds": 180, "source": "choice"}


def fill(each: int) -> None:
    """Give everybody rows, documents and indexed documents of their own."""
    from examples.streaming.models import Listener

    people = range(FIRST, FIRST + PEOPLE)
    Listener.objects.bulk_create(
        [
            Listener(
                id=key,
                email=f"bench{key}@example.com",
                display_name=f"Bench {key}",
                country="DE",
                language="de",
            )
            for key in people
        ],
        batch_size=2_000,
    )
    fill_rows(each)
    fill_documents(people, each)
    fill_index(people, each)


def fill_rows(each: int) -> None:
    """Write consents, and let the server look at them once."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO streaming_consent (listener_id, purpose, given, at) "
            "SELECT %s + one, 'newsletter', true, now() "
            "FROM generate_series(0, %s) AS one, generate_series(1, %s)",
            [FIRST, PEOPLE - 1, each],
        )
        cursor.execute("ANALYZE")


def fill_documents(people: Sequence[int], each: int) -> None:
    """Write plays."""
    from examples.streaming.stores import collections

    plays = collections()["plays"]
    for keys in chunks(people, 10_000 // each or 1):
        plays.insert_many([{**_PLAY, "listener_id": key} for key in keys for _ in range(each)], ordered=False)


def fill_index(people: Sequence[int], each: int) -> None:
    """Write public playlists."""
    from examples.streaming.seeding.writers import count_documents, index_documents

    for keys in chunks(people, 5_000 // each or 1):
        documents = [
            (
                f"{key}-{number}",
                {"owner_id": str(key), "owner_name": "Bench", "title": "Songs", "track_ids": [1]},
            )
            for key in keys
            for number in range(each)
        ]
        index_documents("public-playlists", documents)
    count_documents("public-playlists")


def chunks(people: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Cut a range into parts."""
    return (people[start : start + size] for start in range(0, len(people), size))
