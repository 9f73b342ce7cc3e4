"""
The schema that a database should have and the one it has.

An :class:`Outline` is what operations say should stand after them; a :class:`LiveSchema` is
what the server answers. Their comparison judges each step by the facts that it set last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from accord.revisions import expectation
from accord.revisions.expectation import Judgement
from accord.seam.types import Probe, StepKey
from mongo_migrations import definitions, ids
from mongo_migrations.rendering import render

if TYPE_CHECKING:
    from pymongo.database import Database

Document = dict[str, Any]
Differ = Callable[[Mapping[str, Any], Mapping[str, Any]], Sequence[str]]


@dataclass(frozen=True)
class Fact:
    """
    Something that should stand, or should be gone.

    Attributes:
        owner: Step that set it last.
        definition: How it should be; None means that it must not exist.
    """

    owner: StepKey
    definition: Mapping[str, Any] | None


@dataclass
class Outline:
    """
    What a database should hold after some operations.

    Attributes:
        collections: By name: options without the validator.
        validators: By collection: validator, level and action.
        indexes: By collection and name: definition.
        opaque: Steps with effects that can't be looked at (Python, documents).
    """

    collections: dict[str, Fact] = field(default_factory=dict)
    validators: dict[str, Fact] = field(default_factory=dict)
    indexes: dict[tuple[str, str], Fact] = field(default_factory=dict)
    opaque: set[StepKey] = field(default_factory=set)

    def forget_contents(self, collection: str) -> None:
        """Drop every fact about what a collection holds: it is gone."""
        self.validators.pop(collection, None)
        for place in [place for place in self.indexes if place[0] == collection]:
            del self.indexes[place]

    def move_contents(self, old: str, new: str) -> None:
        """Take the facts about a collection along to its new name."""
        if old in self.validators:
            self.validators[new] = self.validators.pop(old)
        for place in [place for place in self.indexes if place[0] == old]:
            self.indexes[new, place[1]] = self.indexes.pop(place)


@dataclass(frozen=True)
class LiveCollection:
    """
    A collection as the server describes it.

    Attributes:
        name: Its name.
        options: As `listCollections` gives them.
        uuid: Survives a rename and not a drop; None for views and time series. See :func:`identity`.
    """

    name: str
    options: Mapping[str, Any]
    uuid: Any


class LiveSchema:
    """
    What a server answers about a database; each question is asked once, when it comes up.

    Args:
        db: The database.
    """

    def __init__(self, db: Database[Document]) -> None:
        self._db = db
        self._collections: dict[str, LiveCollection] | None = None
        self._indexes: dict[str, dict[str, Document]] = {}

    def collection(self, name: str) -> LiveCollection | None:
        """Describe a collection, None when there is none."""
        return self._all().get(name)

    def names(self) -> Sequence[str]:
        """Name every collection and view."""
        return sorted(self._all())

    def options(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the options of every collection and view."""
        return {name: found.options for name, found in self._all().items()}

    def is_plain(self, name: str) -> bool:
        """Check that a collection is neither a view nor a time series."""
        return not {"viewOn", "timeseries"} & self._all()[name].options.keys()

    def index(self, collection: str, name: str) -> Document | None:
        """Describe an index, None when there is none."""
        return self.indexes(collection).get(name)

    def indexes(self, collection: str) -> Mapping[str, Document]:
        """Describe the indexes of a collection by name; none when it does not exist."""
        if collection not in self._indexes:
            self._indexes[collection] = read_indexes(self._db, collection)
        return self._indexes[collection]

    def _all(self) -> Mapping[str, LiveCollection]:
        if self._collections is None:
            described = (_described(answer) for answer in _plain(self._db).list_collections())
            self._collections = {found.name: found for found in described}
        return self._collections


def read_collection(db: Database[Document], name: str) -> LiveCollection | None:
    """Ask the server for one collection."""
    return next((_described(answer) for answer in _plain(db).list_collections(filter={"name": name})), None)


def identity(db: Database[Document], collection: LiveCollection) -> str:
    """
    Return what tells a collection from a later one of its name.

    A time series is known by its buckets, which alone have an identity; a view holds nothing, and is known
    by what it shows.
    """
    if collection.uuid is not None:
        return str(collection.uuid)
    buckets = read_collection(db, f"system.buckets.{collection.name}")
    return str(buckets.uuid) if buckets else render(collection.options)


def read_indexes(db: Database[Document], collection: str) -> dict[str, Document]:
    """Ask the server for the indexes of a collection by name; none when it does not exist."""
    return {answer["name"]: dict(answer) for answer in db[collection].list_indexes()}


def _plain(db: Database[Document]) -> Database[Document]:
    """Return the database without the options of the URL that would make other values of its answers."""
    return db.with_options(codec_options=ids.lossless())


def _described(answer: Mapping[str, Any]) -> LiveCollection:
    return LiveCollection(
        name=answer["name"], options=answer.get("options", {}), uuid=answer.get("info", {}).get("uuid")
    )


def judge(key: StepKey, outline: Outline, live: LiveSchema) -> Probe:
    """
    Judge a step by the facts that it set last.

    Args:
        key: The step.
        outline: What should stand after all the steps.
        live: What the server answers.
    """
    found = list(_findings(key, outline, live))
    if key not in outline.opaque:
        return expectation.judge(key, found)
    if not found:
        return expectation.unknown(key, "It changes documents only.")
    return expectation.judge(key, found, ["It changes documents, too, and those are not looked at."])


def _findings(key: StepKey, outline: Outline, live: LiveSchema) -> Iterator[Judgement]:
    for name, fact in outline.collections.items():
        if fact.owner == key:
            options = _options(live, name)
            yield _finding(fact, f"Collection {name}", options, definitions.collection_differences)
    for name, fact in outline.validators.items():
        if fact.owner == key:
            options = _options(live, name)
            yield _finding(fact, f"Validation of {name}", options, definitions.validation_differences)
    for (collection, name), fact in outline.indexes.items():
        if fact.owner == key:
            collation = (_options(live, collection) or {}).get("collation")
            differ = partial(definitions.index_differences, collation=collation)
            yield _finding(fact, f"Index {name} of {collection}", live.index(collection, name), differ)


def _options(live: LiveSchema, collection: str) -> Mapping[str, Any] | None:
    found = live.collection(collection)
    return None if found is None else found.options


def _finding(fact: Fact, place: str, found: Mapping[str, Any] | None, differ: Differ) -> Judgement:
    if fact.definition is None:
        if found is None:
            return expectation.GONE
        return expectation.left(f"{place} is still there.")
    if found is None:
        return expectation.missing(f"{place} does not exist.")
    return expectation.compared(f"{place}: {line}." for line in differ(fact.definition, found))
