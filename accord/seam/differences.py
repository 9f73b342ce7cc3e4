"""How a store may differ from what its steps describe, one thing at a time."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass


class DifferenceKind(enum.StrEnum):
    """What is the matter with a thing."""

    MISSING = "missing"
    """A step declares it, and it is not there."""
    DIFFERENT = "different"
    """It is there, and another one than a step declares."""
    LEFT = "left"
    """A step took it away, and it is there."""
    EXTRA = "extra"
    """It is there, and no step declares it; no step is judged by it."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """
    One difference.

    Attributes:
        kind: What is the matter.
        text: The same in a sentence that names the thing.
        thing: Its name in the store, of an extra: what patterns that ignore it are held against.
    """

    kind: DifferenceKind
    text: str
    thing: str = ""


def texts(found: Iterable[Difference]) -> tuple[str, ...]:
    """Return differences as the sentences that tell them."""
    return tuple(one.text for one in found)
