"""Whom a request is about: the declared kind of data subject, and one person's keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from django.apps import apps
from django.db.models import QuerySet

from accord import clock
from accord.errors import UsageError
from gdpr.datamap.keys import KeyType, Plain, key_type, parsed, plain
from gdpr.errors import AmbiguousSubject, InvalidDataMap, UnknownSubject, WrongKeyType

if TYPE_CHECKING:
    from django.db.models import Model

    # The name `type` is a field of the class below.
    ModelClass = type[Model]


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
        alternates: Every key by its name, the primary one included.
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
    collected: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    settled: frozenset[str] = frozenset()
    newer: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    others: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, repr=False)
    created: str = ""

    def values(self, by: str = "") -> tuple[Plain, ...]:
        """Return the person's key of a name; the primary one for no name; none where there is none."""
        found = self.alternates.get(by) if by else self.primary
        return () if found is None else (found,)

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
        merged = self.with_collected(fresh)
        merged = merged.settle(found.settled & merged.collected.keys())
        looked_at = merged.settled & found.collected.keys()
        return merged.with_collected({entry: found.newer.get(entry, ()) for entry in looked_at})

    def settle(self, entries: Iterable[str]) -> SubjectKeys:
        """Return the same keys; entries are from now on what was collected, and nothing where nothing was."""
        wanted = frozenset(entries)
        collected = {**dict.fromkeys(wanted, ()), **self.collected}
        return replace(self, collected=collected, settled=self.settled | wanted)

    def unsettled(self, entry: str) -> SubjectKeys:
        """Return the same keys, by which an entry finds whatever has the key now."""
        return replace(self, settled=self.settled - {entry})

    def told(self, entry: str, *, same_person: bool) -> SubjectKeys:
        """Return the same keys after a person said whose the newer rows of an entry are."""
        newer = {one: keys for one, keys in self.newer.items() if one != entry}
        if same_person:
            return replace(self, collected=_joined(self.collected, entry, self.newer[entry]), newer=newer)
        return replace(self, others=_joined(self.others, entry, self.newer[entry]), newer=newer)

    def to_json(self) -> str:
        """Write the keys as text, for sealing. The text is personal data."""
        return json.dumps(
            {
                "kind": self.kind,
                "primary": self.primary,
                "alternates": dict(self.alternates),
                "collected": {entry_id: list(keys) for entry_id, keys in self.collected.items()},
                "settled": sorted(self.settled),
                "newer": {entry_id: list(keys) for entry_id, keys in self.newer.items()},
                "others": {entry_id: list(keys) for entry_id, keys in self.others.items()},
                "created": self.created,
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, text: str) -> SubjectKeys:
        """Read what :meth:`to_json` wrote."""
        read = json.loads(text)
        # What was sealed before these names were known has none of them.
        rows = {
            name: {entry_id: tuple(keys) for entry_id, keys in read.get(name, {}).items()}
            for name in ("collected", "newer", "others")
        }
        return cls(
            kind=read["kind"],
            primary=read["primary"],
            alternates=read["alternates"],
            settled=frozenset(read.get("settled", ())),
            created=read.get("created", ""),
            **rows,
        )


def _held(rows: Mapping[str, tuple[Plain, ...]]) -> Mapping[str, tuple[Plain, ...]]:
    return {entry: keys for entry, keys in rows.items() if keys}


def _joined(
    rows: Mapping[str, tuple[Plain, ...]], entry: str, more: tuple[Plain, ...]
) -> Mapping[str, tuple[Plain, ...]]:
    return {**rows, entry: (*rows.get(entry, ()), *more)}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """
    The kind of person that a project keeps data of.

    Attributes:
        model: Label of the model that stands for the person.
        key: Field that other stores refer to.
        type: Its type: `int`, `str`, `uuid.UUID` or a :class:`gdpr.datamap.keys.KeyType`.
        lookups: Fields that a person may be found by; each must be unique.
        created: Field with the moment when the row was made, which nothing changes but an erasure; empty for
            none. After a restore it tells an erased person from a new one with the same key.
    """

    model: str
    key: str = "id"
    type: object = int
    lookups: tuple[str, ...] = ()
    created: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all keys, the primary one first."""
        return tuple(dict.fromkeys((self.key, *self.lookups)))

    def described(self) -> Sequence[object]:
        """Return what the digest of a data map is made of."""
        # A map that doesn't say it keeps the digest that approvals were given for.
        created = [self.created] if self.created else []
        return [self.model, self.key, str(self.type), list(self.lookups), *created]

    def resolve(self, text: str, by: str = "") -> SubjectKeys:
        """
        Find the one person that a key belongs to.

        Args:
            text: A key, as typed.
            by: Which key it is; unless given, every one that the text could be is tried.

        Raises:
            UsageError: There is no key of that name.
            WrongKeyType: The text is no key of the type declared.
            UnknownSubject: No person has it.
            AmbiguousSubject: More than one person has it.
        """
        found = {
            row["pk"]: row for name, value in self._readings(text, by) for row in self._rows(name, value)
        }
        if not found:
            raise UnknownSubject(
                f"No {self.model} has this key ({', '.join([by] if by else self.names)}).",
                hint="See whether the key is right; an erased person has none any more.",
            )
        if len(found) > 1:
            raise AmbiguousSubject(
                f"{len(found)} rows of {self.model} have this key.",
                hint=f"Say which key it is with --by: {', '.join(self.names)}.",
            )
        return self._keys_of(next(iter(found.values())))

    def parsed(self, name: str, text: str) -> Plain:
        """Read the key of a name as typed; raises :class:`WrongKeyType`."""
        return parsed(text, self._type_of(name), name)

    def model_class(self) -> ModelClass:
        """
        Return the model.

        Raises:
            InvalidDataMap: No installed app has it.
        """
        try:
            return apps.get_model(self.model)
        except (LookupError, ValueError) as exc:
            raise InvalidDataMap(
                f"The data subject {self.model} is no installed model.",
                hint="Write SUBJECT's model as app_label.Model.",
            ) from exc

    def _readings(self, text: str, by: str) -> list[tuple[str, Plain]]:
        if by:
            if by not in self.names:
                raise UsageError(f"{self.model} has no key “{by}”.", hint=f"Keys: {', '.join(self.names)}.")
            return [(by, parsed(text, self._type_of(by), by))]
        readings = []
        for name in self.names:
            try:
                readings.append((name, parsed(text, self._type_of(name), name)))
            except WrongKeyType:
                continue
        if not readings:
            parsed(text, self._type_of(self.key), self.key)
        return readings

    def _type_of(self, name: str) -> KeyType:
        if name == self.key:
            return key_type(self.type)
        kind = self.model_class()._meta.get_field(name).get_internal_type()
        if kind == "UUIDField":
            return KeyType.UUID
        return KeyType.INT if kind.endswith(("IntegerField", "AutoField")) else KeyType.STR

    def _rows(self, name: str, value: Plain) -> Iterable[Mapping[str, Any]]:
        from django.core.exceptions import ValidationError

        model = self.model_class()
        try:
            chosen: QuerySet[Model] = QuerySet(model).filter(**{name: value})
            # Two rows are enough to know that there is more than one.
            return list(chosen.values("pk", *self.names, *filter(None, [self.created]))[:2])
        except (OverflowError, ValidationError):
            return []

    def _keys_of(self, row: Mapping[str, Any]) -> SubjectKeys:
        alternates = {name: plain(row[name]) for name in self.names if row[name] not in (None, "")}
        return SubjectKeys(
            kind=self.model,
            primary=alternates[self.key],
            alternates=alternates,
            created=self.moment(row[self.created]) if self.created else "",
        )

    @staticmethod
    def moment(value: date | None) -> str:
        """Return the moment when a row was made as text; empty where nobody knows."""
        if isinstance(value, datetime):
            return clock.aware(value).astimezone(UTC).isoformat()
        return value.isoformat() if value else ""
