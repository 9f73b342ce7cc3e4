"""The service's own playlists, one for each language; their owner is nobody: 0."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import mongo_migrations as mongo

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

NOBODY = 0
OPENED = datetime(2020, 1, 1, tzinfo=UTC)
NAMES = {
    "editorial-en": "Fresh this week",
    "editorial-fr": "Tout nouveau",
    "editorial-de": "Neu dabei",
    "editorial-ar": "جديد هذا الأسبوع",
    "editorial-ja": "今週の新曲",
}


def add(db: Database[dict[str, Any]], session: ClientSession | None) -> None:
    """Add them, empty; editors fill them."""
    playlists = [
        {"_id": key, "owner_id": NOBODY, "name": name, "track_ids": [], "created_at": OPENED}
        for key, name in NAMES.items()
    ]
    db["playlists"].insert_many(playlists, session=session)


def remove(db: Database[dict[str, Any]], session: ClientSession | None) -> None:
    """Remove those that were added, and none that editors made since."""
    db["playlists"].delete_many({"_id": {"$in": list(NAMES)}}, session=session)


class Migration(mongo.Migration):
    dependencies = [("streaming", "0003_plays")]
    operations = [mongo.RunPython(add, remove)]
