"""What is in notes."""

from __future__ import annotations

import mongo_migrations as mongo


class Migration(mongo.Migration):
    cross_dependencies = [("default", "notes", "0001_initial")]
    operations = [mongo.CreateCollection("notes"), mongo.CreateIndex("notes", [("note", 1)], name="note")]
