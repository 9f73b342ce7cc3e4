"""Apply, or undo, the search revisions alone."""

from __future__ import annotations

from accord.narrowed_command import NarrowedCommand


class Command(NarrowedCommand):
    """`manage.py migrate_search`."""

    help = "Applies the search revisions and what they need; takes the flags of migrate_all."
    backend_package = "searchindex"
