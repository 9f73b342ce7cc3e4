"""The contract of a strategy: how documents get from the old index into the new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from searchindex.context import Context


@dataclass(frozen=True, kw_only=True)
class Copy:
    """
    One copy to be made.

    Attributes:
        source: Physical index that is behind the alias.
        target: Physical index that will be.
        definition: Mappings and settings of the target, in the engine's words.
        blocked_before: A person had the source refuse writes before; it shall stay so.
        subject: Kind of person and path of their key, where the documents of erased people
            shall stay behind.
        mark: By which the target is known again; see :mod:`searchindex.reindex.marks`.
        verify: `content` or `counts`: what is compared before the alias moves.
    """

    source: str
    target: str
    definition: Mapping[str, Any]
    blocked_before: bool = False
    subject: tuple[str, str] | None = None
    mark: str = ""
    verify: str = "content"


class CopyStrategy(Protocol):
    """
    Fills the target so that it may take the source's place.

    When it returns, target and source hold the same documents and nothing can change the
    source before the alias has moved. A repeated call continues or begins again.
    """

    def __call__(self, context: Context, copy: Copy) -> int:
        """
        Copy, check, and give the number of documents.

        Raises:
            StepFailed: Not every document arrived. The source takes writes again.
        """
        ...

    def abandon(self, context: Context, copy: Copy) -> None:
        """Stop what is under way and let the source take writes again. May be repeated."""
        ...
