"""The service's own playlists, one for each language; their owner is nobody: 0."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import mongo_migrations as mongo

if TYPE_CHECKING:
    from pymongo.client_session import ClientSession
    from pymongo.database import Database

NOBODY = 0
NAMES = ("Fresh this week", "Tout nouveau", "Neu dabei", "جديد هذا الأسبوع", "今週の新曲")
OPENED = datetime(2020, 1, 1, tzinfo=UTC)


def add(db: Database[dict[str, Any]], session: ClientSession | None) -> None:
    """Add them, empty; editors fill them."""
    playlists = [{"owner_id": NOBODY, "name": name, "track_ids": [], "created_at": OPENED} for name in NAMES]
    db["playlists"].insert_many(playlists, session=session)


def remove(db: Database[dict[str, Any]], session: ClientSession | None) -> None:
    """Remove those that were added, and none that editors made since."""
    db["playlists"].delete_many({"owner_id": NOBODY, "name": {"$in": list(NAMES)}}, session=session)


class Migration(mongo.Migration):
    dependencies = [("streaming", "0003_plays")]
    operations = [mongo.RunPython(add, remove)]
