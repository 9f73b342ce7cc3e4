"""Apply, or undo, the MongoDB revisions alone."""

from __future__ import annotations

from accord.narrowed_command import NarrowedCommand


class Command(NarrowedCommand):
    """`manage.py migrate_mongo`."""

    help = "Applies the MongoDB revisions and what they need; takes the flags of migrate_all."
    backend_package = "mongo_migrations"
