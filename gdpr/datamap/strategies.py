"""
Strategies: what takes the place of a personal value that can't simply go.

Each says whether it can be undone. Only an irreversible one counts as erased: a hash of a key is
a pseudonym, and a pseudonym is still personal data. Each also says how a value that it has
written is recognised, so that a repeated erasure finds only what is left to do.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar

_TOKEN_BYTES = 16
_HEX = "[0-9a-f]{32}"
_SPECIAL = frozenset(r".^$*+?{}[]\|()")


@dataclass(frozen=True)
class Equals:
    """A settled value is this one; None stands for nothing at all."""

    value: object


@dataclass(frozen=True)
class Matches:
    """A settled value is a text that matches this whole pattern; the same words in every store."""

    pattern: str


class Strategy(ABC):
    """
    What takes the place of a value.

    Attributes:
        irreversible: Whether the value can't be found again.
        unique: Whether two rows never get the same value.
    """

    irreversible: ClassVar[bool] = True
    unique: ClassVar[bool] = False

    @abstractmethod
    def replacement(self, current: object) -> object:
        """Return the new value."""

    @property
    @abstractmethod
    def settled(self) -> Equals | Matches:
        """Return how a value that was written by this strategy is recognised."""

    @property
    def longest(self) -> int:
        """Length of the longest text that it writes; 0 when it writes none."""
        return 0

    def is_settled(self, value: object) -> bool:
        """Return whether a value was written by this strategy."""
        test = self.settled
        if isinstance(test, Equals):
            return value == test.value
        return isinstance(value, str) and re.fullmatch(test.pattern, value) is not None

    def describe(self) -> str:
        """Name the strategy with everything that it was declared with, keys left out."""
        return repr(self)


@dataclass(frozen=True)
class Null(Strategy):
    """Nothing takes its place."""

    unique: ClassVar[bool] = True  # no database takes two nulls for the same

    def replacement(self, current: object) -> object:
        return None

    @property
    def settled(self) -> Equals:
        return Equals(None)


@dataclass(frozen=True)
class Constant(Strategy):
    """
    The same value for everybody.

    Attributes:
        value: Which.
    """

    value: object

    def replacement(self, current: object) -> object:
        return self.value

    @property
    def settled(self) -> Equals:
        return Equals(self.value)

    @property
    def longest(self) -> int:
        return len(self.value) if isinstance(self.value, str) else 0


@dataclass(frozen=True)
class Redact(Strategy):
    """
    A text that says that something stood here.

    Attributes:
        text: Which.
    """

    text: str = "[erased]"

    def replacement(self, current: object) -> object:
        return self.text

    @property
    def settled(self) -> Equals:
        return Equals(self.text)

    @property
    def longest(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class CoarseDate(Strategy):
    """
    One date for everybody; today's would tell when the person was erased.

    Attributes:
        to: A date, or a moment where the column holds moments.
    """

    to: date | datetime = date(1970, 1, 1)

    def replacement(self, current: object) -> object:
        return self.to

    @property
    def settled(self) -> Equals:
        return Equals(self.to)


@dataclass(frozen=True)
class RandomToken(Strategy):
    """
    A random text, another one for every row: for columns that must be unique.

    Made of chance alone, never of the row's key.

    Attributes:
        prefix: What it begins with.
        suffix: What it ends with, such as the domain of an address.
        chance: Makes the random part.
    """

    unique: ClassVar[bool] = True

    prefix: str = "erased-"
    suffix: str = ""
    chance: Callable[[int], str] = field(default=secrets.token_hex, repr=False, compare=False)

    def replacement(self, current: object) -> object:
        return f"{self.prefix}{self.chance(_TOKEN_BYTES)}{self.suffix}"

    @property
    def settled(self) -> Matches:
        return Matches(f"{_quoted(self.prefix)}{_HEX}{_quoted(self.suffix)}")

    @property
    def longest(self) -> int:
        return len(self.prefix) + 2 * _TOKEN_BYTES + len(self.suffix)


@dataclass(frozen=True)
class Pseudonym(Strategy):
    """
    A keyed hash of the value. Whoever holds the key can tell whom it stands for: not an erasure.

    Fit for `minimise` of retained rows, refused by `gdpr_datamap check` in an :class:`Anonymise`.

    Attributes:
        key: Setting-independent secret of the project.
    """

    irreversible: ClassVar[bool] = False
    unique: ClassVar[bool] = True

    key: bytes = b""

    def replacement(self, current: object) -> object:
        digest = hmac.new(self.key, str(current).encode(), hashlib.sha256).hexdigest()
        return f"pseudonym-{digest[:32]}"

    @property
    def settled(self) -> Matches:
        return Matches(f"pseudonym-{_HEX}")

    @property
    def longest(self) -> int:
        return len("pseudonym-") + 32

    def __repr__(self) -> str:
        return "Pseudonym()"


def _quoted(text: str) -> str:
    """Quote a text for the patterns of Python, PostgreSQL and PCRE alike."""
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in text)
