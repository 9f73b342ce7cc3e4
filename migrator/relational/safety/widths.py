"""A column of whole numbers that gets another width, and what is called how meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db.backends.utils import names_digest

RANGES: Mapping[str, tuple[int, int]] = {
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
"""What each type can hold."""


@dataclass(frozen=True)
class Wide:
    """
    A column on its way to another width.

    Attributes:
        table: Its table, as the model writes it.
        name: Its name.
        old: Its type before.
        new: Its type after.
        null: Whether it takes NULL.
    """

    table: str
    name: str
    old: str
    new: str
    null: bool

    @property
    def twin(self) -> str:
        """Return the name of the column beside it, and of what keeps both in step."""
        return f"accord_wide_{names_digest(self.table, self.name, length=16)}"

    @property
    def guard(self) -> str:
        """Return the name of the check that both hold the same."""
        return f"{self.twin}_same"

    @property
    def back(self) -> Wide:
        """Return the way back."""
        return replace(self, old=self.new, new=self.old)


def index_name(table: str, name: str) -> str:
    """Return the name of what takes the place of an index of a table, until it does."""
    return f"accord_wide_{names_digest(table, name, length=16)}"
