"""Indexes behind an alias: making them, dropping them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accord.errors import ConflictingState, StepFailed
from accord.revisions.entry import Facts
from accord.seam.foretelling import Foretold
from accord.seam.types import Direction, Statement
from searchindex.context import Context, Deployment
from searchindex.definitions import (
    Body,
    as_text,
    flat_settings,
    mapping_differences,
    merged,
    settings_differences,
)
from searchindex.names import checked
from searchindex.operations.base import Expected, Operation, conflict
from searchindex.requests import Request
from searchindex.transport import RequestRefused, at

_REPLICAS, _EXPANDS = "index.number_of_replicas", "index.auto_expand_replicas"
_OF_THE_SCRATCH = frozenset({"index.number_of_shards", _REPLICAS, "index.hidden"})


@dataclass(frozen=True)
class CreateIndex(Operation):
    """
    Make an index and, in the same request, the alias that applications use for it.

    Attributes:
        name: The alias. The index is called after it and the revision's number.
        mappings: Fields, as the server's documentation writes them; see also
            :func:`searchindex.fields.vector_field`.
        settings: Index settings, nested or with dots.
    """

    meets_documents = False

    name: str
    mappings: Body = field(default_factory=dict)
    settings: Body = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a name that no server takes."""
        checked(self.name)

    @property
    def makes(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        return f"create index {self.name}"

    def capture(self, context: Context) -> Mapping[str, Any]:
        return {"there": self._refuse_other(context, closed=True)}

    def apply(self, context: Context) -> int:
        # One that was not there before is ours; a template may have added fields to it.
        if self._refuse_other(context, closed=context.saved.get("there", True)):
            return 0
        context.send(self._create(context.deployment))
        return 1

    def revert(self, context: Context) -> int:
        if context.saved.get("there", True):
            context.leave(f"index {context.deployment.physical(self.name)}")
            return 0
        return context.remove(self._delete(context.deployment))

    def left_something(self, context: Context, *, begun: bool) -> bool:
        """Look whether the index stands; one that was there before is left by undoing."""
        return begun and context.index(context.deployment.physical(self.name)) is not None

    holder = "index"

    def drops(self, saved: Facts, place: Deployment, direction: Direction) -> Sequence[str]:
        made = not saved.get("there", True)
        return [place.physical(self.name)] if direction is Direction.REVERT and made else []

    def requests(self, deployment: Deployment, direction: Direction) -> Iterator[Request | Statement]:
        yield self._create(deployment) if direction is Direction.APPLY else self._delete(deployment)

    def _create(self, deployment: Deployment) -> Request:
        return Request("PUT", at(deployment.physical(self.name)), self._body(deployment))

    def _delete(self, deployment: Deployment) -> Request:
        return Request("DELETE", at(deployment.physical(self.name)))

    def expect(self, deployment: Deployment, expected: Expected) -> Iterator[tuple[str, str]]:
        body = self._body(deployment)
        key = ("index", self.name)
        expected.objects[key] = {"mappings": body["mappings"], "settings": body["settings"]}
        yield key

    @property
    def concerns(self) -> frozenset[str]:
        return frozenset({self.name})

    @property
    def looks_at(self) -> frozenset[str]:
        # A template that an earlier step writes may bring an analyzer that the index needs.
        return self.concerns | {"templates"}

    def touches(self, context: Context) -> Collection[str] | None:
        return () if context.index(context.deployment.physical(self.name)) else self.concerns

    def foretell(self, context: Context, direction: Direction) -> Iterator[Foretold]:
        from searchindex.looks import going, pipelines, size

        physical = context.deployment.physical(self.name)
        if direction is Direction.REVERT:
            if context.index(physical) is not None:
                text = "The index goes with what it holds, unless it was found there."
                yield going(context, self.title, physical, text)
            return
        if self.capture(context)["there"]:
            yield from size(context, self.title, physical, "It is there already, with {}.")
            return
        body = self._body(context.deployment)
        try_new(context, self.name, body["mappings"], body["settings"])
        yield from pipelines(context, self.title, body["settings"])

    def _body(self, deployment: Deployment) -> dict[str, Any]:
        return {
            "aliases": {deployment.alias(self.name): {"is_write_index": True}},
            "mappings": deployment.mappings(self.mappings),
            "settings": deployment.settings(self.settings, self.mappings),
        }

    def _refuse_other(self, context: Context, *, closed: bool) -> bool:
        """Return whether the index is there; refuse one that isn't ours by its definition."""
        alias, physical = context.deployment.alias(self.name), context.deployment.physical(self.name)
        _refuse_taken_alias(context, alias, physical)
        live = context.index(physical)
        if live is None:
            return False
        body = self._body(context.deployment)
        definition = body["mappings"], body["settings"]
        differences = index_differences(context, *definition, live, closed=closed)
        if alias not in live.get("aliases", {}):
            differences = [*differences, f"the alias {alias} does not point at it"]
        if differences:
            raise conflict(f"The index {physical}", differences)
        return True


def try_new(context: Context, name: str, mappings: Body, settings: Body) -> None:
    """
    Have the server read the definition of an index that a revision would make, without making it.

    Raises:
        StepFailed: It would refuse it, for analyzers, fields or limits.
    """
    from searchindex.looks import long_names
    from searchindex.room import refuse_too_many
    from searchindex.scratch import begun_with, simulated, tried

    physical = context.deployment.physical(name)
    if long_names([physical, context.deployment.alias(name)]):
        raise StepFailed(f"The name {physical[:60]}… is longer than 255 bytes.", hint="Choose a shorter one.")
    begun = begun_with(context, physical)
    template = flat_settings(begun.get("settings") or {})
    definition = {
        "mappings": merged(begun.get("mappings") or {}, mappings),
        "settings": {**template, **flat_settings(settings)},
    }
    # Before the scratch index, which a full cluster would refuse, too, in words about itself.
    refuse_too_many(context, physical, definition["settings"])
    try:
        simulated(context, definition["settings"])
        tried(context, definition)
    except RequestRefused as exc:
        raise StepFailed(
            f"The server refuses the index {physical}: {exc.reason}.",
            hint=exc.hint
            or "Correct the revision; analyzers and field types depend on the server's plugins.",
        ) from exc


def _refuse_taken_alias(context: Context, alias: str, physical: str) -> None:
    others = sorted(set(context.aliases.targets(alias)) - {physical})
    if others:
        raise ConflictingState(
            f"The alias {alias} exists and points at {', '.join(others)}.",
            hint="Remove the alias, or point it at the index that the revision makes.",
        )
    if is_index(context, alias):
        raise ConflictingState(
            f"{alias} is an index; the revision wants an alias of that name.",
            hint="Write AdoptIndex in place of CreateIndex: the name becomes an alias, the documents stay.",
        )


def is_index(context: Context, name: str) -> bool:
    """Return whether a name is that of an index itself and not of an alias."""
    found = context.transport.find(f"{at(name)}?filter_path=*.aliases") or {}
    return name in found


def index_differences(
    context: Context,
    mappings: Body,
    settings: Body,
    live: Mapping[str, Any],
    *,
    closed: bool = True,
) -> Sequence[str]:
    """
    Compare a declared index with a live one; ask the server before calling a spelling a difference.

    Args:
        context: Connection and names.
        mappings: As declared, in the engine's words.
        settings: As declared.
        live: Index as the server returned it.
        closed: See :func:`searchindex.definitions.mapping_differences`.
    """
    if not _differences(mappings, settings, live, closed=closed):
        return ()
    from searchindex.scratch import canonical

    kept = canonical(context, mappings, settings)
    told = flat_settings(kept.get("settings", {}))
    # What the server doesn't say of the scratch index it says of none (`number_of_routing_shards`).
    wanted = {
        key: value if key in _OF_THE_SCRATCH else told.get(key)
        for key, value in flat_settings(settings).items()
    }
    if as_text(wanted.get(_EXPANDS, "false")) != "false":
        wanted.pop(_REPLICAS, None)  # the server sets it by the number of its nodes
    return _differences(kept.get("mappings", {}), wanted, live, closed=closed)


def _differences(mappings: Body, settings: Body, live: Mapping[str, Any], *, closed: bool) -> Sequence[str]:
    return [
        *mapping_differences(mappings, live.get("mappings", {}), closed=closed),
        *settings_differences(settings, live.get("settings", {})),
    ]
