"""The keys of several people, by which a store finds what it holds of any of them in one look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from gdpr.datamap.keys import Plain
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import ErasureRefused


class _OfEverybody(Mapping[str, tuple[Plain, ...]]):
    """What was collected of each of several people, put together once it is asked for: mostly one is."""

    def __init__(self, people: tuple[SubjectKeys, ...]) -> None:
        self._people = people
        first = people[0].collected if people else {}
        self._known = [entry for entry in first if all(entry in one.collected for one in people)]
        self._asked: dict[str, tuple[Plain, ...]] = {}

    def __getitem__(self, entry: str) -> tuple[Plain, ...]:
        if entry not in self._known:
            raise KeyError(entry)
        if entry not in self._asked:
            self._asked[entry] = tuple(chain.from_iterable(one.collected[entry] for one in self._people))
        return self._asked[entry]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


@dataclass(frozen=True)
class SeveralKeys:
    """
    The keys of several people, by which a store finds what it holds of any of them in one look.

    Attributes:
        people: Whose; everybody has collected the same entries.
    """

    people: tuple[SubjectKeys, ...] = field(repr=False)

    @cached_property
    def collected(self) -> Mapping[str, tuple[Plain, ...]]:
        """Keys that were collected of everybody. What was not collected of one of them is missing."""
        return _OfEverybody(self.people)

    def values(self, by: str = "") -> tuple[Plain, ...]:
        """Return everybody's keys of a name."""
        return tuple(chain.from_iterable(one.values(by) for one in self.people))

    def only(self, entry: str) -> tuple[Plain, ...] | None:
        """
        Return the rows of everybody that a settled entry may find; None for any other.

        Raises:
            ErasureRefused: It is settled for some of them only; they have to be asked about apart.
        """
        found = [one.only(entry) for one in self.people]
        rows = [each for each in found if each is not None]
        if rows and len(rows) < len(found):
            raise ErasureRefused(
                f"The rows of entry “{entry}” are settled for some of these people only.",
                hint="Ask about each person apart.",
            )
        return tuple(key for each in rows for key in each) if rows else None

    def apart(self, entry: str) -> tuple[Plain, ...]:
        """Return the rows of settled entries that came later, of everybody."""
        return tuple(key for one in self.people for key in one.apart(entry))
