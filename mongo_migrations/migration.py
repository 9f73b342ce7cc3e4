"""The class that a MongoDB revision file declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from accord.revisions.loader import Revision, RevisionKind
from mongo_migrations.operations.base import Operation


class Migration(Revision):
    """
    Base of the class `Migration` in `<app>/mongo_migrations/NNNN_name.py`.

    Attributes:
        operations: What the revision does, in this order; a revert goes through it backwards.
    """

    operations: ClassVar[Sequence[Operation]] = ()


KIND = RevisionKind(
    folder="mongo_migrations", base=Migration, operation=Operation, package="mongo_migrations"
)
"""What the revisions of MongoDB look like on disk."""
