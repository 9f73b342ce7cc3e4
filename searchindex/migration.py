"""The class that a search revision derives from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from accord.errors import InvalidRevision
from accord.revisions.loader import Revision, RevisionFile, RevisionKind
from searchindex.operations.base import Operation


class Migration(Revision):
    """
    Base of the class `Migration` in `search_migrations/NNNN_name.py`.

    Attributes:
        operations: What the revision does, in this order.
    """

    operations: ClassVar[Sequence[Operation]] = ()


def _refuse_same_index_twice(file: RevisionFile, operations: Sequence[Operation]) -> None:
    made = [operation.makes for operation in operations if operation.makes]
    twice = sorted({name for name in made if made.count(name) > 1})
    if twice:
        raise InvalidRevision(
            f"{file.path} makes an index for “{twice[0]}” twice.",
            hint="An index is named after the number of its revision: write one revision for each.",
        )


KIND = RevisionKind(
    folder="search_migrations",
    base=Migration,
    operation=Operation,
    package="searchindex",
    check=_refuse_same_index_twice,
)
"""What the revisions of search look like on disk."""
