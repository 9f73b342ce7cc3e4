"""Fields that are added to an index in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accord.errors import StepFailed
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.definitions import Body, completed, mapping_differences, merged
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation
from searchindex.requests import Request, opaque
from searchindex.transport import RequestRefused, at


@dataclass(frozen=True)
class PutMapping(Operation):
    """
    Add fields, or change what a server lets one change without a copy.

    Attributes:
        name: The index.
        mappings: As in :class:`~searchindex.operations.index.CreateIndex`; what it does not
            name stays as it is.
        leave_on_revert: Say that leaving the fields where they are is undoing enough. Servers
            remove no field in place; without this the operation can't be undone.
    """

    name: str
    mappings: Body
    leave_on_revert: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name)

    @property
    def irreversible(self) -> str:
        if self.leave_on_revert:
            return ""
        return f"fields can't be taken out of the index {self.name} in place (no leave_on_revert)"

    @property
    def title(self) -> str:
        return f"put mapping {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        context.aliases.behind(context.deployment.alias(self.name))
        return {}

    def apply(self, context: Context) -> int:
        physical = context.aliases.behind(context.deployment.alias(self.name))
        wanted = context.deployment.mappings(self.mappings)
        differences = self._differences(context, physical, wanted)
        if not differences:
            return 0
        try:
            context.send(_put(physical, self._completed(context, physical, wanted)))
        except RequestRefused as exc:
            raise self._refused(exc, differences) from exc
        return 1

    def revert(self, context: Context) -> int:
        return 0

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the fields are there; a mapping is taken as a whole or not at all."""
        if not begun:
            return False
        physical = context.aliases.behind(context.deployment.alias(self.name))
        return not self._differences(context, physical, context.deployment.mappings(self.mappings))

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.APPLY:
            yield _put(alias, deployment.mappings(self.mappings))
        else:
            yield opaque(f"The fields stay in the index {alias}; nothing is sent.")

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("index", self.name)
        before = expected.objects.get(key) or {}
        mappings = merged(before.get("mappings", {}), deployment.mappings(self.mappings))
        expected.objects[key] = {**before, "mappings": mappings}
        yield key

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        from searchindex.looks import size
        from searchindex.scratch import tried

        physical = context.aliases.behind(context.deployment.alias(self.name))
        wanted = context.deployment.mappings(self.mappings)
        differences = self._differences(context, physical, wanted)
        if not differences:
            return
        try:
            whole = self._completed(context, physical, wanted)
            tried(context, context.index(physical) or {}, ("_mapping", whole))
        except RequestRefused as exc:
            raise self._refused(exc, differences) from exc
        yield from size(context, self.title, physical, "{} are in the index; none of them is read anew.")

    def _differences(self, context: Context, physical: str, wanted: Body) -> Sequence[str]:
        live = context.index(physical) or {}
        return mapping_differences(wanted, live.get("mappings", {}), closed=False)

    def _completed(self, context: Context, physical: str, wanted: Body) -> Body:
        return completed(wanted, (context.index(physical) or {}).get("mappings", {}))

    def _refused(self, exc: RequestRefused, differences: Sequence[str]) -> StepFailed:
        changed = any(not line.endswith(": missing") for line in differences)
        if changed and exc.kind == "illegal_argument_exception":
            return StepFailed(
                f"The index {self.name} can't take this mapping in place: {exc.reason}.",
                hint=f'Use Reindex("{self.name}", mappings=...): it copies and moves the alias.',
            )
        return StepFailed(
            f"The server refuses the mapping of the index {self.name}: {exc.reason}.",
            hint=exc.hint
            or "Correct the revision; analyzers and field types depend on the server's plugins.",
        )


def _put(index: str, mappings: Body) -> Request:
    return Request("PUT", at(index, "_mapping"), mappings)
