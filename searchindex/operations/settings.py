"""Settings that can be changed while an index is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import StepFailed
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.definitions import Body, flat_settings, settings_differences
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation
from searchindex.requests import Request, opaque
from searchindex.transport import RequestRefused, at


@dataclass(frozen=True)
class PutSettings(Operation):
    """
    Change dynamic settings of an index; undoing puts the former values back.

    Attributes:
        name: The index.
        settings: Nested or with dots; None resets a setting to its default.
    """

    needs_saved = True

    name: str
    settings: Body

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name)

    @property
    def title(self) -> str:
        return f"put settings {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        live = self._live(context)
        return {"before": {name: live.get(name) for name in flat_settings(self.settings)}}

    def apply(self, context: Context) -> int:
        return self._put(context, flat_settings(self.settings))

    def revert(self, context: Context) -> int:
        return self._put(context, context.saved["before"])

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether a setting has another value than before."""
        return begun and bool(settings_differences(context.saved["before"], self._live(context)))

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        alias = deployment.alias(self.name)
        if direction is Direction.APPLY:
            yield _put(alias, flat_settings(self.settings))
        else:
            yield opaque(f"PUT {at(alias, '_settings')} with the values that the ledger kept.")

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        key = ("index", self.name)
        before = expected.objects.get(key) or {}
        settings = {**flat_settings(before.get("settings", {})), **flat_settings(self.settings)}
        expected.objects[key] = {**before, "settings": settings}
        yield key

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        if direction is Direction.REVERT:
            return
        from searchindex.looks import pipelines, size
        from searchindex.scratch import movable, tried

        self.capture(context)
        physical = context.aliases.behind(context.deployment.alias(self.name))
        live = context.index(physical) or {}
        try:
            tried(context, live, *movable(self.settings))
        except RequestRefused as exc:
            raise self._refused(exc) from exc
        yield from pipelines(context, self.title, self.settings)
        yield from size(context, self.title, physical, "{} are in the index.")

    def _live(self, context: Context) -> Mapping[str, Any]:
        physical = context.aliases.behind(context.deployment.alias(self.name))
        return flat_settings((context.index(physical) or {}).get("settings", {}))

    def _put(self, context: Context, wanted: Body) -> int:
        if not settings_differences(wanted, self._live(context)):
            return 0
        physical = context.aliases.behind(context.deployment.alias(self.name))
        try:
            context.send(_put(physical, wanted))
        except RequestRefused as exc:
            raise self._refused(exc) from exc
        return 1

    def _refused(self, exc: RequestRefused) -> StepFailed:
        return StepFailed(
            f"The server refuses the settings of the index {self.name}: {exc.reason}.",
            hint=exc.hint
            or "Settings that are fixed while an index is open, analyzers among them, need a Reindex.",
        )


def _put(index: str, settings: Body) -> Request:
    return Request("PUT", at(index, "_settings"), settings)
