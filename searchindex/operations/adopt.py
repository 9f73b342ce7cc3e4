"""Adopting an index that applications made: from a plain index to an alias with an index behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import ConflictingState
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.names import checked
from searchindex.operations.base import conflict
from searchindex.operations.index import CreateIndex, index_differences, is_index
from searchindex.reindex import swap
from searchindex.requests import Request, opaque
from searchindex.transport import at

_MADE, _FOUND, _NAMED, _SWAPPED = "made", "found", "named", "swapped"
_LOCK = "index.blocks.write"


@dataclass(frozen=True)
class AdoptIndex(CreateIndex):
    """
    Put an alias in front of an index that is there; make both where nothing is.

    With `index`, that index gets the alias, and nothing else changes. Without it, the plain index of the
    alias's own name is swapped for a clone of it: writes are refused for as long as that takes, some
    seconds. Undoing never touches the documents: they were found.

    Attributes:
        name: The alias.
        mappings: As in :class:`CreateIndex`: what has to be there.
        settings: As above.
        index: Name of the index that shall get the alias, where that is another one.
    """

    index: str = ""

    def __post_init__(self) -> None:
        """Refuse names that no server takes."""
        super().__post_init__()
        if self.index:
            checked(self.index)

    @property
    def title(self) -> str:
        return f"adopt index {self.index} as {self.name}" if self.index else f"adopt index {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        alias = context.deployment.alias(self.name)
        if found := context.aliases.targets(alias):
            return self._found(context, alias, sorted(found))
        plain = self._plain(context.deployment)
        if plain != alias and is_index(context, alias):
            raise ConflictingState(
                f"{alias} is an index itself, so {plain} can't have it as its alias.",
                hint=f'Write AdoptIndex("{self.name}") for that index, or choose another name.',
            )
        live = context.index(plain)
        if live is None:
            return {"how": _MADE, **super().capture(context)}
        self._refuse_different(context, plain, live)
        if plain != alias:
            return {"how": _NAMED, "index": plain}
        return self._before_swap(context, live)

    def apply(self, context: Context) -> int:
        match context.saved["how"]:
            case "made":
                return super().apply(context)
            case "named":
                return self._name(context, context.saved["index"])
            case "swapped":
                return self._swap(context)
        return 0

    def revert(self, context: Context) -> int:
        alias = context.deployment.alias(self.name)
        match context.saved.get("how", _FOUND):
            case "made":
                return super().revert(context)
            case "named":
                found = dict(context.aliases.targets(alias))
                was_there = found.pop(context.saved["index"], None) is not None
                context.aliases.set_targets(alias, found)
                context.leave(f"index {context.saved['index']}")
                return int(was_there)
            case "swapped" if is_index(context, alias):
                return swap.give_up(context, self._swap_of(context))
        context.leave(f"alias {alias} and the index behind it")
        return 0

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the alias, the clone or the block stands."""
        from searchindex.reindex.block import is_blocked

        how = context.saved.get("how", _FOUND)
        if not begun or how == _FOUND:
            return False
        if how == _MADE:
            return super().left_something(context, begun=begun)
        if context.aliases.targets(context.deployment.alias(self.name)):
            return True
        if how == _NAMED:
            return False
        wanted = self._swap_of(context)
        held = not wanted.blocked_before and is_blocked(context, wanted.name)
        return held or context.index(wanted.target) is not None

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        facts = self.capture(context) if direction is Direction.APPLY else {"how": _MADE}
        if facts["how"] == _MADE:
            yield from super().foretell(context, direction)
            return
        from searchindex import looks

        text, lock = {
            _FOUND: ("It is there already, with {}.", ""),
            _NAMED: ("{} are in the index, which gets the alias.", ""),
            _SWAPPED: ("{} are in the index, which takes no writes while a clone takes its place.", _LOCK),
        }[facts["how"]]
        if lock:
            yield from looks.blocks(context, self.title, self._plain(context.deployment))
        index = facts.get("index", context.deployment.alias(self.name))
        yield from looks.size(context, self.title, index, text, lock)

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.REVERT:
            yield opaque(f"Leaves the documents where they are: the index behind {alias} was found there.")
        elif self.index:
            yield opaque(f"If {self._plain(deployment)} is there, it gets the alias {alias}:")
            yield _named(alias, self._plain(deployment))
        else:
            yield opaque(f"If {alias} is an index, a clone takes its place; writes are refused meanwhile:")
            yield from self._shown_swap(deployment)
        if direction is Direction.APPLY:
            yield opaque("Where there is neither index nor alias, both are made:")
            yield from super().requests(deployment, direction)

    def _shown_swap(self, deployment: Deployment) -> Iterator[Request]:
        from searchindex.reindex.block import blocked

        prefix, alias = deployment.names.prefix, deployment.alias(self.name)
        wanted = swap.Swap(name=alias, target=deployment.physical(self.name), mark=f"{prefix}accord-adopting")
        yield blocked(alias)
        yield swap.cloned(wanted, {})
        yield swap.swapped(wanted, {})

    def _plain(self, deployment: Deployment) -> str:
        return deployment.alias(self.index or self.name)

    def _found(self, context: Context, alias: str, indexes: list[str]) -> Mapping[str, Any]:
        """Accept an alias that is there, as one that a baseline would adopt."""
        if len(indexes) > 1:
            raise ConflictingState(
                f"Behind the alias {alias} stand several indexes: {', '.join(indexes)}.",
                hint="Point it at one of them, or choose another name.",
            )
        if self.index and indexes != [self._plain(context.deployment)]:
            raise ConflictingState(
                f"The alias {alias} points at {indexes[0]}, and not at {self._plain(context.deployment)}.",
                hint="Name that index in the revision, or choose another alias.",
            )
        self._refuse_different(context, indexes[0], context.index(indexes[0]) or {})
        return {"how": _FOUND}

    def _before_swap(self, context: Context, live: Mapping[str, Any]) -> Mapping[str, Any]:
        from searchindex.reindex.block import is_blocked

        plain, prefix = self._plain(context.deployment), context.deployment.names.prefix
        facts = {
            "how": _SWAPPED,
            "mark": swap.mark_of(prefix, str(live["settings"]["index.uuid"])),
            "blocked": is_blocked(context, plain),
        }
        swap.refuse_foreign(context, self._swap_by(context.deployment, facts))
        return facts

    def _refuse_different(self, context: Context, index: str, live: Mapping[str, Any]) -> None:
        body = self._body(context.deployment)
        differences = index_differences(context, body["mappings"], body["settings"], live)
        if differences:
            raise conflict(f"The index {index}", differences)

    def _name(self, context: Context, index: str) -> int:
        alias = context.deployment.alias(self.name)
        if index in context.aliases.targets(alias):
            return 0
        context.send(_named(alias, index))
        return 1

    def _swap(self, context: Context) -> int:
        """Swap, unless an earlier try did: then its name is an alias already."""
        alias = context.deployment.alias(self.name)
        if context.deployment.physical(self.name) in context.aliases.targets(alias):
            return 0
        return swap.swap(context, self._swap_of(context))

    def _swap_of(self, context: Context) -> swap.Swap:
        return self._swap_by(context.deployment, context.saved)

    def _swap_by(self, deployment: Deployment, facts: Mapping[str, Any]) -> swap.Swap:
        return swap.Swap(
            name=deployment.alias(self.name),
            target=deployment.physical(self.name),
            mark=facts["mark"],
            blocked_before=facts["blocked"],
        )


def _named(alias: str, index: str) -> Request:
    """Build the request that puts an alias in front of an index."""
    return Request("PUT", at(index, "_alias", alias), {"is_write_index": True})
