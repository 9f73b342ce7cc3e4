"""Apply, or undo, the search revisions alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from accord.narrowed_command import NarrowedCommand


class Command(NarrowedCommand):
    """`manage.py migrate_search`."""

    help = "Applies the search revisions and what they need; takes the flags of migrate_all."
    examples: ClassVar[Mapping[str, str]] = {
        "": "apply the revisions of the search engines",
        "--plan": "list them, and touch nothing",
    }
    backend_package = "searchindex"
