"""
Data maps, people and keys made by chance, in the sample project's own stores.

Everything comes from a seed, so that each process of one test makes the same map. What belongs to a person
is marked by words that nobody else has; what every other one has is compared as a whole.
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from gdpr.datamap.actions import Action
from gdpr.datamap.locators import Locator
from gdpr.privacy import (
    Anonymise,
    Array,
    Delete,
    Entry,
    Key,
    Path,
    Pull,
    RandomToken,
    Redact,
    Retain,
    Rows,
    Subject,
    Through,
    Unset,
)

APP = "streaming"
GONE = "[erased]"
TABLES, COLLECTIONS, INDEXES = "default", "mongodb", "search"

KEYS: dict[object, Sequence[Any]] = {
    # Each has a neighbour that some server, or some code, takes for the same.
    int: (1, 10, 11, -1, 2**31, 2**53 + 1, 2**53 + 2),
    str: ("e\u0301va", "\u00e9va", "Eva", "eva", "stra\u00dfe", "strasse", "eva "),
    uuid.UUID: tuple(uuid.UUID(int=2**64 + one) for one in range(7)),
}
EMAILS = (
    ("jos\u00e9@m\u00fcnchen.de", "JOSE\u0301@xn--mnchen-3ya.DE"),
    ("jose@munchen.de", "jose@munchen.de"),
    ("a@stra\u00dfe.de", "A@stra\u00dfe.de"),
    ("a@strasse.de", "a@STRASSE.de"),
    ("\uff11@example.com", "\uff11@Example.com"),
    ("1@example.com", "1@EXAMPLE.com"),
    ("\u0430nn\u0430@example.com", "\u0410nn\u0430@example.com"),
)
"""An address of each person, and another spelling of it. No two are one person's."""


@dataclass(frozen=True)
class Person:
    """
    Somebody.

    Attributes:
        number: Their place in the list.
        key: Their key, as the model has it.
        email: Their address.
        spelt: The same in another spelling.
        word: A word that stands in everything of theirs.
    """

    number: int
    key: Any
    email: str
    spelt: str
    word: str


@dataclass(frozen=True)
class Place:
    """
    A table, a collection or an index.

    Attributes:
        entry: What the data map says of it.
        how: `key`, `email`, `path`, `array`, `rows` or `through`: how its locator finds.
        above: Id of the entry whose rows it refers to; empty for none.
    """

    entry: Entry
    how: str
    above: str = ""


class RandomMap:
    """
    A data map, and people whose data lie where it says.

    Args:
        seed: Makes it.
    """

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)
        self.type: Any = self.dice.choice(list(KEYS))
        keys = self.dice.sample(KEYS[self.type], k=7)
        emails = self.dice.sample(EMAILS, k=5)
        self.people = [
            Person(number, key, *email, word=f"zqx{number}word")
            for number, (key, email) in enumerate(zip(keys, emails, strict=False))
        ]
        # They sign up later, under the addresses of those who are erased.
        self.newcomers = [
            Person(
                7 + one.number, keys[5 + one.number], one.spelt, one.email, word=f"zqx{7 + one.number}word"
            )
            for one in self.people[:2]
        ]
        self.erased, self.others = self.people[:2], self.people[2:]
        self.places = [*self._places()]
        self.batch = self.dice.choice((1, 2, 1000))

    @property
    def stored(self) -> Any:
        """The type that keys have where no server knows UUIDs."""
        return str if self.type is uuid.UUID else self.type

    # --- the map -----------------------------------------------------------------------------

    def _places(self) -> Iterator[Place]:
        yield self._people()
        tables: list[str] = []
        for number in range(self.dice.randint(2, 4)):
            place = self._table(number, tables)
            tables.append(place.entry.id)
            yield place
        for number in range(self.dice.randint(1, 3)):
            yield self._collection(number, tables)
        for number in range(self.dice.randint(1, 2)):
            yield self._index(number)

    def _people(self) -> Place:
        emptied = Anonymise({"email": RandomToken(suffix="@erased.invalid"), "name": Redact()})
        action = self.dice.choice((Delete(), emptied))
        return Place(self._entry("people", TABLES, f"{APP}.RndPerson", Key("key", self.type), action), "key")

    def _table(self, number: int, before: Sequence[str]) -> Place:
        name, target = f"table-{number}", f"{APP}.Rnd{number}"
        how = self.dice.choice(("key", "email", "path", "array", *(("rows", "through") if before else ())))
        above = self.dice.choice(before) if how == "rows" else before[0] if how == "through" else ""
        if how == "through":
            return Place(
                self._entry(name, TABLES, target, Through("above__owner", self.type), Delete()),
                how,
                "table-0",
            )
        locators: dict[str, Locator] = {
            "key": Key("owner", self.type),
            "email": Key("email", str, by="email"),
            "path": Path("data.of.owner", self.stored),
            "array": Array("data.members[].by", self.stored),
            "rows": Rows(above, "parent", int),
        }
        return Place(self._entry(name, TABLES, target, locators[how], self._action(how)), how, above)

    def _collection(self, number: int, tables: Sequence[str]) -> Place:
        how = self.dice.choice(("key", "email", "path", "array", "rows"))
        above = self.dice.choice(tables) if how == "rows" else ""
        locators: dict[str, Locator] = {
            "key": Key("owner", self.type),
            "email": Key("email", str, by="email"),
            "path": Path("of.owner", self.type),
            "array": Array("members[].by", self.type),
            "rows": Rows(above, "parent", int),
        }
        name = f"collection-{number}"
        return Place(
            self._entry(name, COLLECTIONS, f"rnd{number}", locators[how], self._action(how)), how, above
        )

    def _index(self, number: int) -> Place:
        how = self.dice.choice(("key", "email", "array"))
        locators: dict[str, Locator] = {
            "key": Key("owner", self.stored),
            "email": Key("email", str, by="email"),
            "array": Array("members[].by", self.stored),
        }
        return Place(
            self._entry(f"index-{number}", INDEXES, f"rnd{number}", locators[how], self._action(how)), how
        )

    def _action(self, how: str) -> Action:
        if how == "array":
            return Pull()
        kept = Retain("17(3)(b)", "tax law", "2036", minimise={"name": Redact()})
        return self.dice.choice((Delete(), Delete(), Anonymise({"name": Redact()}), Unset(("name",)), kept))

    @staticmethod
    def _entry(name: str, store: str, target: str, locator: Locator, action: Action) -> Entry:
        return Entry(id=name, store=store, target=target, locator=locator, action=action, fields=("name",))

    def install(self) -> None:
        """Put the map in the place of the sample project's."""
        from examples.streaming import privacy
        from examples.streaming.documents import privacy as documents

        privacy.SUBJECT = Subject(
            model=f"{APP}.RndPerson", key="key", type=self.type, lookups=("email",), folds={"email": "email"}
        )
        privacy.DATA_MAP = [place.entry for place in self.places]
        privacy.RECIPIENTS = []
        documents.DATA_MAP = []
        rules = {"batch_size": self.batch, "retry_seconds": 0, "open_findings": "allow", "attempts": 50}
        settings.ACCORD["POLICY"] = {"erasure": rules}
        for model in self.models.values():
            assert apps.get_model(model._meta.label) is model

    @cached_property
    def models(self) -> dict[str, type[models.Model]]:
        """The models of its tables, by entry; the first time they are made."""
        keys: dict[Any, Any] = {
            int: models.BigIntegerField,
            str: models.CharField,
            uuid.UUID: models.UUIDField,
        }

        def key(**more: Any) -> Any:
            return keys[self.type](**({"max_length": 60} if self.type is str else {}), **more)

        made: dict[str, type[models.Model]] = {}
        for place in self.places:
            if place.entry.store != TABLES:
                continue
            own: dict[str, Any] = {
                "email": models.CharField(max_length=200, null=True),
                "name": models.TextField(null=True),
            }
            if place.entry.id == "people":
                own |= {"key": key(unique=True)}
            else:
                own |= {
                    "owner": key(null=True, db_index=True),
                    "data": models.JSONField(null=True),
                    "parent": models.BigIntegerField(null=True),
                }
            if place.how == "through":
                own["above"] = models.ForeignKey(made["table-0"], models.DO_NOTHING, null=True)
            meta = type("Meta", (), {"app_label": APP})
            attributes = {"__module__": f"examples.{APP}.models", "Meta": meta, **own}
            made[place.entry.id] = type(place.entry.target.partition(".")[2], (models.Model,), attributes)
        return made

    # --- the stores --------------------------------------------------------------------------

    def create(self) -> None:
        """Make tables and indexes; collections come by themselves."""
        with connection.schema_editor() as editor:
            for model in self.models.values():
                editor.create_model(model)
        kind = "long" if self.stored is int else "keyword"
        properties = {
            "owner": {"type": kind},
            "email": {"type": "keyword"},
            "name": {"type": "keyword"},
            "members": {"properties": {"by": {"type": kind}, "text": {"type": "keyword"}}},
        }
        for place in self._of(INDEXES):
            self._search("PUT", place, "", {"mappings": {"properties": properties}})

    def fill(self) -> None:
        """Give everybody something everywhere, and everybody a share of what is shared."""
        for place in self.places:
            for person in self.people:
                for number in range(1 if place.entry.id == "people" else 3):
                    self.put(place, person, f"{person.word} {number}", spelt=number == 1)
            if place.how == "array":
                self._write(place, {"members": [self._member(place, one, one.word) for one in self.people]})

    def put(self, place: Place, person: Person, name: str, *, spelt: bool = False) -> None:
        """Put one row or document of a person into a place, which only its locator leads to."""
        row: dict[str, Any] = {"name": name}
        match place.how:
            case "key" if place.entry.id == "people":
                row |= {"key": person.key, "email": person.email}
            case "key":
                row["owner"] = self._stored(place, person.key)
            case "email":
                row["email"] = person.spelt if spelt else person.email
            case "path":
                row["of"] = {"owner": self._stored(place, person.key)}
            case "array":
                row = {"members": [self._member(place, person, name)]}
            case "rows":
                row["parent"] = self._above(place, person)
            case "through":
                row["above_id"] = self._above(place, person)
        self._write(place, row)

    def _above(self, place: Place, person: Person) -> int | None:
        """Return a row of the place above that is this person's for certain; it is made."""
        above = next(one for one in self.places if one.entry.id == place.above)
        if place.how == "through":
            row: Any = self.models["table-0"]._base_manager.create(owner=person.key)
            return int(row.pk)
        self.put(above, person, f"{person.word} above")
        newest: Any = self.models[above.entry.id]._base_manager.order_by("-pk").first()
        return int(newest.pk)

    def _member(self, place: Place, person: Person, text: str) -> dict[str, Any]:
        return {"by": self._stored(place, person.key), "text": text}

    def _stored(self, place: Place, key: Any) -> Any:
        in_json = place.entry.store == INDEXES or (place.entry.store == TABLES and place.how != "key")
        if isinstance(key, uuid.UUID):
            from bson import Binary

            return str(key) if in_json else Binary.from_uuid(key) if place.entry.store == COLLECTIONS else key
        return key

    def _write(self, place: Place, row: dict[str, Any]) -> None:
        from examples.streaming.stores import collections

        if place.entry.store == COLLECTIONS:
            collections()[place.entry.target].insert_one(row)
        elif place.entry.store == INDEXES:
            self._search("POST", place, "_doc?refresh=true", row)
        else:
            inside = {name: row.pop(name) for name in ("of", "members") if name in row}
            self.models[place.entry.id]._base_manager.create(**row, **({"data": inside} if inside else {}))

    def _search(self, method: str, place: Place, path: str, body: Any = None) -> Any:
        from examples.streaming.stores import search
        from searchindex.transport import at

        name = at(search().names.alias(place.entry.target))
        return search().transport.request(method, f"{name}/{path}" if path else name, body).body

    def _of(self, store: str) -> list[Place]:
        return [place for place in self.places if place.entry.store == store]

    def comes_back(self, person: Person) -> bool:
        """Let somebody sign up; False while another one has the address."""
        from accord.erased.folding import Fold, folded

        wanted = folded(person.email, Fold.EMAIL)
        held = self.models["people"]._base_manager.values_list("email", flat=True)
        if any(folded(one or "", Fold.EMAIL) == wanted for one in held):
            return False
        for place in self.places:
            self.put(place, person, f"{person.word} new")
        return True

    def content(self) -> dict[str, list[str]]:
        """Read every row and document of every place, as text, sorted."""
        return {place.entry.id: sorted(self._rows(place)) for place in self.places}

    def _rows(self, place: Place) -> Iterator[str]:
        from examples.streaming.stores import collections

        if place.entry.store == COLLECTIONS:
            found: Any = collections()[place.entry.target].find()
        elif place.entry.store == INDEXES:
            self._search("POST", place, "_refresh")
            hits = self._search("POST", place, "_search", {"size": 1000})["hits"]["hits"]
            found = [{"_id": hit["_id"], **hit["_source"]} for hit in hits]
        else:
            found = self.models[place.entry.id]._base_manager.values()
        yield from (json.dumps(row, default=str, sort_keys=True, ensure_ascii=False) for row in found)


def without(rows: dict[str, list[str]], words: Sequence[str]) -> dict[str, list[str]]:
    """Return what is left of places without all that any of the words stands in: rows, and shares of rows."""
    found: dict[str, list[str]] = {}
    for place, listed in rows.items():
        shares = [_without(json.loads(one), words) for one in listed]
        left = [json.dumps(one, sort_keys=True, ensure_ascii=False) for one in shares]
        found[place] = sorted(one for one in left if "zqx" in one and not any(word in one for word in words))
    return found


def _without(value: Any, words: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [one for one in value if not any(word in str(one) for word in words)]
    return {name: _without(one, words) for name, one in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    # `gdpr_process` with the map of a seed, killed at a line: python -m tests.random_maps SEED LINE
    import django

    django.setup()
    RandomMap(sys.argv[1]).install()
    from tests.acceptance.mortal import Mortality, run
    from tests.acceptance.mortal_erasure import SAGA

    run(Mortality(int(sys.argv[2]), ("accord", "gdpr"), SAGA), ["gdpr_process", "--format", "json"])
