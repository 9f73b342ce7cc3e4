"""Kinds of people: how one is declared, and how a person of it is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import F, QuerySet

from accord import clock
from accord.erased.folding import Fold, folded
from accord.erased.subject_key import canonical
from accord.errors import UsageError
from gdpr.datamap.entries import Entry
from gdpr.datamap.history import Earlier, described
from gdpr.datamap.inactive import Inactive
from gdpr.datamap.keys import KeyType, Plain, declared_fold, key_type, parsed, plain
from gdpr.datamap.locators import with_folds
from gdpr.datamap.spellings import candidates
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import AmbiguousSubject, InvalidDataMap, UnknownSubject, WrongKeyType

if TYPE_CHECKING:
    from django.db.models import Model

    # The name `type` is a field of the class below.
    ModelClass = type[Model]


_SHOWN = 10
"""People of one key that are told."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """
    The kind of person that a project keeps data of.

    Attributes:
        model: Label of the model that stands for the person.
        key: Field that other stores refer to.
        type: Its type: `int`, `str`, `uuid.UUID` or a :class:`gdpr.datamap.keys.KeyType`.
        lookups: Fields that a person may be found by; each must be unique.
        folds: How textual keys are compared, by their names: a :class:`accord.erased.folding.Fold`. What
            other stores hold of such a key is compared in the same way.
        earlier: Where the project keeps what a key was before, by its name: see :mod:`gdpr.datamap.history`.
        created: Field with the moment when the row was made, which nothing changes but an erasure; empty for
            none. After a restore it tells an erased person from a new one with the same key.
        name: What this kind of person is called where a project has several, as in `--kind employee`; the
            model's own name in lower case unless given.
        inactive: When somebody who is not seen any more is warned, and their erasure asked for.
    """

    model: str
    key: str = "id"
    type: object = int
    lookups: tuple[str, ...] = ()
    folds: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Earlier] = field(default_factory=dict)
    created: str = ""
    name: str = ""
    inactive: Inactive | None = None

    @property
    def called(self) -> str:
        """Return the name of this kind of person."""
        return self.name or self.model.rpartition(".")[2].lower()

    def is_called(self, name: str) -> bool:
        """Return whether a name, or the label of a model, means this kind."""
        return name == self.called or name.lower() == self.model.lower()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all keys, the primary one first."""
        return tuple(dict.fromkeys((self.key, *self.lookups)))

    def described(self) -> Sequence[object]:
        """Return what the digest of a data map is made of."""
        # A map that doesn't say these keeps the digest that approvals were given for.
        earlier = {name: described(one) for name, one in self.earlier.items()}
        more = [one for one in (self.created, dict(self.folds), earlier) if one]
        more += [repr(self.inactive)] if self.inactive else []
        return [self.model, self.key, str(self.type), list(self.lookups), *more]

    def comparing(self, entry: Entry) -> Entry:
        """Return an entry whose locators compare this person's keys as it is declared here."""
        if not self.folds:
            return entry
        return replace(
            entry, locator=with_folds(entry.locator, lambda by: self.folds.get(by or self.key, ""))
        )

    def fold_of(self, name: str = "") -> Fold:
        """
        Return how a key is compared; exactly, unless it is declared.

        Args:
            name: Which key; the primary one for no name.

        Raises:
            InvalidDataMap: What is declared is no folding.
        """
        return declared_fold(self.folds.get(name or self.key, ""))

    def resolve(self, text: str, by: str = "", choose: str = "") -> SubjectKeys:
        """
        Find the one person that a key belongs to.

        Args:
            text: A key, as typed.
            by: Which key it is; unless given, every one that the text could be is tried.
            choose: The primary key of one of several who have it; empty where there is one.

        Raises:
            UsageError: There is no key of that name.
            WrongKeyType: The text is no key of the type declared.
            UnknownSubject: No person has it.
            AmbiguousSubject: More than one person has it.
        """
        found = self.people(text, by)
        if choose and len(found) > 1:
            chosen = canonical(parsed(choose, key_type(self.type), self.key))
            found = [one for one in found if canonical(one.primary) == chosen]
        if not found:
            raise UnknownSubject(
                f"No {self.model} has this key ({', '.join([by] if by else self.names)}).",
                hint="See whether the key is right; an erased person has none any more.",
            )
        if len(found) > 1:
            raise AmbiguousSubject(
                f"{len(found)} rows of {self.model} have this key: {'; '.join(map(self.told, found))}.",
                hint=f"Say which one it is: --choose with its {self.key}, over HTTP that identifier as well; "
                f"or which key it is with --by: {', '.join(self.names)}.",
            )
        return found[0]

    def people(self, text: str, by: str = "") -> list[SubjectKeys]:
        """Find everybody that a key belongs to; of very many, the first ones. See :meth:`resolve`."""
        rows: dict[Any, Any] = {}
        # Spaces around a key are most often a slip of the hand, unless somebody's key has them.
        for spelled in dict.fromkeys((text, text.strip())):
            readings = self._readings(spelled, by) if not rows else []
            rows |= {row["pk"]: row for name, value in readings for row in self._rows(name, value)}
        return [self._keys_of(row) for row in rows.values()]

    def told(self, keys: SubjectKeys) -> str:
        """Say what tells a person from others who have the same key: texts by no more than their ends."""
        more = [f"{name} {masked(str(one))}" for name, one in keys.alternates.items() if name != self.key]
        more += [f"of {keys.created[:10]}"] if keys.created else []
        return f"{self.key} {keys.primary} ({', '.join(more)})" if more else f"{self.key} {keys.primary}"

    def parsed(self, name: str, text: str) -> Plain:
        """Read the key of a name as typed; raises :class:`WrongKeyType`."""
        return parsed(text, self._type_of(name), name)

    def database(self) -> str:
        """Return the alias of the database that has these people."""
        return QuerySet(self.model_class()).db

    def of_primary(self, keys: Iterable[Plain]) -> Iterator[SubjectKeys]:
        """Yield the keys of the people who have these primary ones, as they are now."""
        chosen: QuerySet[Model] = QuerySet(self.model_class()).filter(**{f"{self.key}__in": list(keys)})
        yield from map(self._keys_of, chosen.values(*self._columns))

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

        try:
            return list(islice(self._found(name, value), _SHOWN))
        except (OverflowError, ValidationError):
            return []

    @property
    def _columns(self) -> tuple[str, ...]:
        return ("pk", *self.names, *filter(None, [self.created]))

    def _found(self, name: str, value: Plain) -> Iterator[Mapping[str, Any]]:
        every: QuerySet[Model] = QuerySet(self.model_class())
        columns, fold = self._columns, self.fold_of(name)
        if fold is Fold.EXACT:
            yield from every.filter(**{name: value}).values(*columns)
            return
        wanted = folded(str(value), fold)
        for row in candidates(every, F(name), fold, [wanted]).values(*columns).iterator():
            if folded(str(row[name]), fold) == wanted:
                yield row

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


def chosen(subjects: Sequence[Subject], name: str) -> Subject:
    """Return the kind of person of a name; the only one for none. See :meth:`.map.DataMap.kind`."""
    found = [one for one in subjects if not name or one.is_called(name)]
    if len(found) == 1:
        return found[0]
    if not subjects:
        raise InvalidDataMap(
            "No app declares whose data these are.",
            hint='Write SUBJECT = Subject(model="app.Model") into the privacy.py of one app.',
        )
    what = "There is no such kind of person" if name else "There are several kinds of people"
    names = ", ".join(one.called for one in subjects)
    raise UsageError(
        f"{what}; the data map declares: {names}.", hint="Say which one: --kind NAME, over HTTP as kind."
    )


def masked(text: str) -> str:
    """Leave of a text so much that whoever knows it knows it again: its first sign, and that of a domain."""
    local, at, domain = text.partition("@")
    return f"{local[:1]}…@{domain[:1]}…" if at else f"{text[:1]}…"
