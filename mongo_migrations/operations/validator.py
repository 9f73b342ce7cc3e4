"""Operation on the rules that a collection's documents must match."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from accord.errors import StepFailed
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, StepKey
from mongo_migrations import definitions, rendering
from mongo_migrations.context import Context
from mongo_migrations.looks import Target, kind_of, violators
from mongo_migrations.operations.base import Operation
from mongo_migrations.rendering import Request
from mongo_migrations.schema import Fact, LiveCollection, Outline, read_collection


@dataclass(frozen=True)
class SetValidator(Operation):
    """
    Set the rules for new and changed documents; undone by the rules that stood there before.

    Documents that are there already are not looked at.

    Attributes:
        collection: The collection.
        validator: Query or `{"$jsonSchema": ...}`; `{}` takes all rules away.
        validation_level: `strict`, or `moderate` to let documents that are invalid already be updated.
        validation_action: `error` or `warn`.
    """

    collection: str
    validator: Mapping[str, Any]
    _: KW_ONLY
    validation_level: str = "strict"
    validation_action: str = "error"

    def definition(self) -> Mapping[str, Any]:
        """Return the rules as the `collMod` command takes them."""
        values = (self.validator, self.validation_level, self.validation_action)
        return dict(zip(definitions.VALIDATION, values, strict=True))

    @property
    def title(self) -> str:
        return f"SetValidator {self.collection}"

    def apply(self, context: Context) -> int:
        live = self._live(context)
        # The rules of today are put away first; a rerun after a kill finds them and keeps them.
        context.saved_once("before", lambda: _rules(live))
        return self._set(context, self.definition(), live)

    def revert(self, context: Context) -> int:
        before = context.saved("before")
        # An entry without them was written by a baseline: what stood there before is unknown.
        return self._set(context, before or _rules({}), self._live(context))

    def requests(self, direction: Direction) -> Sequence[Request]:
        if direction is Direction.REVERT:
            return [rendering.opaque(f"Sets the rules of {self.collection} that stood there before.")]
        return [self._rule(self.definition())]

    def _rule(self, rules: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"collMod": self.collection, **rules}

    def outline(self, outline: Outline, owner: StepKey) -> None:
        outline.validators[self.collection] = Fact(owner, self.definition())

    @property
    def looks_at(self) -> frozenset[str]:
        return frozenset({self.collection, f"rules of {self.collection}"})

    def touches(self, context: Context) -> Collection[str] | None:
        return {f"rules of {self.collection}"}

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        from mongo_migrations.scratch import tried

        target = Target(context, self.collection, self.title)
        live = self._live(context)
        kind = kind_of(LiveCollection(name=self.collection, options=live, uuid=None))
        if kind in ("a view", "a time series"):
            raise StepFailed(
                f"{context.key}: {self.collection} is {kind}, and takes no rules.",
                hint="Set them on the collection behind it, or leave them out.",
            )
        if direction is Direction.APPLY and definitions.validation_differences(self.definition(), live):
            tried(target, self.definition())
            yield from violators(target, self.definition())
            yield from target.size("{} are not looked at by the server.")

    def _live(self, context: Context) -> Mapping[str, Any]:
        found = read_collection(context.db, self.collection)
        if found is None:
            raise StepFailed(
                f"{context.key}: there is no collection {self.collection} to set rules for.",
                hint="Create it in an earlier revision, or correct the name.",
            )
        return found.options

    def _set(self, context: Context, rules: Mapping[str, Any], live: Mapping[str, Any]) -> int:
        if not definitions.validation_differences(rules, live):
            return 0
        context.command(self._rule(rules))
        return 1


def _rules(live: Mapping[str, Any]) -> Mapping[str, Any]:
    defaults: tuple[Any, ...] = ({}, "strict", "error")
    return {name: live.get(name, usual) for name, usual in zip(definitions.VALIDATION, defaults, strict=True)}
