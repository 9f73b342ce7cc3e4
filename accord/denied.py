"""What tells the refusal of a person from other errors: it leaves an event, whatever door it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self


@dataclass(frozen=True, kw_only=True)
class Denial:
    """
    Who was refused what.

    Attributes:
        by: The account that was refused; None where nobody knows which one it is.
        kind: What it was refused, a word of :class:`~accord.audit.events.ObjectKind`.
        ref: Random reference of that, 32 hexadecimal digits; empty where there is none.
        request_ref: Reference of the request that it belongs to.
        account: The account that it was refused to act as or to decide about, in the place of `ref`.
    """

    PAGE: ClassVar[str] = "page"

    by: Any = None
    kind: str = PAGE
    ref: str = ""
    request_ref: str = ""
    account: Any = None


class Denied(Exception):
    """Makes an error one that puts on record who was refused what."""

    denial: Denial | None = None
    on_record: bool = False
    """Whether a door has written it down already: an error may pass several."""

    def told(self, denial: Denial) -> Self:
        """Note who was refused what, where the error is raised."""
        self.denial = denial
        return self
