"""Aliases beside the one that an index is made with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from accord.errors import ConflictingState
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, Statement
from searchindex.aliases import Targets, pointed, same_definition, same_targets
from searchindex.context import Context, Deployment
from searchindex.definitions import Body
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation, conflict
from searchindex.requests import Request, behind, opaque

# Which of several indexes takes the writes says nothing once there is one.
_OF_ONE_INDEX = frozenset({"is_write_index"})
_STANDS_FOR = {"routing": ("index_routing", "search_routing")}


@dataclass(frozen=True)
class _Alias(Operation):
    """
    What the operations on aliases share: one atomic call, read back; undoing restores.

    Attributes:
        name: The alias.
    """

    needs_saved = True

    name: str

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name, "alias")

    @abstractmethod
    def _wanted(self, before: Targets, index: str) -> Targets:
        """Return what shall be behind the alias; `index` is the one that it shall point at."""

    def _index(self, name: Callable[[str], str]) -> str:
        """Return the index that it shall point at; `name` tells which one is behind an alias."""
        return ""

    def _shown_before(self, alias: str) -> Targets:
        return {behind(alias): {}}

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    def capture(self, context: Context) -> Mapping[str, Any]:
        alias = context.deployment.alias(self.name)
        before = context.aliases.targets(alias)
        if not before:
            context.aliases.refuse_other(alias)
        self._wanted(before, self._live_index(context))
        return {"before": before}

    def apply(self, context: Context) -> int:
        return self._set(context, self._wanted(context.saved["before"], self._live_index(context)))

    def revert(self, context: Context) -> int:
        return self._set(context, context.saved["before"])

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the alias points elsewhere than before."""
        live = context.aliases.targets(context.deployment.alias(self.name)) if begun else {}
        return begun and not same_targets(context.saved["before"], live)

    def _live_index(self, context: Context) -> str:
        return self._index(lambda name: context.aliases.behind(context.deployment.alias(name)))

    def _set(self, context: Context, wanted: Targets) -> int:
        alias = context.deployment.alias(self.name)
        if same_targets(wanted, context.aliases.targets(alias)):
            return 0
        context.aliases.set_targets(alias, wanted)
        return 1

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.REVERT:
            yield opaque(f"POST /_aliases puts the alias {alias} back where it pointed before.")
            return
        before = self._shown_before(alias)
        index = self._index(lambda name: behind(deployment.alias(name)))
        request = pointed(alias, before, self._wanted(before, index))
        if request is not None:
            yield request


@dataclass(frozen=True)
class _Pointing(_Alias):
    """
    What the operations share that point an alias at the index behind another.

    Attributes:
        to: Alias of the index.
        definition: Of the alias on that index.
    """

    to: str
    definition: Body = field(default_factory=dict)

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name, self.to})

    def touches(self, context: Context) -> Collection[str] | None:
        return {self.name}

    def _index(self, name: Callable[[str], str]) -> str:
        return name(self.to)


@dataclass(frozen=True)
class AddAlias(_Pointing):
    """
    Add the index behind one alias to another alias, with a filter if wanted.

    Attributes:
        name: The alias that gains an index.
        to: Alias of the index.
        definition: `filter`, `routing`, `is_write_index`, as in the server's documentation.
    """

    @property
    def title(self) -> str:
        return f"add alias {self.name} to {self.to}"

    def _shown_before(self, alias: str) -> Targets:
        return {}

    def _wanted(self, before: Targets, index: str) -> Targets:
        found = before.get(index)
        if found is not None and not same_definition(self.definition, found):
            raise conflict(
                f"The alias {self.name}", [f"declared {dict(self.definition)}, found {dict(found)}"]
            )
        return {**before, index: self.definition}

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("alias", self.name)
        expected.objects[key] = frozenset({*(expected.objects.get(key) or ()), self.to})
        yield key


@dataclass(frozen=True)
class SwitchAlias(_Pointing):
    """
    Point an alias at the index behind another alias, away from all that it pointed at.

    Attributes:
        name: The alias that moves.
        to: Alias of the index.
        definition: As in :class:`AddAlias`. A filter or routing that the alias has and this does not declare
            stops the step; None takes it out.
    """

    @property
    def title(self) -> str:
        return f"switch alias {self.name} to {self.to}"

    def _wanted(self, before: Targets, index: str) -> Targets:
        self._refuse_loss(before)
        return {index: {part: value for part, value in self.definition.items() if value is not None}}

    def _refuse_loss(self, before: Targets) -> None:
        """Refuse to let an alias show more than before where the revision does not say so."""
        spoken = {part for name in self.definition for part in _STANDS_FOR.get(name, (name,))}
        parts = {part for definition in before.values() for part in definition if part not in _OF_ONE_INDEX}
        if lost := ", ".join(sorted(parts - spoken)):
            raise ConflictingState(
                f"The alias {self.name} has {lost}, which the revision does not declare.",
                hint=f'Declare it, as in SwitchAlias("{self.name}", "{self.to}", {{"filter": {{...}}}}); '
                "None takes a part out.",
            )

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
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

    def capture(self, context: Context) -> Mapping[str, Any]:
        facts = super().capture(context)
        if not facts["before"]:
            context.note(f"There is no alias {context.deployment.alias(self.name)} to remove.")
        return facts

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.APPLY and not self.capture(context)["before"]:
            from searchindex.looks import told

            yield told(context, self.title, Outlook.NOTE, "There is no such alias; nothing is sent.")

    def _wanted(self, before: Targets, index: str) -> Targets:
        return {}

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("alias", self.name)
        expected.objects[key] = None
        yield key
