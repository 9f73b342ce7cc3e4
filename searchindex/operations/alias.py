"""Aliases beside the one that an index is made with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from accord.types import Direction, Language, Statement
from searchindex.aliases import Targets, same_definition, same_targets
from searchindex.definitions import Body
from searchindex.names import checked
from searchindex.operations.base import Context, Expected, Operation, Surroundings, conflict, request


@dataclass(frozen=True)
class _Alias(Operation):
    """
    What the operations on aliases share: one atomic call, read back; undoing restores.

    Attributes:
        name: The alias.
    """

    needs_saved: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name, "alias")

    @abstractmethod
    def _wanted(self, context: Context, before: Targets) -> Targets:
        """Give what shall be behind the alias."""

    def capture(self, context: Context) -> Mapping[str, Any]:
        before = context.aliases.targets(context.around.alias(self.name))
        self._wanted(context, before)
        return {"before": before}

    def apply(self, context: Context) -> int:
        return self._set(context, self._wanted(context, context.saved["before"]))

    def revert(self, context: Context) -> int:
        return self._set(context, context.saved["before"])

    def _set(self, context: Context, wanted: Targets) -> int:
        alias = context.around.alias(self.name)
        if same_targets(wanted, context.aliases.targets(alias)):
            return 0
        context.aliases.set_targets(alias, wanted)
        return 1

    def explain(self, around: Surroundings, direction: Direction) -> Iterator[Statement]:
        if direction is Direction.APPLY:
            yield request("POST", "/_aliases", {"actions": list(self._actions(around))})
        else:
            text = f"POST /_aliases puts the alias {around.alias(self.name)} back where it pointed before."
            yield Statement(text=text, language=Language.HTTP, opaque=True)

    @abstractmethod
    def _actions(self, around: Surroundings) -> Iterator[Mapping[str, Any]]:
        """Show the actions of the one call."""


@dataclass(frozen=True)
class AddAlias(_Alias):
    """
    Add the index behind one alias to another alias, with a filter if wanted.

    Attributes:
        name: The alias that gains an index.
        to: Alias of the index.
        definition: `filter`, `routing`, `is_write_index`, as in the server's documentation.
    """

    to: str
    definition: Body = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"add alias {self.name} to {self.to}"

    def _wanted(self, context: Context, before: Targets) -> Targets:
        index = context.aliases.behind(context.around.alias(self.to))
        found = before.get(index)
        if found is not None and not same_definition(self.definition, found):
            raise conflict(
                f"The alias {self.name}", [f"declared {dict(self.definition)}, found {dict(found)}"]
            )
        return {**before, index: self.definition}

    def _actions(self, around: Surroundings) -> Iterator[Mapping[str, Any]]:
        yield _add(around, self.name, self.to, self.definition)

    def foresee(self, around: Surroundings, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("alias", self.name)
        expected.objects[key] = frozenset({*(expected.objects.get(key) or ()), self.to})
        yield key


@dataclass(frozen=True)
class SwitchAlias(_Alias):
    """
    Point an alias at the index behind another alias, away from all that it pointed at.

    Attributes:
        name: The alias that moves.
        to: Alias of the index.
        definition: As in :class:`AddAlias`.
    """

    to: str
    definition: Body = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"switch alias {self.name} to {self.to}"

    def _wanted(self, context: Context, before: Targets) -> Targets:
        return {context.aliases.behind(context.around.alias(self.to)): self.definition}

    def _actions(self, around: Surroundings) -> Iterator[Mapping[str, Any]]:
        yield {
            "remove": {"index": f"<index behind {around.alias(self.name)}>", "alias": around.alias(self.name)}
        }
        yield _add(around, self.name, self.to, self.definition)

    def foresee(self, around: Surroundings, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("alias", self.name)
        expected.objects[key] = frozenset({self.to})
        yield key


@dataclass(frozen=True)
class RemoveAlias(_Alias):
    """
    Remove an alias; the indexes behind it stay.

    Attributes:
        name: The alias.
    """

    @property
    def title(self) -> str:
        return f"remove alias {self.name}"

    def _wanted(self, context: Context, before: Targets) -> Targets:
        return {}

    def _actions(self, around: Surroundings) -> Iterator[Mapping[str, Any]]:
        yield {
            "remove": {"index": f"<index behind {around.alias(self.name)}>", "alias": around.alias(self.name)}
        }

    def foresee(self, around: Surroundings, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("alias", self.name)
        expected.objects[key] = None
        yield key


def _add(around: Surroundings, name: str, to: str, definition: Body) -> Mapping[str, Any]:
    return {"add": {"index": f"<index behind {around.alias(to)}>", "alias": around.alias(name), **definition}}
