"""Operations on indexes: create one or several, drop one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, StepKey
from mongo_migrations import definitions, index_looks, rendering
from mongo_migrations.context import Context
from mongo_migrations.looks import Target
from mongo_migrations.operations.base import Operation, conflict
from mongo_migrations.rendering import Request
from mongo_migrations.schema import Fact, Outline, read_collection, read_indexes

Keys = Sequence[tuple[str, int | str]]

# IndexOptionsConflict and IndexKeySpecsConflict: something like it is there, and not the same.
_CONFLICTS = frozenset({85, 86})
# NamespaceNotFound and IndexNotFound: what should go is gone.
_GONE = frozenset({26, 27})


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """
    What can be said of an index beside its keys.

    Attributes:
        name: Its name; by default fields and directions, as MongoDB names it.
        unique: True to refuse a second document with the same key.
        sparse: True to leave out documents without the field.
        hidden: True to keep it up to date without any query using it.
        expire_after_seconds: Age of the date in the field at which a document is removed.
        partial_filter: Only documents that match it are in the index.
        collation: How texts compare, such as `{"locale": "fr", "strength": 2}`.
        weights: Weight of each field of a text index.
        wildcard_projection: Fields that a wildcard index takes or leaves.
        options: Anything else that `createIndexes` takes, in its own words.
    """

    name: str = ""
    unique: bool = False
    sparse: bool = False
    hidden: bool = False
    expire_after_seconds: int | None = None
    partial_filter: Mapping[str, Any] | None = None
    collation: Mapping[str, Any] | None = None
    weights: Mapping[str, int] | None = None
    wildcard_projection: Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Index(IndexOptions):
    """
    Definition of an index: its keys, and the options of :class:`IndexOptions`.

    Attributes:
        keys: Fields in order, as `[("owner_id", 1), ("name", -1)]`; also `"text"`, `"2dsphere"`, `"hashed"`.
    """

    keys: Keys

    @property
    def called(self) -> str:
        """Its name, the default one where none is given."""
        return self.name or "_".join(f"{key}_{kind}" for key, kind in self.keys)

    def definition(self) -> Mapping[str, Any]:
        """Return the definition as the `createIndexes` command takes it."""
        declared = {
            "unique": self.unique or None,
            "sparse": self.sparse or None,
            "hidden": self.hidden or None,
            "expireAfterSeconds": self.expire_after_seconds,
            "partialFilterExpression": self.partial_filter,
            "collation": self.collation,
            "weights": self.weights,
            "wildcardProjection": self.wildcard_projection,
            **self.options,
        }
        given = {name: value for name, value in declared.items() if value is not None}
        return {"key": dict(self.keys), "name": self.called, **given}


@dataclass(frozen=True)
class CreateIndexes(Operation):
    """
    Build several indexes of a collection in one pass over it; undone by dropping those that it built.

    Attributes:
        collection: The collection; created if it does not exist, as MongoDB does.
        indexes: Their definitions.
    """

    collection: str
    indexes: Sequence[Index]

    def capture(self, context: Context) -> Mapping[str, Any]:
        # All of them, because the file may be mended before the operation is done.
        return {"found": sorted(read_indexes(context.db, self.collection)), "of": self.collection}

    def apply(self, context: Context) -> int:
        return _create(context, self.collection, self.indexes)

    def revert(self, context: Context) -> int:
        return sum(self._drop(context, index.called) for index in reversed(self.indexes))

    def _drop(self, context: Context, name: str) -> int:
        found = context.saved("found")
        # Earlier versions kept nothing; what isn't known to be ours stays, too.
        if found is None or name in found or context.saved("of") != self.collection:
            context.leave(f"index {name} of {self.collection}")
            return 0
        return _drop(context, self.collection, name)

    def requests(self, direction: Direction) -> Sequence[Request]:
        if direction is Direction.APPLY:
            return [_create_indexes(self.collection, [index.definition() for index in self.indexes])]
        return [_drop_index(self.collection, index.called) for index in reversed(self.indexes)]

    @property
    def looks_at(self) -> frozenset[str]:
        named = (f"index {index.called} of {self.collection}" for index in self.indexes)
        return frozenset({self.collection, f"indexes of {self.collection}", *named})

    def touches(self, context: Context) -> Collection[str] | None:
        made = {f"index {index.called} of {self.collection}" for index in self.indexes}
        return made if read_collection(context.db, self.collection) else {*made, self.collection}

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.APPLY:
            yield from _foretold(context, self.collection, self.indexes, self.title)

    def outline(self, outline: Outline, owner: StepKey) -> None:
        for index in self.indexes:
            outline.indexes[self.collection, index.called] = Fact(owner, index.definition())


@dataclass(frozen=True)
class CreateIndex(IndexOptions, Operation):
    """
    Build an index; undone by dropping it, unless it was found there.

    Takes the options of :class:`IndexOptions`, too.

    Attributes:
        collection: The collection; created if it does not exist, as MongoDB does.
        keys: Fields in order, as for :class:`Index`.
    """

    collection: str
    keys: Keys

    @property
    def _several(self) -> CreateIndexes:
        options = {item.name: getattr(self, item.name) for item in fields(IndexOptions)}
        return CreateIndexes(self.collection, [Index(self.keys, **options)])

    def capture(self, context: Context) -> Mapping[str, Any]:
        return self._several.capture(context)

    def apply(self, context: Context) -> int:
        return self._several.apply(context)

    def revert(self, context: Context) -> int:
        return self._several.revert(context)

    def requests(self, direction: Direction) -> Sequence[Request]:
        return self._several.requests(direction)

    @property
    def looks_at(self) -> frozenset[str]:
        return self._several.looks_at

    def touches(self, context: Context) -> Collection[str] | None:
        return self._several.touches(context)

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        return self._several.foretell(context, direction)

    def outline(self, outline: Outline, owner: StepKey) -> None:
        self._several.outline(outline, owner)


@dataclass(frozen=True)
class DropIndex(Operation):
    """
    Drop an index; undone by building it again.

    Attributes:
        collection: The collection.
        index: Its definition, or its name alone. With a name, the definition that the server
            gives is kept in the ledger for the revert.
    """

    collection: str
    index: Index | str

    @property
    def title(self) -> str:
        return f"DropIndex {self._name} of {self.collection}"

    @property
    def _name(self) -> str:
        return self.index if isinstance(self.index, str) else self.index.called

    def capture(self, context: Context) -> Mapping[str, Any]:
        if self._name not in read_indexes(context.db, self.collection):
            context.note(f"There is no index {self._name} of {self.collection} to drop.")
        return {}

    def apply(self, context: Context) -> int:
        found = read_indexes(context.db, self.collection).get(self._name)
        if found is None:
            return 0
        if isinstance(self.index, Index):
            _refuse_other(context, self.collection, self.index.definition(), found)
        context.saved_once("definition", lambda: found)
        return _drop(context, self.collection, self._name)

    def revert(self, context: Context) -> int:
        if isinstance(self.index, Index):
            return _create(context, self.collection, [self.index])
        saved = context.saved("definition")
        # Nothing was saved if there was nothing to drop, so there is nothing to bring back.
        return 0 if saved is None else _send(context, self.collection, [saved])

    def requests(self, direction: Direction) -> Sequence[Request]:
        if direction is Direction.APPLY:
            return [_drop_index(self.collection, self._name)]
        if isinstance(self.index, Index):
            return [_create_indexes(self.collection, [self.index.definition()])]
        text = f"Builds index {self._name} of {self.collection} again, as it was when it was dropped."
        return [rendering.opaque(text)]

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.collection, f"index {self._name} of {self.collection}"})

    def touches(self, context: Context) -> Collection[str] | None:
        # Another index may take its fields then, so that nobody can look at any yet.
        return {f"index {self._name} of {self.collection}", f"indexes of {self.collection}"}

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            if isinstance(self.index, Index):
                yield from _foretold(context, self.collection, [self.index], self.title)
            return
        target = Target(context, self.collection, self.title)
        found = read_indexes(context.db, self.collection).get(self._name)
        if found is None:
            yield target.told(Outlook.NOTE, "There is no such index; nothing is sent.")
            return
        if isinstance(self.index, Index):
            _refuse_other(context, self.collection, self.index.definition(), found)
        yield from target.size("{} are in the collection.")

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.indexes[self.collection, self._name] = Fact(owner, None)


def _foretold(context: Context, collection: str, indexes: Sequence[Index], what: str) -> Iterator[Foretold]:
    def refuse(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        _refuse_other(context, collection, wanted, found)

    target = Target(context, collection, what)
    return index_looks.look(target, [index.definition() for index in indexes], refuse_other=refuse)


def _create(context: Context, collection: str, indexes: Sequence[Index]) -> int:
    return _send(context, collection, [index.definition() for index in indexes])


def _send(context: Context, collection: str, wanted: Sequence[Mapping[str, Any]]) -> int:
    from pymongo.errors import OperationFailure

    before = read_indexes(context.db, collection)
    missing = [definition for definition in wanted if definition["name"] not in before]
    for definition in wanted:
        if definition["name"] in before:
            _refuse_other(context, collection, definition, before[definition["name"]])
    if not missing:
        return 0
    try:
        # "votingMembers" is the server's default; it is right also for a single node.
        context.command(_create_indexes(collection, missing))
    except OperationFailure as exc:
        if exc.code not in _CONFLICTS:
            raise
        raise _same_under_another_name(context, collection, missing) from exc
    return len(missing)


def _refuse_other(
    context: Context, collection: str, wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> None:
    owner = read_collection(context.db, collection)
    collation = owner.options.get("collation") if owner else None
    differences = definitions.index_differences(wanted, found, collation)
    if differences:
        raise conflict(context.key, f"index {wanted['name']} of {collection}", differences)


def _same_under_another_name(
    context: Context, collection: str, wanted: Sequence[Mapping[str, Any]]
) -> Exception:
    live = read_indexes(context.db, collection).values()
    for definition in wanted:
        key = list(definitions.normalised_index(definition)["key"].items())
        for found in live:
            if list(found["key"].items()) == key:
                differences = definitions.index_differences(definition, found)
                named = f"name is {found['name']}, declared is {definition['name']}"
                return conflict(
                    context.key, f"an index of {collection} on these fields", [named, *differences]
                )
    # A text index conflicts with any other text index, whatever its fields.
    names = ", ".join(found["name"] for found in live)
    return conflict(context.key, f"an index of {collection}", [f"there are {names}"])


def _drop(context: Context, collection: str, name: str) -> int:
    from pymongo.errors import OperationFailure

    try:
        context.command(_drop_index(collection, name))
    except OperationFailure as exc:
        if exc.code not in _GONE:
            raise
        return 0
    return 1


def _create_indexes(collection: str, definitions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"createIndexes": collection, "indexes": definitions}


def _drop_index(collection: str, name: str) -> Mapping[str, Any]:
    return {"dropIndexes": collection, "index": name}
