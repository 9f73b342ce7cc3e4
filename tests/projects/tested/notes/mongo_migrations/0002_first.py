"""The note that everybody has, once notes can be searched."""

from __future__ import annotations

from typing import Any

import mongo_migrations as mongo


def write(db: Any, session: Any) -> None:
    """Write it."""
    db["notes"].insert_one({"note": 0, "text": "welcome"}, session=session)


class Migration(mongo.Migration):
    dependencies = [("notes", "0001_notes")]
    cross_dependencies = [("search", "notes", "0001_notes")]
    operations = [mongo.RunPython(write, mongo.RunPython.noop)]
