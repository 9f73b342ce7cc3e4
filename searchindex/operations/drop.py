"""Dropping an index: only after a look at what it holds, and at who else uses it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import ConflictingState, StepFailed
from accord.revisions.entry import Facts
from accord.seam.foretelling import Foretold, Outlook
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.counts import count
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation
from searchindex.requests import Request, behind
from searchindex.transport import at

_PLAIN = frozenset({"is_write_index"})


@dataclass(frozen=True)
class DropIndex(Operation):
    """
    Remove an index with its documents. Can't be undone.

    Attributes:
        name: The alias; the one index behind it is removed, and the alias with it.
        number: Remove instead the index that the revision of this number made, once a later
            one took its place behind the alias.
        even_with_data: True to remove it although documents are in it.
    """

    name: str
    number: str = ""
    even_with_data: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name)

    @property
    def irreversible(self) -> str:
        return f"dropping the index {self.name} removes its documents"

    @property
    def title(self) -> str:
        return f"drop index {self.name} {self.number}".rstrip()

    def capture(self, context: Context) -> Mapping[str, Any]:
        indexes = self._found(context)
        if not indexes:
            context.note(f"There is no {self._called(context.deployment)} to drop.")
        self._refuse_data(context, indexes)
        return {"indexes": indexes}

    def apply(self, context: Context) -> int:
        indexes = context.saved.get("indexes", ())
        left = [index for index in indexes if context.index(index) is not None]
        # Time may have passed since the ledger learnt their names.
        for index in left:
            self._refuse_used(context, index)
        self._refuse_data(context, left)
        if left:
            context.remove(_delete(*left))
        return len(indexes)

    def revert(self, context: Context) -> int:
        return 0

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether any of the indexes is gone."""
        return begun and any(context.index(name) is None for name in context.saved["indexes"])

    holder = "index"

    def drops(self, saved: Facts, place: Deployment, direction: Direction) -> Sequence[str]:
        return [self._target(place)] if direction is Direction.APPLY else []

    def _target(self, deployment: Deployment) -> str:
        names = deployment.names
        return names.physical(self.name, self.number) if self.number else deployment.alias(self.name)

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        if direction is Direction.APPLY:
            yield _delete(self._shown(deployment))

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        from searchindex.looks import going, told

        indexes = self.capture(context)["indexes"]
        for index in indexes:
            yield going(context, self.title, index, f"{index} goes, with what it holds.")
        if not indexes:
            yield told(context, self.title, Outlook.NOTE, "There is no such index; nothing is sent.")

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = (
            ("physical", deployment.names.physical(self.name, self.number))
            if self.number
            else ("index", self.name)
        )
        expected.objects[key] = None
        yield key

    def _shown(self, deployment: Deployment) -> str:
        if self.number:
            return deployment.names.physical(self.name, self.number)
        return behind(deployment.alias(self.name))

    def _called(self, deployment: Deployment) -> str:
        kind = "index" if self.number else "index behind an alias"
        return f"{kind} {self._target(deployment)}"

    def _found(self, context: Context) -> Sequence[str]:
        if self.number:
            physical = context.deployment.names.physical(self.name, self.number)
            found = [] if context.index(physical) is None else [physical]
        else:
            found = self._behind(context)
        for index in found:
            self._refuse_used(context, index)
        return found

    def _behind(self, context: Context) -> list[str]:
        """Return the index behind the alias; refuse an alias that is more than the name of one index."""
        alias = context.deployment.alias(self.name)
        targets = context.aliases.targets(alias)
        if not targets:
            context.aliases.refuse_other(alias)
        if len(targets) > 1:
            raise ConflictingState(
                f"Behind the alias {alias} stand several indexes: {', '.join(sorted(targets))}.",
                hint=f'Remove the alias alone with RemoveAlias("{self.name}"); '
                "drop each index by the alias that it was made with.",
            )
        if any(definition.keys() - _PLAIN for definition in targets.values()):
            raise ConflictingState(
                f"The alias {alias} shows a part of {', '.join(targets)} (a filter or routing).",
                hint=f'Remove the alias alone with RemoveAlias("{self.name}"); '
                "drop the index by the alias that it was made with.",
            )
        return list(targets)

    def _refuse_used(self, context: Context, index: str) -> None:
        own = set() if self.number else {context.deployment.alias(self.name)}
        used = ", ".join(sorted(context.aliases.of_index(index).keys() - own))
        if used:
            raise ConflictingState(
                f"The index {index} is still in use behind {used}.",
                hint="Move or remove those aliases in an earlier operation (SwitchAlias, RemoveAlias).",
            )

    def _refuse_data(self, context: Context, indexes: Sequence[str]) -> None:
        if self.even_with_data:
            return
        for index in indexes:
            number = count(context, index)
            if number:
                raise StepFailed(
                    f"The index {index} holds {number} documents, so it was not dropped.",
                    hint=f'Remove them first, or write DropIndex("{self.name}", ..., even_with_data=True).',
                )


def _delete(*indexes: str) -> Request:
    return Request("DELETE", f"{at(','.join(indexes))}?ignore_unavailable=true")
