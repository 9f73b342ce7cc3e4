"""The class that a search revision derives from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from accord.revisions import Revision
from searchindex.operations.base import Operation


class Migration(Revision):
    """
    Base of the class `Migration` in `search_migrations/NNNN_name.py`.

    Attributes:
        operations: What the revision does, in this order.
    """

    operations: ClassVar[Sequence[Operation]] = ()
