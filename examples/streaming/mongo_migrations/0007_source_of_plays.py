"""Every play says where it came from: a playlist, or the listener's own choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import mongo_migrations as mongo

if TYPE_CHECKING:
    from pymongo import UpdateOne
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

WITHOUT = {"source": {"$exists": False}}
FILLED = {"source_guessed": True}


def fill(
    plays: list[dict[str, Any]], db: Database[dict[str, Any]], session: ClientSession | None
) -> Sequence[UpdateOne]:
    """Guess the source of plays without one; the guard leaves alone what the service wrote meanwhile."""
    from pymongo import UpdateOne

    return [
        UpdateOne({"_id": play["_id"], **WITHOUT}, {"$set": {"source": guess(play), **FILLED}})
        for play in plays
    ]


def empty(
    plays: list[dict[str, Any]], db: Database[dict[str, Any]], session: ClientSession | None
) -> Sequence[UpdateOne]:
    """Take back the guesses, and nothing that the service knew by itself."""
    from pymongo import UpdateOne

    return [
        UpdateOne({"_id": play["_id"], **FILLED}, {"$unset": {"source": "", "source_guessed": ""}})
        for play in plays
    ]


def guess(play: dict[str, Any]) -> str:
    """Name the source; a play within a playlist carries the playlist's key."""
    return "playlist" if play.get("playlist_id") is not None else "choice"


class Migration(mongo.Migration):
    phase = "backfill"
    dependencies = [("streaming", "0006_public_playlists")]
    operations = [
        mongo.RunBatches(
            "plays",
            fill,
            empty,
            where=WITHOUT,
            backward_where=FILLED,
            batch_size=1_000,
            # Nothing more is worked out about whoever is being erased.
            subject=("streaming.listener", "listener_id"),
        )
    ]
