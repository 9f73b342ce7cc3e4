"""Operations on whole collections: create, drop, rename."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from accord.errors import ConflictingState, StepFailed
from accord.revisions.entry import Facts
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, StepKey
from mongo_migrations import definitions
from mongo_migrations.context import Context
from mongo_migrations.looks import Target, check_name, kind_of
from mongo_migrations.operations.base import Operation, conflict
from mongo_migrations.rendering import Request
from mongo_migrations.schema import Fact, LiveCollection, Outline, identity, read_collection

_NAMESPACE_EXISTS = 48


@dataclass(frozen=True)
class CreateCollection(Operation):
    """
    Create a collection; undone by dropping it with everything in it, unless it was found there.

    Attributes:
        name: Its name.
        validator: Query or `{"$jsonSchema": ...}` that documents must match.
        validation_level: `strict` or `moderate`.
        validation_action: `error` or `warn`.
        capped_size: Bytes after which a capped collection forgets its oldest documents.
        capped_documents: Number of documents after which it does.
        timeseries: `{"timeField": ..., "metaField": ..., "granularity": ...}`.
        expire_after_seconds: Age at which a time series or clustered collection drops documents.
        collation: Default collation, such as `{"locale": "fr", "strength": 2}`.
        clustered: True to keep the documents in the order of `_id`, without an index of its own.
        options: Anything else that the `create` command takes, in its own words.
    """

    name: str
    _: KW_ONLY
    validator: Mapping[str, Any] | None = None
    validation_level: str | None = None
    validation_action: str | None = None
    capped_size: int | None = None
    capped_documents: int | None = None
    timeseries: Mapping[str, Any] | None = None
    expire_after_seconds: int | None = None
    collation: Mapping[str, Any] | None = None
    clustered: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def definition(self) -> Mapping[str, Any]:
        """Return the options as the `create` command takes them."""
        declared = {
            "validator": self.validator,
            "validationLevel": self.validation_level,
            "validationAction": self.validation_action,
            "capped": True if self.capped_size else None,
            "size": self.capped_size,
            "max": self.capped_documents,
            "timeseries": self.timeseries,
            "expireAfterSeconds": self.expire_after_seconds,
            "collation": self.collation,
            "clusteredIndex": {"key": {"_id": 1}, "unique": True} if self.clustered else None,
            **self.options,
        }
        return {name: value for name, value in declared.items() if value is not None}

    @property
    def _create(self) -> Mapping[str, Any]:
        return {"create": self.name, **self.definition()}

    def capture(self, context: Context) -> Mapping[str, Any]:
        return {"found": self._is_there(context), "of": self.name}

    def apply(self, context: Context) -> int:
        from pymongo.errors import OperationFailure

        if self._is_there(context):
            return 0
        try:
            context.command(self._create)
        except OperationFailure as exc:
            # The application may have created it by its first write, this very moment.
            if exc.code != _NAMESPACE_EXISTS or not self._is_there(context):
                raise
            context.save("found", True)
            return 0
        return 1

    def revert(self, context: Context) -> int:
        # Earlier versions kept nothing, and the file may have named another one before it was mended.
        if context.saved("found") is not False or context.saved("of") != self.name:
            context.leave(f"collection {self.name}")
            return 0
        return drop_once(context, self.name)

    holder = "collection"

    def drops(self, saved: Facts, place: object, direction: Direction) -> Sequence[str]:
        made = saved.get("found") is False and saved.get("of") == self.name
        return [self.name] if direction is Direction.REVERT and made else []

    def requests(self, direction: Direction) -> Sequence[Request]:
        return [self._create if direction is Direction.APPLY else _drop(self.name)]

    def outline(self, outline: Outline, owner: StepKey) -> None:
        definition = self.definition()
        outline.collections[self.name] = Fact(owner, _without_validation(definition))
        outline.validators[self.name] = Fact(owner, _validation(definition))

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.name})

    def touches(self, context: Context) -> Collection[str] | None:
        return () if read_collection(context.db, self.name) else self.looks_at

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        target = Target(context, self.name, self.title)
        if direction is Direction.REVERT:
            yield from target.going("The collection goes with what it holds, unless it was found there.")
            return
        check_name(context, self.name)
        if self._is_there(context):
            yield from target.size("It is there already, with {}.", "")
            return
        from mongo_migrations.scratch import tried

        tried(target, self.definition())

    def _is_there(self, context: Context) -> bool:
        found = read_collection(context.db, self.name)
        if found is None:
            return False
        differences = [
            *definitions.collection_differences(_without_validation(self.definition()), found.options),
            *definitions.validation_differences(_validation(self.definition()), found.options),
        ]
        if differences:
            raise conflict(context.key, f"collection {self.name}", differences)
        return True


@dataclass(frozen=True)
class DropCollection(Operation):
    """
    Drop a collection; undone by the operations that restore its empty shape, if they are given.

    Attributes:
        name: Its name.
        restore: Operations that create it again, empty: `[CreateCollection(...), ...]`.
        even_with_data: True to drop it although documents are in it.
    """

    name: str
    _: KW_ONLY
    restore: Sequence[Operation] = ()
    even_with_data: bool = False

    @property
    def irreversible(self) -> str:
        """Irreversible unless it is told how to restore the empty shape."""
        return "" if self.restore else f"DropCollection({self.name!r}) does not say how to restore it."

    @property
    def title(self) -> str:
        return f"DropCollection {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        if read_collection(context.db, self.name) is None:
            context.note(f"There is no collection {self.name} to drop.")
        return {}

    def apply(self, context: Context) -> int:
        if not self.even_with_data and context.saved("dropped") is None:
            self._refuse_data(context)
        return drop_once(context, self.name)

    def revert(self, context: Context) -> int:
        return sum(operation.apply(context) for operation in self.restore)

    holder = "collection"

    def drops(self, saved: Facts, place: object, direction: Direction) -> Sequence[str]:
        return [self.name] if direction is Direction.APPLY else []

    def requests(self, direction: Direction) -> Sequence[Request]:
        if direction is Direction.APPLY:
            return [_drop(self.name)]
        return [request for operation in self.restore for request in operation.requests(Direction.APPLY)]

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.forget_contents(self.name)
        outline.collections[self.name] = Fact(owner, None)

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.name})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        target = Target(context, self.name, self.title)
        if target.live is None:
            yield target.told(Outlook.NOTE, "There is no such collection; nothing is sent.")
            return
        if not self.even_with_data:
            self._refuse_data(context)
        yield from target.going("The collection goes with what it holds.")

    def _refuse_data(self, context: Context) -> None:
        live = read_collection(context.db, self.name)
        # What a view shows is held by another collection.
        if live is None or live.options.get("viewOn"):
            return
        if context.db[self.name].find_one({}, {"_id": 1}) is not None:
            raise StepFailed(
                f"{context.key}: collection {self.name} holds documents, so it was not dropped.",
                hint="Move or delete them first, or write DropCollection(..., even_with_data=True).",
            )


@dataclass(frozen=True)
class RenameCollection(Operation):
    """
    Rename a collection, with its documents and indexes; undone by the old name.

    Attributes:
        old: Name before.
        new: Name after.
    """

    old: str
    new: str

    @property
    def title(self) -> str:
        return f"RenameCollection {self.old}"

    def apply(self, context: Context) -> int:
        return _rename_once(context, self.old, self.new)

    def revert(self, context: Context) -> int:
        return _rename_once(context, self.new, self.old)

    def renames(self, direction: Direction) -> tuple[str, str]:
        return (self.old, self.new) if direction is Direction.APPLY else (self.new, self.old)

    def requests(self, direction: Direction) -> Sequence[Request]:
        forward = direction is Direction.APPLY
        return [_rename(self.old, self.new) if forward else _rename(self.new, self.old)]

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.old, self.new})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        names = (self.old, self.new) if direction is Direction.APPLY else (self.new, self.old)
        check_name(context, names[1])
        source, target = (read_collection(context.db, name) for name in names)
        if target is not None and source is None:
            yield Target(context, names[1], self.title).told(Outlook.NOTE, "It bears that name already.")
            return
        _refuse_rename(context, *names, source, target)
        yield from Target(context, names[0], self.title).size("{} move with the name.")

    def outline(self, outline: Outline, owner: StepKey) -> None:
        known = outline.collections.get(self.old)
        definition = known.definition if known and known.definition is not None else {}
        outline.collections[self.new] = Fact(owner, definition)
        outline.collections[self.old] = Fact(owner, None)
        outline.move_contents(self.old, self.new)


def drop_once(context: Context, name: str) -> int:
    """
    Drop a collection, and not its successor.

    A run that was killed after the drop must not drop what the application created under
    the same name since then, so the collection's identity is recorded before.

    Args:
        context: Where the operation works.
        name: The collection.
    """
    found = read_collection(context.db, name)
    if found is None:
        return 0
    known = identity(context.db, found)
    if context.saved_once("dropped", lambda: known) != known:
        context.note(f"{name} was dropped before; the collection of that name is a new one and stays.")
        return 0
    context.command(_drop(name))
    return 1


def _rename_once(context: Context, old: str, new: str) -> int:
    source, target = read_collection(context.db, old), read_collection(context.db, new)
    known = context.saved(f"renamed_{new}")
    if target is not None and (source is None or known == identity(context.db, target)):
        return 0
    wanted = _refuse_rename(context, old, new, source, target)
    context.save(f"renamed_{new}", identity(context.db, wanted))
    context.command(_rename(old, new))
    return 1


def _refuse_rename(
    context: Context, old: str, new: str, source: LiveCollection | None, target: LiveCollection | None
) -> LiveCollection:
    """Return what is renamed; raise unless it is there, can be, and nothing bears the new name."""
    if source is None:
        raise StepFailed(
            f"{context.key}: there is no collection {old} to rename.",
            hint="Create it in an earlier revision, or correct the name.",
        )
    if target is not None:
        raise ConflictingState(
            f"{context.key}: {old} can't become {new}, because both exist.",
            hint=f"Look at both before you drop anything: {new} may hold the documents. "
            "Move the one that is wrong there to a third name, and run again.",
        )
    kind = kind_of(source)
    if kind in ("a view", "a time series"):
        raise StepFailed(
            f"{context.key}: {old} is {kind}, and the server renames none.",
            hint="Make a new one under the other name, and drop this one.",
        )
    return source


def _drop(name: str) -> Mapping[str, Any]:
    return {"drop": name}


def _rename(old: str, new: str) -> Mapping[str, Any]:
    return {"renameCollection": old, "to": new}


def _validation(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in definition.items() if name in definitions.VALIDATION}


def _without_validation(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in definition.items() if name not in definitions.VALIDATION}
