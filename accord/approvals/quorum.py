"""How many second persons have to say yes, and out of which groups. Pure; nothing here asks a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from accord.errors import ConfigurationError
from accord.wording import say

ANYBODY = ""
"""The place of a person of whom no group is asked for."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """
    How far the yes-es to something are.

    Attributes:
        given: How many of those that are needed stand.
        needed: How many are needed.
        lacking: Names of the groups of which nobody has said yes yet, sorted.
        flaw: Why a yes that was given doesn't count, in a few words; empty where each does.
    """

    given: int
    needed: int
    lacking: Sequence[str] = ()
    flaw: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether what was asked for may begin."""
        return self.given >= self.needed

    @property
    def words(self) -> str:
        """What is there and what is missing: `1 of 2; dba is missing`."""
        if not self.lacking:
            return say("{given} of {needed}", given=self.given, needed=self.needed)
        missing = ", ".join(self.lacking)
        if len(self.lacking) == 1:
            return say(
                "{given} of {needed}; {group} is missing", given=self.given, needed=self.needed, group=missing
            )
        return say(
            "{given} of {needed}; {groups} are missing", given=self.given, needed=self.needed, groups=missing
        )


@dataclass(frozen=True, kw_only=True)
class Quorum:
    """
    Who has to say yes. Each person counts once, whatever groups they are in.

    Attributes:
        places: The group of each person that is needed; :data:`ANYBODY` where any second person will do.
    """

    places: tuple[str, ...] = field(default=(ANYBODY,))

    @property
    def groups(self) -> Mapping[str, int]:
        """How many persons of which group are needed."""
        return Counter(place for place in self.places if place)

    def standing(self, groups_of: Mapping[str, Collection[str]], flaw: str = "") -> Standing:
        """
        Say how far this is with the yes-es of some accounts.

        Args:
            groups_of: The groups of each account whose yes counts.
            flaw: Why another yes doesn't.
        """
        taken: dict[int, str] = {}
        for account in groups_of:
            self._seat(account, groups_of, taken, set())
        lacking = {place for number, place in enumerate(self.places) if number not in taken and place}
        return Standing(given=len(taken), needed=len(self.places), lacking=sorted(lacking), flaw=flaw)

    def _seat(
        self, account: str, groups_of: Mapping[str, Collection[str]], taken: dict[int, str], tried: set[int]
    ) -> bool:
        """Give an account a place; whoever has it moves to another one that they may have."""
        for number, place in enumerate(self.places):
            if number in tried or (place and place not in groups_of[account]):
                continue
            tried.add(number)
            if number not in taken or self._seat(taken[number], groups_of, taken, tried):
                taken[number] = account
                return True
        return False


ONE = Quorum()
"""Any second person."""


def parse(value: object, place: str) -> Quorum:
    """
    Read a quorum out of the settings: a number of persons, or numbers by the name of a group.

    Args:
        value: As in `ACCORD["POLICY"]`.
        place: Where it stands, for the message.

    Raises:
        ConfigurationError: It is neither.
    """
    named = value.items() if isinstance(value, Mapping) else ()
    if named and all(name and _is_number(one) for name, one in named):
        return Quorum(places=tuple(str(name) for name, one in named for _ in range(one)))
    if _is_number(value):
        return Quorum(places=(ANYBODY,) * int(str(value)))
    raise ConfigurationError(
        f"{place} must be a number from 1 on, or such numbers by the name of a group.",
        hint="See docs/reference/policy.md.",
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
