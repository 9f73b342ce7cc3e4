"""Whom a request is about: the keys of one person, or of several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from gdpr.datamap.keys import Plain

_MANY = ("earlier", "contested", "collected", "newer", "others")
"""What a person has several of, by a name or by an entry's id."""


class Keys(Protocol):
    """What stores are searched by: the keys of one person, or of several together."""

    @property
    def collected(self) -> Mapping[str, tuple[Plain, ...]]:
        """Primary keys of rows that were found before anything was erased, by entry id."""
        ...

    def values(self, by: str = "") -> tuple[Plain, ...]:
        """Return the keys of a name; the primary ones for no name; none where no person has one."""
        ...

    def only(self, entry: str) -> tuple[Plain, ...] | None:
        """Return the rows that an entry may still find; None where it may find whatever has the key."""
        ...

    def apart(self, entry: str) -> tuple[Plain, ...]:
        """Return the rows that have the key and are not this person's for certain."""
        ...


@dataclass(frozen=True, kw_only=True)
class SubjectKeys:
    """
    One person's keys, by which every store is searched. Plain enough for JSON; never shown by `repr`.

    Attributes:
        kind: Model of the subject, such as `streaming.Listener`.
        primary: The key that other stores refer to.
        alternates: Every key by its name, the primary one included, as it was read last.
        earlier: What a key was before that, by its name: known when the request came in, or since.
        contested: Which of all these somebody else of this kind has now, by the name of the key. They find
            nothing by themselves: what has them is asked about.
        collected: Primary keys of rows that were found before anything was erased, by entry id.
        settled: Entries found by a key that somebody else may have next (an e-mail, a user name): since the
            fence they are the rows that were collected, and no others.
        newer: Rows of settled entries that came later, by entry id: whose they are is for a person to say.
        others: Those of which a person said that they are somebody else's.
        created: When the person's row was made, as ISO 8601; empty where the data map doesn't say which field
            that is.
    """

    kind: str
    primary: Plain = field(repr=False)
    alternates: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    earlier: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    contested: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    collected: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    settled: frozenset[str] = frozenset()
    newer: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    others: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    created: str = ""

    def values(self, by: str = "") -> tuple[Plain, ...]:
        """Return what a key is, and was, where it is this person's alone; the primary one for no name."""
        contested = self.contested.get(by)
        return tuple(one for one in self.known(by) if one not in contested) if contested else self.known(by)

    def known(self, by: str = "") -> tuple[Plain, ...]:
        """Return what a key is, and was, whoever has it now."""
        found = self.alternates.get(by) if by else self.primary
        return (*(() if found is None else (found,)), *self.earlier.get(by, ()))

    def only(self, entry: str) -> tuple[Plain, ...] | None:
        """Return the rows that a settled entry may find; None for any other."""
        return self.collected.get(entry, ()) if entry in self.settled else None

    def apart(self, entry: str) -> tuple[Plain, ...]:
        """Return the rows of a settled entry that came later, whatever was said of them."""
        return (*self.newer.get(entry, ()), *self.others.get(entry, ()))

    def with_collected(self, found: Mapping[str, Iterable[Plain]]) -> SubjectKeys:
        """
        Return the same keys with collected ones added to what was collected already.

        What a settled entry holds beyond that is not this person's for certain: it is kept as `newer`.
        """
        if not self.newer and not any(found.values()) and found.keys() <= self.collected.keys():
            return self
        collected, newer = dict(self.collected), dict(self.newer)
        for entry_id, keys in found.items():
            if entry_id in self.settled:
                known = {*collected.get(entry_id, ()), *self.others.get(entry_id, ())}
                newer[entry_id] = tuple(dict.fromkeys(key for key in keys if key not in known))
            else:
                collected[entry_id] = tuple(dict.fromkeys((*collected.get(entry_id, ()), *keys)))
        return replace(self, collected=collected, newer=_held(newer))

    def joined(self, found: SubjectKeys) -> SubjectKeys:
        """Return the same keys with what was found by them: collected, settled, and newer."""
        fresh = {entry: keys for entry, keys in found.collected.items() if entry not in self.settled}
        read_last = replace(
            self,
            alternates=found.alternates,
            earlier=merged_rows(self.earlier, found.earlier),
            contested=found.contested,
        )
        merged = read_last.with_collected(fresh)
        merged = merged.settle(found.settled & merged.collected.keys())
        looked_at = merged.settled & found.collected.keys()
        return merged.with_collected({entry: found.newer.get(entry, ()) for entry in looked_at})

    def settle(self, entries: Iterable[str]) -> SubjectKeys:
        """Return the same keys; entries are from now on what was collected, and nothing where nothing was."""
        wanted = frozenset(entries)
        if wanted <= self.settled & self.collected.keys():
            return self
        collected = {**dict.fromkeys(wanted, ()), **self.collected}
        return replace(self, collected=collected, settled=self.settled | wanted)

    def unsettled(self, entry: str) -> SubjectKeys:
        """Return the same keys, by which an entry finds what has them now; a settled one, anybody's."""
        if entry not in self.settled:
            return self
        return replace(self, settled=self.settled - {entry}, contested={})

    def told(self, entry: str, *, same_person: bool) -> SubjectKeys:
        """Return the same keys after a person said whose the newer rows of an entry are."""
        newer = {one: keys for one, keys in self.newer.items() if one != entry}
        if same_person:
            collected = _joined(self.collected, entry, self.newer[entry])
            # What has a key of somebody else turned out to be this person's after all.
            return replace(self, collected=collected, newer=newer, contested={})
        return replace(self, others=_joined(self.others, entry, self.newer[entry]), newer=newer)

    def to_json(self) -> str:
        """Write the keys as text, for sealing. The text is personal data."""
        return json.dumps(
            {
                "kind": self.kind,
                "primary": self.primary,
                "alternates": dict(self.alternates),
                "settled": sorted(self.settled),
                **{name: {one: list(keys) for one, keys in getattr(self, name).items()} for name in _MANY},
                "created": self.created,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> SubjectKeys:
        """Read what :meth:`to_json` wrote."""
        read = json.loads(text)
        # What was sealed before these names were known has none of them.
        rows = {name: {one: tuple(keys) for one, keys in read.get(name, {}).items()} for name in _MANY}
        return cls(
            kind=read["kind"],
            primary=read["primary"],
            alternates=read["alternates"],
            settled=frozenset(read.get("settled", ())),
            created=read.get("created", ""),
            **rows,
        )


def merged_rows(
    rows: Mapping[str, tuple[Plain, ...]], more: Mapping[str, tuple[Plain, ...]]
) -> Mapping[str, tuple[Plain, ...]]:
    """Return both, each value once."""
    names = dict.fromkeys((*rows, *more))
    return {name: tuple(dict.fromkeys((*rows.get(name, ()), *more.get(name, ())))) for name in names}


def _held(rows: Mapping[str, tuple[Plain, ...]]) -> Mapping[str, tuple[Plain, ...]]:
    return {entry: keys for entry, keys in rows.items() if keys}


def _joined(
    rows: Mapping[str, tuple[Plain, ...]], entry: str, more: tuple[Plain, ...]
) -> Mapping[str, tuple[Plain, ...]]:
    return {**rows, entry: (*rows.get(entry, ()), *more)}
