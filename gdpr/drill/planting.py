"""People who were never there: each with something in every place of the data map that can be filled."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import Error as DatabaseError
from django.db import router, transaction
from django.utils.module_loading import import_string

from accord import conf
from accord.errors import AccordError
from accord.seam.registry import Registry
from gdpr.datamap.entries import Entry
from gdpr.datamap.keys import Plain, plain, variants
from gdpr.datamap.kinds import Subject
from gdpr.datamap.locators import Key, Path, Rows, Simple, parts
from gdpr.datamap.map import load_data_map
from gdpr.datamap.subjects import SubjectKeys
from gdpr.drill import fitting
from gdpr.drill.index_backups import ask
from gdpr.drill.places import MONGODB, SEARCH, kind_of
from gdpr.errors import DrillRefused
from gdpr.stores.base import model_of

Planter = Callable[[int], object]
"""A function of the project: makes the person of a number, and returns their primary key."""


@dataclass
class Planted:
    """
    A person who was planted.

    Attributes:
        keys: Theirs.
        left_out: Entries that nothing was planted for, and why.
    """

    keys: SubjectKeys
    left_out: dict[str, str] = field(default_factory=dict)


def planter_of(path: str) -> Planter:
    """
    Import a project's planter.

    Raises:
        DrillRefused: There is none of that path.
    """
    try:
        found: Planter = import_string(path)
    except ImportError as exc:
        raise DrillRefused(
            f"The planter {path} can't be imported: {exc}.",
            hint="It is a function of one number, which makes a person and returns their primary key.",
        ) from exc
    return found


def subject() -> Subject:
    """
    Return whose data the project keeps; of several kinds of person the first that is declared.

    Raises:
        DrillRefused: Its data map doesn't say.
    """
    found = next(iter(load_data_map().subjects), None)
    if found is None:
        raise DrillRefused(
            "No app declares whose data these are, so nobody can be planted.",
            hint='Write SUBJECT = Subject(model="app.Model") into the privacy.py of one app.',
        )
    return found


def plant_by(planter: Planter, number: int) -> Planted:
    """Have the project make a person."""
    whose, key = subject(), planter(number)
    return Planted(keys=load_data_map().resolve(str(key), whose.key, kind=whose.called))


def plant(stores: Registry) -> Planted:
    """
    Make a person from the data map: their row, and what refers to it by a key.

    Args:
        stores: Where to.
    """
    whose = subject()
    model = whose.model_class()
    with transaction.atomic(using=router.db_for_write(model)):
        made = fitting.row(model, router.db_for_write(model), {}, fitting.Neighbours())
    key = getattr(made, whose.key)
    return _Garden(load_data_map().resolve(str(key), whose.key, kind=whose.called), made.pk, stores).planted()


def _has_model(entry: Entry) -> bool:
    return kind_of(conf.load().store_settings()[entry.store].backend) == ""


class _Garden:
    """Everything that is planted of one person."""

    def __init__(self, keys: SubjectKeys, pk: object, stores: Registry) -> None:
        self._stores = stores
        self._told = Planted(keys=keys)
        self._rows: dict[str, object] = {}
        self._pk = pk

    def planted(self) -> Planted:
        waiting = [entry for entry in load_data_map().entries if entry.is_looked_at]
        for _ in range(len(waiting)):
            waiting = [entry for entry in waiting if not self._try(entry)]
        return self._told

    def _try(self, entry: Entry) -> bool:
        """Plant one entry; what can't be now may be once another is, whose rows it needs."""
        try:
            self._rows[entry.id] = self._plant(entry)
        except (fitting.CanNotFit, DatabaseError, AccordError, ValueError, TypeError) as exc:
            self._told.left_out[entry.id] = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
            return False
        self._told.left_out.pop(entry.id, None)
        return True

    def _plant(self, entry: Entry) -> object:
        if entry.target == subject().model:
            return plain(self._pk)
        given = self._given(entry)
        kind = kind_of(conf.load().store_settings()[entry.store].backend)
        if kind == MONGODB:
            return self._insert(entry, given)
        if kind == SEARCH:
            return self._index(entry, given)
        if entry.table:
            raise fitting.CanNotFit("no model says what a row of this table is like")
        with transaction.atomic(using=entry.store):
            return plain(fitting.row(model_of(entry), entry.store, given, self._neighbours()).pk)

    def _neighbours(self) -> fitting.Neighbours:
        entries = [one for one in load_data_map().looked_at() if not one.table and _has_model(one)]
        own = {model_of(one): self._rows[one.id] for one in entries if one.id in self._rows}
        return fitting.Neighbours(own, frozenset(map(model_of, entries)))

    def _given(self, entry: Entry) -> Mapping[str, Any]:
        """Return what makes a row the person's."""
        locators = [one for one in parts(entry.locator) if isinstance(one, Key | Path | Rows)]
        if not locators:
            raise fitting.CanNotFit("a person is found here by more than a key")
        chosen = locators[0]
        where = {} if isinstance(chosen, Path) else dict(chosen.where)
        name = chosen.path if isinstance(chosen, Path) else chosen.field
        if "." in name:
            raise fitting.CanNotFit("the key lies within an object")
        return {**where, name: variants(self._value(chosen), chosen.type)[0]}

    def _value(self, locator: Simple) -> Plain:
        if isinstance(locator, Rows):
            if locator.entry not in self._rows:
                raise fitting.CanNotFit(f"nothing was planted for {locator.entry}")
            return cast("Plain", self._rows[locator.entry])
        by = getattr(locator, "by", "")
        keys = self._told.keys
        known = keys.alternates.get(by) if by and by != subject().key else keys.primary
        if known is None:
            raise fitting.CanNotFit(f"the person has no key {by}")
        return known

    def _insert(self, entry: Entry, given: Mapping[str, Any]) -> object:
        store: Any = self._stores[entry.store]
        found = list(store.database().list_collections(filter={"name": entry.target}))
        options = found[0].get("options", {}) if found else {}
        schema = options.get("validator", {}).get("$jsonSchema", {})
        with store.translated():
            made = store.database()[entry.target].insert_one(fitting.document(schema, given))
        return str(made.inserted_id)

    def _index(self, entry: Entry, given: Mapping[str, Any]) -> object:
        options = conf.load().store_settings()[entry.store].configured
        name, number = f"{options.get('PREFIX') or ''}{entry.target}", uuid.uuid4().hex
        ask(str(options["URL"]), "PUT", f"/{name}/_doc/{number}?refresh=true", dict(given))
        return number
